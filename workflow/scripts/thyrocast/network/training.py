"""Training of one member: epochs and steps, early stopping, and going on after a kill.

Every random choice is drawn from a generator seeded by (seed, purpose, epoch, step), so that where
training stands is two numbers and a training that goes on ends with the same bits.
"""

import logging
import random
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

from thyrocast.network import augmentation, interruption
from thyrocast.network import optimization as rules
from thyrocast.network import patients as people
from thyrocast.network import state as states
from thyrocast.network.loading import Loader
from thyrocast.network.model import Normalization, ScintigramResNet50, autocast_type, initialize
from thyrocast.network.patients import Patients
from thyrocast.tables import seed as derive

LOGGER = logging.getLogger("thyrocast")
HISTORY = (
    "epoch",
    "learning_rate",
    "train_loss",
    "validation_loss",
    "validation_auc",
    "seconds",
    "best",
)
SAVE_EVERY_S = 600
# Saving takes at most this share of the time: where epochs are shorter, not each of them is saved.
SAVE_SHARE = 0.1
REPORT_EVERY_S = 30
# Batch statistics of this many patients settle the running ones.
CALIBRATION_PATIENTS = 1024
# Settings that say where a training runs, not what comes out.
PLACE = frozenset({"gpus", "allow_cpu", "threads"})


@dataclass(frozen=True)
class Trained:
    """A member's result.

    Attributes
    ----------
    network
        On the processor, in evaluation mode; its logit is corrected for the loss's class weights.
    normalization
        Of the member's training patients.
    history
        One row per epoch, keys as in `HISTORY`.
    facts
        What the weights file says about the training.
    state
        Folder of the training's state, to be removed once the result is written.
    """

    network: ScintigramResNet50
    normalization: Normalization
    history: list[dict[str, Any]]
    facts: dict[str, Any]
    state: Path


