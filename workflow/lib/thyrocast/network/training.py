"""Training of one member: epochs and steps, early stopping, and resumption after an interruption.

Every random choice is drawn from a generator seeded by (seed, purpose, epoch, step). The position of a
training is therefore two numbers, and a resumed training ends with the same bits.
"""

from __future__ import annotations

import logging
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional

from thyrocast.errors import InputError
from thyrocast.network import augmentation, image_set, interruption, model
from thyrocast.network import optimization as rules
from thyrocast.network import state as states
from thyrocast.network.image_set import ImageSet
from thyrocast.network.loading import Loader
from thyrocast.network.model import Network, autocast_type, seed_libraries
from thyrocast.network.parallel import ProcessGroup
from thyrocast.network.pretrained import Pretrained
from thyrocast.network.record import Epoch, Facts, Trained
from thyrocast.seeds import derive

if TYPE_CHECKING:
    from thyrocast.config.network import NetworkConfig

LOGGER = logging.getLogger("thyrocast")
SAVE_EVERY_S = 600  # longest time within an epoch without a saved state, s
#: Saving takes at most this share of the time: the state of short epochs is not saved after each.
SAVE_SHARE = 0.1
REPORT_EVERY_S = 30
#: Largest number of patients that are used to compute batch-normalization statistics.
CALIBRATION_PATIENTS = 1024
ALONE = ProcessGroup()


class Validation(NamedTuple):
    """Loss and AUC of the patients held out for early stopping."""

    loss: float
    auc: float


def train(
    data: ImageSet,
    masks: NDArray[np.uint8],
    settings: NetworkConfig,
    *,
    seed: int,
    initial_seed: int,
    device: torch.device,
    state_folder: Path,
    group: ProcessGroup = ALONE,
    pretrained: Pretrained | None = None,
) -> Trained:
    """Train one member on its training patients; resume from the saved state if there is one.

    Parameters
    ----------
    data
        The member's training patients (`image_set.training_set`).
    masks
        (N, size, size) gland masks of the cohort.
    settings
        Config of the network.
    seed, initial_seed
        Seeds of all random choices during training, and of the initial weights (the same for all
        members of a split).
    device
        Where the network runs.
    state_folder
        Folder for training states of the whole study; each training has its own folder in it.
    group
        The processes that train it together; only the leader writes the result.
    pretrained
        Initial weights by `pretrain_network`, if the settings ask for them and none are shipped.

    Raises
    ------
    InputError
        If there are too few patients for so many processes.
    interruption.Stopped
        After SIGTERM or SIGUSR1, with the state saved.
    """
    origin = model.origin(settings, pretrained)
    facts = {
        "settings": settings.determining(),
        "seeds": [seed, initial_seed, origin],
        # The last bits depend on the GPU model, but a retry on another model should still resume.
        "device": device.type,
        "threads": torch.get_num_threads() if device.type == "cpu" else 0,
        "processes": group.size,
    }
    if group.leads:
        states.sweep(state_folder)
    folder = state_folder / states.key(data, facts)
    with interruption.watch() as request:
        network = model.initialize(initial_seed, settings, pretrained)
        run = _Run(data, masks, settings, seed, network, origin, device, folder, group, request)
        run.resume()
        run.epochs()
        return run.finish()


