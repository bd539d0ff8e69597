"""Training of one member: batches, steps, schedule, early stopping, and going on after a kill.

Every random choice is drawn from a generator seeded by (seed, purpose, epoch, step), so that where
training stands is two numbers and a training that goes on ends with the same bits.
"""

import logging
import random
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from thyrocast.network import augmentation
from thyrocast.network import patients as people
from thyrocast.network import state as states
from thyrocast.network.model import (
    Normalization,
    ScintigramResNet50,
    autocast_type,
    initialize,
)
from thyrocast.network.optimization import (
    auc,
    class_weights,
    learning_rate,
    optimizer_for,
    steps_per_epoch,
)
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
REPORT_EVERY_S = 30
# Batch statistics of this many patients settle the running ones.
CALIBRATION_PATIENTS = 1024


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
    """

    network: ScintigramResNet50
    normalization: Normalization
    history: list[dict[str, Any]]
    facts: dict[str, Any]


class Stopped(SystemExit):
    """A signal ended the training after its state was saved; the job fails and its rerun goes on."""


@dataclass
class _Flag:
    signal: int | None = None


@contextmanager
def _signals() -> Iterator[_Flag]:
    """Note SIGTERM and SIGUSR1 (SLURM's warning before the time limit) instead of dying of them."""
    flag = _Flag()

    def note(number: int, frame: FrameType | None) -> None:
        flag.signal = number

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGUSR1)}
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
    Stopped
        After SIGTERM or SIGUSR1, with the state saved.
    """
    facts = {
        "settings": {
            k: v for k, v in settings.items() if k not in {"gpus", "allow_cpu", "threads"}
        },
        "seeds": [seed, initial_seed],
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
    }
    folder = state_folder / states.key(patients, facts)
    with _signals() as flag:
        run = _Run(patients, masks, settings, seed, initial_seed, device, folder, flag)
        run.resume()
        run.epochs()
        result = run.finish()
    states.remove(folder)
    return result


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
    flag: _Flag
    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = self.settings
        self.normalization = people.measure(self.patients)
        self.fitted, self.watching = people.hold_out(
            self.patients,
            float(settings["early_stopping"]["fraction"]),
            derive(self.seed, "early stopping"),
        )
        self.counts = people.counts_per_unit(self.patients, self.masks)
        self.weights = class_weights(self.patients.outcome[self.fitted], str(settings["imbalance"]))
        self.steps = steps_per_epoch(len(self.fitted), int(settings["batch_size"]))
        self.mixed = autocast_type(str(settings["precision"]), self.device)
        self.network = initialize(
            self.initial_seed, str(settings["weights"]), settings["sha256"]
        ).to(self.device)
        if self.mixed is not None:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.optimizer = optimizer_for(self.network, settings)
        self.saved = time.monotonic()

    # -- what a kill must not lose

    def resume(self) -> None:
        """Go on from the newest state, if there is one."""
        state = states.load(self.folder)
        if state is None:
            return
        self.network.load_state_dict(_part(state.tensors, "network."))
        self.best = _part(state.tensors, "best.")
        moments = _part(state.tensors, "moment.")
        for index, parameter in enumerate(_parameters(self.optimizer)):
            own = _part(moments, f"{index}.")
            if own:
                self.optimizer.state[parameter] = {
                    # AdamW's fused step counter lives beside its parameter, like the moments.
                    name: value.to(self.device)
                    for name, value in own.items()
                }
        for name, value in state.progress.items():
            setattr(self, name, value)
        LOGGER.info(
            "going on from the saved state: epoch %d, step %d of %d",
            self.epoch + 1,
            self.step,
            self.steps,
        )

    def save(self) -> None:
        """Keep all that `resume` needs."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        for index, parameter in enumerate(_parameters(self.optimizer)):
            for name, value in self.optimizer.state[parameter].items():
                tensors[f"moment.{index}.{name}"] = value
        progress = {
            name: getattr(self, name)
            for name in ("epoch", "step", "loss_sum", "seconds", "history")
        }
        done = self.epoch * self.steps + self.step
        cpu = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        states.save(self.folder, states.State(done, cpu, progress))
        self.saved = time.monotonic()

    def _stop_if_asked(self) -> None:
        if self.flag.signal is None:
            return
        self.save()
        name = signal.Signals(self.flag.signal).name
        LOGGER.error(
            "stopped by %s in epoch %d after step %d of %d; the state is saved, a rerun goes on from it",
            name,
            self.epoch + 1,
            self.step,
            self.steps,
        )
        raise Stopped(128 + self.flag.signal)

    # -- the work

    def epochs(self) -> None:
        """Train until the last epoch or until early stopping."""
        total = int(self.settings["epochs"])
        while self.epoch < total and not self._patience_is_over():
            start = time.monotonic() - self.seconds
            self._pass(start)
            row: dict[str, Any] = {
                "epoch": self.epoch + 1,
                "learning_rate": self.optimizer.param_groups[0]["lr"],
                "train_loss": self.loss_sum / len(self.fitted),
                "validation_loss": None,
                "validation_auc": None,
            }
            if len(self.watching):
                self._calibrate()
                row |= self._watch()
            row["seconds"] = round(time.monotonic() - start, 2)
            self.history.append(row)
            LOGGER.info("%s", _sentence(row, total))
            self.epoch, self.step, self.loss_sum, self.seconds = self.epoch + 1, 0, 0.0, 0.0
            if self.epoch < total:
                self.save()
                self._stop_if_asked()

    def _pass(self, start: float) -> None:
        order = np.random.default_rng(derive(self.seed, "order", self.epoch)).permutation(
            self.fitted
        )
        batches = np.array_split(order, self.steps)
        told = time.monotonic()
        while self.step < self.steps:
            self.loss_sum += self._step(batches[self.step])
            self.step += 1
            self.seconds = time.monotonic() - start
            self._stop_if_asked()
            if time.monotonic() - self.saved > SAVE_EVERY_S:
                self.save()
            if time.monotonic() - told > REPORT_EVERY_S:
                told = time.monotonic()
                LOGGER.info("epoch %d: step %d of %d", self.epoch + 1, self.step, self.steps)

    def _step(self, positions: NDArray[np.int64]) -> float:
        """One optimization step; returns the summed loss of its patients."""
        own_seed = derive(self.seed, "step", self.epoch, self.step)
        _seed_libraries(own_seed)
        change = augmentation.draw(
            np.random.default_rng(own_seed), len(positions), self.settings["augmentation"]
        )
        noise = torch.Generator(self.device).manual_seed(own_seed)
        images = torch.from_numpy(self.patients.load(positions)).to(self.device)
        counts = torch.from_numpy(self.counts[positions]).to(self.device)
        inputs = self.normalization.apply(augmentation.augment(images, counts, change, noise))
        outcome = torch.from_numpy(self.patients.outcome[positions]).float().to(self.device)
        weight0, weight1, _ = self.weights
        smoothing = float(self.settings["label_smoothing"])

        done = self.epoch * self.steps + self.step
        total = int(self.settings["epochs"]) * self.steps
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(done, total, self.settings)
        self.network.train()
        logit = self._logit(inputs)
        loss = functional.binary_cross_entropy_with_logits(
            logit,
            outcome * (1 - smoothing) + smoothing / 2,
            weight=torch.where(outcome == 1, weight1, weight0),
            reduction="sum",
        )
        self.optimizer.zero_grad(set_to_none=True)
        (loss / len(positions)).backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return float(loss.detach())

    def _logit(self, inputs: Tensor) -> Tensor:
        if self.mixed is None:
            return self.network(inputs)  # type: ignore[no-any-return]
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, dtype=self.mixed):
            logit: Tensor = self.network(inputs)
        return logit.float()

    def _inputs(self, positions: NDArray[np.int64]) -> Tensor:
        return self.normalization.apply(
            torch.from_numpy(self.patients.load(positions)).to(self.device)
        )

    @torch.no_grad()
    def _calibrate(self) -> None:
        """Set batch normalization's running statistics from the fitted patients as they are.

        Running averages lag behind weights that changed in every one of few steps, and they saw
        augmented images (precise batch normalization, Wu and Johnson 2021, section 3).
        """
        norms = [m for m in self.network.modules() if isinstance(m, nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain average over all batches
        self.network.train()
        sample = np.random.default_rng(derive(self.seed, "calibration")).permutation(self.fitted)
        sample = sample[:CALIBRATION_PATIENTS]
        steps = steps_per_epoch(len(sample), int(self.settings["batch_size"]))
        for positions in np.array_split(sample, steps):
            self._logit(self._inputs(positions))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum

    @torch.no_grad()
    def _watch(self) -> dict[str, float]:
        """Loss and AUC of the watching patients; keeps the weights if the loss is the best so far."""
        self.network.eval()
        size = int(self.settings["batch_size"])
        logits = [
            self._logit(self._inputs(self.watching[start : start + size])).cpu().numpy()
            for start in range(0, len(self.watching), size)
        ]
        logit = np.concatenate(logits).astype(np.float64)
        outcome = self.patients.outcome[self.watching]
        weight = np.where(outcome == 1, self.weights[1], self.weights[0])
        losses = np.logaddexp(0, logit) - outcome * logit
        loss = float((weight * losses).sum() / weight.sum())
        if not self.history or loss < min(row["validation_loss"] for row in self.history):
            self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        return {"validation_loss": loss, "validation_auc": auc(outcome, logit)}

    def _best_epoch(self) -> int:
        if not len(self.watching) or not self.history:
            return len(self.history)
        return 1 + int(np.argmin([row["validation_loss"] for row in self.history]))

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
            self.network.fc.bias += self.weights[2]
        best = self._best_epoch()
        history = [row | {"best": int(row["epoch"] == best)} for row in self.history]
        outcome = self.patients.outcome
        facts = {
            "patients": len(self.patients),
            "cured": int(outcome.sum()),
            "watching": len(self.watching),
            "size": int(self.patients.images.shape[-1]),
            "epochs": len(history),
            "best_epoch": best,
            "logit_correction": self.weights[2],
            "precision": str(self.mixed or torch.float32),
            "torch": torch.__version__,
        }
        network = self.network.to("cpu", memory_format=torch.contiguous_format).eval()
        return Trained(network, self.normalization, history, facts)


def _seed_libraries(seed: int) -> None:
    """Put every library's own generator in a state that follows from the step."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - whoever still draws from the global one
    random.seed(seed)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Entries under a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _sentence(row: dict[str, Any], total: int) -> str:
    text = f"epoch {row['epoch']} of {total}: training loss {row['train_loss']:.4f}"
    if row["validation_loss"] is not None:
        text += f", watching loss {row['validation_loss']:.4f}, AUC {row['validation_auc']:.3f}"
    return f"{text}, {row['seconds']:.1f} s"
