"""Training of one member: epochs and steps, early stopping, and going on after a kill.

Every random choice is drawn from a generator seeded by (seed, purpose, epoch, step), so that where
training stands is two numbers and a training that goes on ends with the same bits.
"""

import logging
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional

from thyrocast.errors import InputError
from thyrocast.network import augmentation, interruption, record
from thyrocast.network import optimization as rules
from thyrocast.network import patients as people
from thyrocast.network import state as states
from thyrocast.network.loading import Loader
from thyrocast.network.model import (
    autocast_type,
    initialize,
    seed_libraries,
)
from thyrocast.network.parallel import Group
from thyrocast.network.patients import Patients
from thyrocast.seeds import derive

LOGGER = logging.getLogger("thyrocast")
SAVE_EVERY_S = 600
# Saving takes at most this share of the time: where epochs are shorter, not each of them is saved.
SAVE_SHARE = 0.1
REPORT_EVERY_S = 30
# Batch statistics of this many patients settle the running ones.
CALIBRATION_PATIENTS = 1024
# Settings that say where a training runs, not what comes out.
PLACE = frozenset({"gpus", "allow_cpu", "threads"})
ALONE = Group()


def train(
    patients: Patients,
    masks: NDArray[np.uint8],
    settings: Mapping[str, Any],
    *,
    seed: int,
    initial_seed: int,
    device: torch.device,
    state_folder: Path,
    group: Group = ALONE,
) -> record.Trained:
    """Train one member on its training patients, from the saved state where there is one.

    Parameters
    ----------
    patients
        The member's training patients (`patients.training_patients`).
    masks
        Gland masks of the cohort (N, size, size).
    settings
        The config's ``network`` block.
    seed, initial_seed
        Of all choices during training, and of the initial weights (shared by a split's members).
    device
        Where the network lives.
    state_folder
        Folder for training states of the whole study; each training has its own inside.
    group
        The processes that train it together; what they give is the leader's to write.

    Raises
    ------
    InputError
        If there are too few patients for so many processes.
    interruption.Stopped
        After SIGTERM or SIGUSR1, with the state saved.
    """
    facts = {
        "settings": {key: value for key, value in settings.items() if key not in PLACE},
        "seeds": [seed, initial_seed],
        # A GPU's bits depend on its model, yet a retry on another one had better go on than begin.
        "device": device.type,
        "threads": torch.get_num_threads() if device.type == "cpu" else 0,
        "processes": group.size,
    }
    if group.leads:
        states.sweep(state_folder)
    folder = state_folder / states.key(patients, facts)
    with interruption.watch() as request:
        run = _Run(patients, masks, settings, seed, initial_seed, device, folder, group, request)
        run.resume()
        run.epochs()
        return run.finish()