@dataclass
class _Run:
    """A training in progress."""

    data: ImageSet
    masks: NDArray[np.uint8]
    settings: NetworkConfig
    seed: int
    network: Network
    origin: str
    device: torch.device
    folder: Path
    group: ProcessGroup
    request: interruption.StopRequest
    epoch: int = 0
    step: int = 0
    loss_sum: float | Tensor = 0.0
    losses: list[Tensor] = field(default_factory=list)  # of this epoch's steps in this process
    seconds: float = 0.0
    history: tuple[Epoch, ...] = ()
    best: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = self.settings
        self.total = settings.epochs
        self.batch_size = settings.batch_size
        self.normalization = image_set.normalization_of(self.data, settings.architecture)
        self.fitted, self.held_out = image_set.hold_out(
            self.data,
            settings.early_stopping.fraction,
            derive(self.seed, "early stopping"),
        )
        self.counts = torch.from_numpy(image_set.counts_per_unit(self.data, self.masks))
        self.outcome = torch.from_numpy(self.data.outcome).float()
        self.weights = rules.class_weights(self.data.outcome[self.fitted], settings.imbalance)
        # Batch normalization needs two patients in every process.
        least = 2 * self.group.size
        if len(self.fitted) < least:
            raise InputError(
                f"network.gpus is {self.group.size}, which needs {least} patients to train on, but "
                f"the member has {len(self.fitted)}: set network.gpus to 1"
            )
        self.steps = rules.steps_per_epoch(len(self.fitted), self.batch_size, least)
        self.mixed = autocast_type(settings.precision, self.device)
        self.network.to(self.device)
        if self.mixed is not None:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.optimizer = rules.optimizer_for(self.network, settings)
        self.loader = Loader(self.data, self.device)
        self.saved = time.monotonic()
        self.saving_s = 0.0

    # ---- state

    def resume(self) -> None:
        """Continue from the newest state, if there is one."""
        state = self.group.broadcast(states.load(self.folder) if self.group.leads else None)
        if state is None:
            return
        self.network.load_state_dict(states.part(state.tensors, "network."))
        self.best = states.part(state.tensors, "best.")
        rules.put_moments(self.optimizer, states.part(state.tensors, "moment."))
        progress = state.progress
        self.epoch, self.step, self.history = progress.epoch, progress.step, progress.history
        self.loss_sum, self.seconds = progress.loss_sum, progress.seconds
        LOGGER.info("resuming from the saved state: %s", self._place())

    def save(self) -> bool:
        """Save what `resume` needs; if it cannot be written, log a warning and continue."""
        start = time.monotonic()
        self._check_losses()
        tensors = states.pack(
            network=self.network.state_dict(),
            best=self.best,
            moment=rules.moments(self.optimizer),
        )
        self.loss_sum = float(self.loss_sum)
        progress = states.Progress(self.epoch, self.step, self.loss_sum, self.seconds, self.history)
        done = self.epoch * self.steps + self.step
        try:
            states.save(self.folder, states.TrainingState(done, tensors, progress))
        except (OSError, SafetensorError) as error:
            LOGGER.warning("training state cannot be saved in %s: %s", self.folder, error)
            return False
        finally:
            self.saving_s = time.monotonic() - start
            self.saved = time.monotonic()
        return True

    def _save_if_due(self, due: bool) -> None:
        if due and self.group.leads:
            self.save()

    def _place(self) -> str:
        return f"epoch {self.epoch + 1} of {self.total}, {self.step} of its {self.steps} steps done"

    def _stop_if_asked(self) -> None:
        # A signal may have reached only one process, but all must stop after the same step.
        number = self.group.largest(self.request.number)
        if not number:
            return
        if self.group.leads:
            saved = self.save()
            LOGGER.error(
                "stopped by %s in %s; a rerun resumes from %s",
                signal.Signals(number).name,
                self._place(),
                "there" if saved else "the last state that could be saved",
            )
        self.group.wait()
        raise interruption.Stopped(128 + number)

    # ---- training

    def epochs(self) -> None:
        """Train until the last epoch or until early stopping."""
        while self.epoch < self.total and not self._patience_is_over():
            start = time.monotonic() - self.seconds
            self._pass(start)
            self._check_losses()
            validation: Validation | None = None
            if len(self.held_out) and self.group.leads:
                self._calibrate()
                validation = self._validate()
            own = Epoch(
                epoch=self.epoch + 1,
                learning_rate=self._rate((self.epoch + 1) * self.steps - 1),
                train_loss=float(self.loss_sum) / len(self.fitted),
                validation_loss=validation.loss if validation else None,
                validation_auc=validation.auc if validation else None,
                seconds=round(time.monotonic() - start, 2),
            )
            done = self.group.broadcast(own)
            self.history += (done,)
            LOGGER.info("%s", done.sentence(self.total))
            if len(self.held_out) and self._best_epoch() == done.epoch:
                self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
            self.epoch, self.step, self.loss_sum, self.seconds = self.epoch + 1, 0, 0.0, 0.0
            if self.epoch < self.total:
                self._stop_if_asked()
                self._save_if_due(self.saving_s <= SAVE_SHARE * (time.monotonic() - self.saved))

    def _pass(self, start: float) -> None:
        """Train once on every fitted patient, or on those that remain after an interruption."""
        order = np.random.default_rng(derive(self.seed, "order", self.epoch))
        batches = np.array_split(order.permutation(self.fitted), self.steps)[self.step :]
        shares = [self.group.share(batch) for batch in batches]
        reported = time.monotonic()
        for batch, own, images in zip(batches, shares, self.loader.batches(shares), strict=True):
            loss = self._step(len(batch), own, images)
            self.loss_sum = self.loss_sum + loss
            self.losses.append(loss)
            self.step += 1
            now = time.monotonic()
            self.seconds = now - start
            self._stop_if_asked()
            self._save_if_due(now - self.saved > SAVE_EVERY_S)
            if now - reported > REPORT_EVERY_S:
                reported = now
                LOGGER.info("%s", self._place())

    def _check_losses(self) -> None:
        """Stop if the loss of a step since the last check is not a finite number."""
        first = rules.first_not_finite(self.losses)
        if first is not None:
            step = self.step - len(self.losses) + first
            where = f"the training loss in epoch {self.epoch + 1}, step {step + 1} of {self.steps}"
            raise rules.not_finite(where, self._rate(self.epoch * self.steps + step))
        self.losses.clear()

    def _step(self, n: int, positions: NDArray[np.int64], images: Tensor) -> Tensor:
        """Make one optimization step on `n` patients; those at `positions` are this process's.

        Returns the summed loss of all, on the device.
        """
        own_seed = derive(self.seed, "step", self.epoch, self.step, *self.group.name)
        seed_libraries(own_seed)
        rng = np.random.default_rng(own_seed)
        change = augmentation.draw(rng, len(positions), self.settings.augmentation)
        noise = torch.Generator(self.device).manual_seed(own_seed)
        counts, pixel = self.counts[positions].to(self.device), self.data.camera_pixel[positions]
        changed = augmentation.augment(images, counts, pixel, change, noise)
        inputs = self.normalization.apply(changed)
        outcome = self.outcome[positions].to(self.device)
        smoothing = self.settings.label_smoothing
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
        (loss / n).backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
        loss = loss.detach()
        gradients = [p.grad for p in rules.parameters(self.optimizer) if p.grad is not None]
        self.group.add_up([*gradients, loss])
        self.optimizer.step()
        return loss.double()

    def _rate(self, step: int) -> float:
        return rules.learning_rate(step, self.total * self.steps, self.settings)

    def _logit(self, inputs: Tensor) -> Tensor:
        if self.mixed is None:
            return self.network(inputs)  # type: ignore[no-any-return]  # torchvision has no types
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=self.mixed):
            logit: Tensor = self.network(inputs)
        return logit.float()

    @torch.no_grad()
    def _calibrate(self) -> None:
        """Compute the statistics of batch normalization on fitted patients, without augmentation."""
        draw = np.random.default_rng(derive(self.seed, "calibration"))
        sample = draw.permutation(self.fitted)[:CALIBRATION_PATIENTS]
        steps = rules.steps_per_epoch(len(sample), self.batch_size)
        with rules.precise_statistics(self.network):
            for images in self.loader.batches(np.array_split(sample, steps)):
                self._logit(self.normalization.apply(images))

    @torch.no_grad()
    def _validate(self) -> Validation:
        """Compute loss and AUC of the patients held out."""
        from thyrocast.statistics.discrimination import auc

        self.network.eval()
        size = self.batch_size
        groups = [self.held_out[at : at + size] for at in range(0, len(self.held_out), size)]
        logit = torch.cat(
            [
                self._logit(self.normalization.apply(images)).cpu().double()
                for images in self.loader.batches(groups)
            ]
        ).numpy()
        if not np.isfinite(logit).all():
            rate = self._rate((self.epoch + 1) * self.steps - 1)
            raise rules.not_finite(f"a logit after epoch {self.epoch + 1}", rate)
        outcome = self.data.outcome[self.held_out]
        return Validation(self.weights.loss(outcome, logit), auc(outcome, logit))

    def _best_epoch(self) -> int:
        if not len(self.held_out):
            return len(self.history)
        losses = [e.validation_loss for e in self.history if e.validation_loss is not None]
        return rules.best_epoch(losses, warm=round(self.settings.warmup * self.total))

    def _patience_is_over(self) -> bool:
        patience = self.settings.early_stopping.patience
        return bool(len(self.held_out)) and len(self.history) - self._best_epoch() >= patience

    def finish(self) -> Trained:
        """Return the best epoch's network, its logit corrected for the class weights of the loss."""
        if self.best:
            self.network.load_state_dict(self.best)
        elif rules.normalizations(self.network):
            self._calibrate()
        if not all(bool(torch.isfinite(p).all()) for p in self.network.parameters()):
            raise rules.not_finite("a weight after the last step", self.settings.highest_rate)
        with torch.no_grad():
            self.network.fc.bias += self.weights.correction
        facts = Facts(
            origin=self.origin,
            patients=len(self.data),
            cured=int(self.data.outcome.sum()),
            watching=len(self.held_out),
            size=self.data.size,
            epochs=len(self.history),
            best_epoch=self._best_epoch(),
            logit_correction=self.weights.correction,
            precision=str(self.mixed or torch.float32),
            processes=self.group.size,
            torch=torch.__version__,
        )
        return Trained(
            network=self.network.cpu().to(memory_format=torch.contiguous_format).eval(),
            normalization=self.normalization,
            history=self.history,
            facts=facts,
            state=self.folder,
        )