def train(
    patients: Patients,
    masks: NDArray[np.uint8],
    settings: Mapping[str, Any],
    *,
    seed: int,
    initial_seed: int,
    device: torch.device,
    state_folder: Path,
) -> Trained:
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

    Raises
    ------
    interruption.Stopped
        After SIGTERM or SIGUSR1, with the state saved.
    """
    facts = {
        "settings": {key: value for key, value in settings.items() if key not in PLACE},
        "seeds": [seed, initial_seed],
        # A GPU's bits depend on its model, yet a retry on another one had better go on than begin.
        "device": device.type,
        "threads": torch.get_num_threads() if device.type == "cpu" else 0,
    }
    states.sweep(state_folder)
    folder = state_folder / states.key(patients, facts)
    with interruption.watch() as request:
        run = _Run(patients, masks, settings, seed, initial_seed, device, folder, request)
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
        self.steps = rules.steps_per_epoch(len(self.fitted), self.batch_size)
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
        state = states.load(self.folder)
        if state is None:
            return
        self.network.load_state_dict(states.part(state.tensors, "network."))
        self.best = states.part(state.tensors, "best.")
        moments = states.part(state.tensors, "moment.")
        for index, parameter in enumerate(_parameters(self.optimizer)):
            self.optimizer.state[parameter] = {
                # Moments take their parameter's place and layout; the step counter is a scalar.
                name: torch.empty_like(parameter).copy_(value)
                if value.shape == parameter.shape
                else value.to(self.device)
                for name, value in states.part(moments, f"{index}.").items()
            }
        for name in states.PROGRESS:
            setattr(self, name, state.progress[name])
        LOGGER.info("going on from the saved state: %s", self._place())

    def save(self) -> bool:
        """Keep all that `resume` needs; a disk that refuses it costs a warning, not the training."""
        start = time.monotonic()
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        for index, parameter in enumerate(_parameters(self.optimizer)):
            for name, value in self.optimizer.state[parameter].items():
                tensors[f"moment.{index}.{name}"] = value
        cpu = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        self.loss_sum = float(self.loss_sum)
        progress = {name: getattr(self, name) for name in states.PROGRESS}
        done = self.epoch * self.steps + self.step
        try:
            states.save(self.folder, states.State(done, cpu, progress))
        except (OSError, SafetensorError) as error:
            LOGGER.warning("training state can't be saved in %s, going on: %s", self.folder, error)
            return False
        finally:
            self.saving_s = time.monotonic() - start
            self.saved = time.monotonic()
        return True

    def _saving_is_cheap(self) -> bool:
        return self.saving_s <= SAVE_SHARE * (time.monotonic() - self.saved)

    def _place(self) -> str:
        done = f"{self.step} of its {self.steps} steps done"
        return f"epoch {self.epoch + 1} of {self.total}, {done}"

    def _stop_if_asked(self) -> None:
        if self.request.number is None:
            return
        kept = "the state is saved" if self.save() else "the last state that could be saved is kept"
        LOGGER.error(
            "stopped by %s in %s; %s, a rerun goes on from it",
            self.request.name,
            self._place(),
            kept,
        )
        raise interruption.Stopped(128 + self.request.number)

    # The work

    def epochs(self) -> None:
        """Train until the last epoch or until early stopping."""
        while self.epoch < self.total and not self._patience_is_over():
            start = time.monotonic() - self.seconds
            self._pass(start)
            row: dict[str, Any] = {
                "epoch": self.epoch + 1,
                "learning_rate": self.optimizer.param_groups[0]["lr"],
                "train_loss": float(self.loss_sum) / len(self.fitted),
                "validation_loss": None,
                "validation_auc": None,
            }
            if len(self.watching):
                self._calibrate()
                row |= self._watch()
            row["seconds"] = round(time.monotonic() - start, 2)
            self.history.append(row)
            LOGGER.info("%s", _sentence(row, self.total))
            if self._best_epoch() == row["epoch"] and len(self.watching):
                self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
            self.epoch, self.step, self.loss_sum, self.seconds = self.epoch + 1, 0, 0.0, 0.0
            if self.epoch < self.total:
                self._stop_if_asked()
                if self._saving_is_cheap():
                    self.save()

    def _pass(self, start: float) -> None:
        """Train on every fitted patient once, or on those that a kill left over."""
        order = np.random.default_rng(derive(self.seed, "order", self.epoch))
        groups = np.array_split(order.permutation(self.fitted), self.steps)[self.step :]
        told = time.monotonic()
        for positions, images in zip(groups, self.loader.batches(groups), strict=True):
            self.loss_sum = self.loss_sum + self._step(positions, images)
            self.step += 1
            now = time.monotonic()
            self.seconds = now - start
            self._stop_if_asked()
            if now - self.saved > SAVE_EVERY_S:
                self.save()
            if now - told > REPORT_EVERY_S:
                told = now
                LOGGER.info("%s", self._place())

    def _step(self, positions: NDArray[np.int64], images: Tensor) -> Tensor:
        """Take one optimization step; give the summed loss of its patients, still on the device."""
        own_seed = derive(self.seed, "step", self.epoch, self.step)
        _seed_libraries(own_seed)
        change = augmentation.draw(
            np.random.default_rng(own_seed), len(positions), self.settings["augmentation"]
        )
        noise = torch.Generator(self.device).manual_seed(own_seed)
        counts = self.counts[positions].to(self.device)
        inputs = self.normalization.apply(augmentation.augment(images, counts, change, noise))
        outcome = self.outcome[positions].to(self.device)
        smoothing = float(self.settings["label_smoothing"])
        done = self.epoch * self.steps + self.step
        rate = rules.learning_rate(done, self.total * self.steps, self.settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        loss = functional.binary_cross_entropy_with_logits(
            self._logit(inputs),
            outcome * (1 - smoothing) + smoothing / 2,
            weight=torch.where(outcome == 1, self.weights.cured, self.weights.not_cured),
            reduction="sum",
        )
        self.optimizer.zero_grad(set_to_none=True)
        (loss / len(positions)).backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach().double()

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

    def finish(self) -> Trained:
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
            "torch": torch.__version__,
        }
        return Trained(
            network=self.network.to("cpu", memory_format=torch.contiguous_format).eval(),
            normalization=self.normalization,
            history=[row | {"best": int(row["epoch"] == best)} for row in self.history],
            facts=facts,
            state=self.folder,
        )


def _seed_libraries(seed: int) -> None:
    """Put every library's own generator in a state that follows from the step."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for whoever still draws from the global one
    random.seed(seed)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _sentence(row: dict[str, Any], total: int) -> str:
    text = f"epoch {row['epoch']} of {total}: training loss {row['train_loss']:.4f}"
    if row["validation_loss"] is not None:
        text += f", watching loss {row['validation_loss']:.4f}, AUC {row['validation_auc']:.3f}"
    return f"{text}, {row['seconds']:.1f} s"