@dataclass
class _Run:
    """One training under way."""

    patients: Patients
    masks: NDArray[np.uint8]
    settings: Mapping[str, Any]
    seed: int
    initial_seed: int
    device: torch.device
    folder: Path
    group: Group
    request: interruption.Request
    epoch: int = 0
    step: int = 0
    loss_sum: float | Tensor = 0.0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = self.settings
        self.total = int(settings["epochs"])
        self.batch_size = int(settings["batch_size"])
        self.normalization = people.measure(self.patients)
        self.fitted, self.watching = people.hold_out(
            self.patients,
            float(settings["early_stopping"]["fraction"]),
            derive(self.seed, "early stopping"),
        )
        self.counts = torch.from_numpy(people.counts_per_unit(self.patients, self.masks))
        self.outcome = torch.from_numpy(self.patients.outcome).float()
        self.weights = rules.class_weights(
            self.patients.outcome[self.fitted], str(settings["imbalance"])
        )
        # Batch normalization needs two patients in every process.
        least = 2 * self.group.size
        if len(self.fitted) < least:
            raise InputError(
                f"network.gpus is {self.group.size}, which needs {least} patients to train on, and "
                f"the member has {len(self.fitted)}: set it to 1"
            )
        self.steps = rules.steps_per_epoch(len(self.fitted), self.batch_size, least)
        self.mixed = autocast_type(str(settings["precision"]), self.device)
        network = initialize(self.initial_seed, str(settings["weights"]), settings["sha256"])
        self.network = network.to(self.device)
        if self.mixed is not None:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.optimizer = rules.optimizer_for(self.network, settings)
        self.loader = Loader(self.patients, self.device)
        self.saved = time.monotonic()
        self.saving_s = 0.0

    # What a kill must not lose

    def resume(self) -> None:
        """Go on from the newest state, if there is one."""
        state = self.group.tell(states.load(self.folder) if self.group.leads else None)
        if state is None:
            return
        self.network.load_state_dict(states.part(state.tensors, "network."))
        self.best = states.part(state.tensors, "best.")
        rules.put_moments(self.optimizer, states.part(state.tensors, "moment."))
        for name in states.PROGRESS:
            setattr(self, name, state.progress[name])
        LOGGER.info("going on from the saved state: %s", self._place())

    def save(self) -> bool:
        """Keep all that `resume` needs; a disk that refuses it costs a warning, not the training."""
        start = time.monotonic()
        tensors = states.pack(
            network=self.network.state_dict(),
            best=self.best,
            moment=rules.moments(self.optimizer),
        )
        self.loss_sum = float(self.loss_sum)
        progress = {name: getattr(self, name) for name in states.PROGRESS}
        done = self.epoch * self.steps + self.step
        try:
            states.save(self.folder, states.State(done, tensors, progress))
        except (OSError, SafetensorError) as error:
            LOGGER.warning("training state can't be saved in %s, going on: %s", self.folder, error)
            return False
        finally:
            self.saving_s = time.monotonic() - start
            self.saved = time.monotonic()
        return True

    def _save_if_due(self, due: bool) -> None:
        if due and self.group.leads:
            self.save()

    def _place(self) -> str:
        done = f"{self.step} of its {self.steps} steps done"
        return f"epoch {self.epoch + 1} of {self.total}, {done}"

    def _stop_if_asked(self) -> None:
        # A signal may have reached only one process, and they must stop after the same step.
        number = self.group.largest(self.request.number)
        if not number:
            return
        if self.group.leads:
            saved = self.save()
            LOGGER.error(
                "stopped by %s in %s; %s, a rerun goes on from it",
                signal.Signals(number).name,
                self._place(),
                "the state is saved" if saved else "the last state that could be saved is kept",
            )
        self.group.wait()
        raise interruption.Stopped(128 + number)

    # The work

    def epochs(self) -> None:
        """Train until the last epoch or until early stopping."""
        while self.epoch < self.total and not self._patience_is_over():
            start = time.monotonic() - self.seconds
            self._pass(start)
            row: dict[str, Any] = {
                "epoch": self.epoch + 1,
                "learning_rate": self._rate((self.epoch + 1) * self.steps - 1),
                "train_loss": float(self.loss_sum) / len(self.fitted),
                "validation_loss": None,
                "validation_auc": None,
            }
            if len(self.watching) and self.group.leads:
                self._calibrate()
                row |= self._watch()
            row["seconds"] = round(time.monotonic() - start, 2)
            row = self.group.tell(row)
            self.history.append(row)
            LOGGER.info("%s", record.sentence(row, self.total))
            if self._best_epoch() == row["epoch"] and len(self.watching):
                self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
            self.epoch, self.step, self.loss_sum, self.seconds = self.epoch + 1, 0, 0.0, 0.0
            if self.epoch < self.total:
                self._stop_if_asked()
                elapsed = time.monotonic() - self.saved
                self._save_if_due(self.saving_s <= SAVE_SHARE * elapsed)

    def _pass(self, start: float) -> None:
        """Train on every fitted patient once, or on those that a kill left over."""
        order = np.random.default_rng(derive(self.seed, "order", self.epoch))
        batches = np.array_split(order.permutation(self.fitted), self.steps)[self.step :]
        shares = [self.group.share(batch) for batch in batches]
        told = time.monotonic()
        for batch, own, images in zip(batches, shares, self.loader.batches(shares), strict=True):
            self.loss_sum = self.loss_sum + self._step(len(batch), own, images)
            self.step += 1
            now = time.monotonic()
            self.seconds = now - start
            self._stop_if_asked()
            self._save_if_due(now - self.saved > SAVE_EVERY_S)
            if now - told > REPORT_EVERY_S:
                told = now
                LOGGER.info("%s", self._place())

    def _step(self, n: int, positions: NDArray[np.int64], images: Tensor) -> Tensor:
        """Take one optimization step on ``n`` patients, of whom these are this process's.

        Gives the summed loss of all, still on the device.
        """
        own_seed = derive(self.seed, "step", self.epoch, self.step, *self.group.name)
        seed_libraries(own_seed)
        change = augmentation.draw(
            np.random.default_rng(own_seed), len(positions), self.settings["augmentation"]
        )
        noise = torch.Generator(self.device).manual_seed(own_seed)
        counts = self.counts[positions].to(self.device)
        inputs = self.normalization.apply(augmentation.augment(images, counts, change, noise))
        outcome = self.outcome[positions].to(self.device)
        smoothing = float(self.settings["label_smoothing"])
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(self.epoch * self.steps + self.step)
        self.network.train()
        loss = functional.binary_cross_entropy_with_logits(
            self._logit(inputs),
            outcome * (1 - smoothing) + smoothing / 2,
            weight=torch.where(outcome == 1, self.weights.cured, self.weights.not_cured),
            reduction="sum",
        )
        self.optimizer.zero_grad(set_to_none=True)
        (loss / n).backward()  # type: ignore[no-untyped-call]
        loss = loss.detach()
        gradients = [p.grad for p in rules.parameters(self.optimizer) if p.grad is not None]
        self.group.add_up([*gradients, loss])
        self.optimizer.step()
        return loss.double()

    def _rate(self, step: int) -> float:
        return rules.learning_rate(step, self.total * self.steps, self.settings)

    def _logit(self, inputs: Tensor) -> Tensor:
        if self.mixed is None:
            return self.network(inputs)  # type: ignore[no-any-return]
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=self.mixed):
            logit: Tensor = self.network(inputs)
        return logit.float()

    @torch.no_grad()
    def _calibrate(self) -> None:
        """Settle batch normalization on fitted patients, not augmented."""
        draw = np.random.default_rng(derive(self.seed, "calibration"))
        sample = draw.permutation(self.fitted)[:CALIBRATION_PATIENTS]
        steps = rules.steps_per_epoch(len(sample), self.batch_size)
        with rules.precise_statistics(self.network):
            for images in self.loader.batches(np.array_split(sample, steps)):
                self._logit(self.normalization.apply(images))

    @torch.no_grad()
    def _watch(self) -> dict[str, float]:
        """Loss and AUC of the watching patients."""
        self.network.eval()
        groups = [
            self.watching[start : start + self.batch_size]
            for start in range(0, len(self.watching), self.batch_size)
        ]
        logit = torch.cat(
            [
                self._logit(self.normalization.apply(images)).cpu().double()
                for images in self.loader.batches(groups)
            ]
        ).numpy()
        outcome = self.patients.outcome[self.watching]
        return {
            "validation_loss": self.weights.loss(outcome, logit),
            "validation_auc": rules.auc(outcome, logit),
        }

    def _best_epoch(self) -> int:
        if not len(self.watching):
            return len(self.history)
        losses = [float(row["validation_loss"]) for row in self.history]
        return rules.best_epoch(losses, warm=round(float(self.settings["warmup"]) * self.total))

    def _patience_is_over(self) -> bool:
        patience = int(self.settings["early_stopping"]["patience"])
        return bool(len(self.watching)) and len(self.history) - self._best_epoch() >= patience

    def finish(self) -> record.Trained:
        """Take the best epoch's network, its logit corrected for the class weights of the loss."""
        if self.best:
            self.network.load_state_dict(self.best)
        else:
            self._calibrate()
        with torch.no_grad():
            self.network.fc.bias += self.weights.correction
        best = self._best_epoch()
        facts = {
            "patients": len(self.patients),
            "cured": int(self.patients.outcome.sum()),
            "watching": len(self.watching),
            "size": int(self.patients.images.shape[-1]),
            "epochs": len(self.history),
            "best_epoch": best,
            "logit_correction": self.weights.correction,
            "precision": str(self.mixed or torch.float32),
            "processes": self.group.size,
            "torch": torch.__version__,
        }
        return record.Trained(
            network=self.network.to("cpu", memory_format=torch.contiguous_format).eval(),
            normalization=self.normalization,
            history=[row | {"best": int(row["epoch"] == best)} for row in self.history],
            facts=facts,
            state=self.folder,
        )
