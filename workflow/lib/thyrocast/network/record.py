"""Results of a training: the network, and a record of each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from thyrocast.network.model import Network, Normalization

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Epoch:
    """One epoch, by the names of `thyrocast.contract.splits.HISTORY`.

    Attributes
    ----------
    epoch
        Number, from 1.
    learning_rate
        Learning rate of its last step.
    train_loss
        Mean loss of the patients used for fitting.
    validation_loss, validation_auc
        Loss and AUC of the patients held out for early stopping; None if there are none.
    seconds
        Duration, s.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    validation_loss: float | None
    validation_auc: float | None
    seconds: float

    def sentence(self, total: int) -> str:
        """Describe the epoch for the log, as one of `total` epochs."""
        text = f"epoch {self.epoch} of {total}: training loss {self.train_loss:.4f}"
        if self.validation_loss is not None:
            text += f", validation loss {self.validation_loss:.4f}, AUC {self.validation_auc:.3f}"
        return f"{text}, {self.seconds:.1f} s"


@dataclass(frozen=True)
class Facts:
    """Facts about the training that are stored in the weights file.

    Attributes
    ----------
    origin
        Where the initial weights come from.
    patients, cured
        Training patients, and those of them who were cured.
    watching
        Training patients held out for early stopping.
    size
        Pixels per side of an image.
    epochs, best_epoch
        Epochs that were run, and the one whose weights were kept.
    logit_correction
        Number that was added to the logit to correct for the class weights of the loss.
    precision
        Number format of the computations.
    processes
        Processes that trained together.
    torch
        Version of PyTorch.
    """

    origin: str
    patients: int
    cured: int
    watching: int
    size: int
    epochs: int
    best_epoch: int
    logit_correction: float
    precision: str
    processes: int
    torch: str


@dataclass(frozen=True)
class Trained:
    """Result of a training.

    Attributes
    ----------
    network
        Trained network on the CPU, in evaluation mode; its logit is corrected for class weights.
    normalization
        Normalization of the member's training patients.
    history
        Records of the epochs.
    facts
        Facts for the weights file.
    state
        Folder of the training's state, to be removed after the result is written.
    """

    network: Network
    normalization: Normalization
    history: tuple[Epoch, ...]
    facts: Facts
    state: Path


def history_table(history: Sequence[Epoch], best_epoch: int) -> pd.DataFrame:
    """Return the HISTORY table of these epochs."""
    from thyrocast.contract import io
    from thyrocast.contract.splits import HISTORY

    return io.build(HISTORY, [asdict(e) | {"best": e.epoch == best_epoch} for e in history])
