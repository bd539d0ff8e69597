"""What a training leaves: its network, and the story of its epochs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thyrocast.network.model import Normalization, ScintigramResNet50

HISTORY = (
    "epoch",
    "learning_rate",
    "train_loss",
    "validation_loss",
    "validation_auc",
    "seconds",
    "best",
)


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


def sentence(row: dict[str, Any], total: int) -> str:
    """Tell one epoch."""
    text = f"epoch {row['epoch']} of {total}: training loss {row['train_loss']:.4f}"
    if row["validation_loss"] is not None:
        text += f", watching loss {row['validation_loss']:.4f}, AUC {row['validation_auc']:.3f}"
    return f"{text}, {row['seconds']:.1f} s"
