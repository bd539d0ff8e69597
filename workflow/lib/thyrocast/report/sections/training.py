"""The section on the training of the networks."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from thyrocast.contract.names import Set
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, Key, Panel, label
from thyrocast.report import split_panels
from thyrocast.report.figures import training_figures
from thyrocast.report.sections import pretraining_value
from thyrocast.report.split_panels import MOST_SPLITS
from thyrocast.report.study import SplitResults, StudyResults

_TRAINING = Key("muted", "", "training loss")
_VALIDATION = Key("network", "", "validation loss")
_HEADER = (
    "Split", "Network", "Epochs", "Kept", "Training loss", "Validation loss", "Validation AUC",
    "Seconds",
)  # fmt: skip


@dataclass(frozen=True)
class TrainingSection:
    """Training curves of each split, and the epoch that was kept of every network.

    Attributes
    ----------
    panels, legend
        Figures.
    grid
        The kept epochs; None if there are no networks.
    note
        How many splits are shown, if not all.
    validated
        Whether any network had validation patients.
    pretraining
        What simulated scintigrams contribute, in sentences.
    """

    panels: Sequence[Panel]
    legend: Sequence[Key]
    grid: Grid | None
    note: str
    validated: bool
    pretraining: Sequence[str]


def training_section(study: StudyResults) -> TrainingSection:
    """Training of the networks of the first splits."""
    trained = [split for split in study.splits if split.histories]
    shown = trained[:MOST_SPLITS]
    panels = []
    rows = []
    for split in shown:
        title = split_panels.title(split)
        name = split_panels.figure_name(split, "history")
        panels.append(Panel(title, training_figures.history(name, title, split.histories)))
        enough = _validated(study, split) >= study.config.evaluation.minimum_count.patients
        rows += [
            _kept(title, member, history, with_auc=enough)
            for member, history in split.histories.items()
        ]
    validated = any(
        history["validation_loss"].notna().any()
        for split in study.splits
        for history in split.histories.values()
    )
    return TrainingSection(
        panels=panels,
        legend=(_TRAINING, _VALIDATION) if validated else (_TRAINING,),
        grid=Grid("Networks: the epoch that was kept", _HEADER, rows) if rows else None,
        note=split_panels.shown_of(shown, len(trained)),
        validated=validated,
        pretraining=pretraining_value.sentences(study),
    )


def _validated(study: StudyResults, split: SplitResults) -> float:
    """How many patients a member of a split at least validates its epochs on."""
    division = study.division
    train = division[
        (division["design"] == split.design)
        & (division["split"] == split.name)
        & (division["set"] == Set.TRAIN)
    ]
    share = study.config.network.early_stopping.fraction
    return share * len(train) * (1 - 1 / study.config.folds)


def _kept(title: str, member: str, history: pd.DataFrame, *, with_auc: bool) -> list[Cell]:
    best = history[history["best"]]
    kept = (history if best.empty else best).iloc[-1]
    return [
        label(title),
        label(member),
        Cell(numbers.count(len(history))),
        Cell(numbers.count(kept["epoch"])),
        Cell(numbers.number(kept["train_loss"], 3)),
        Cell(numbers.number(kept["validation_loss"], 3)),
        # The AUC of a few patients would say how they are ordered.
        Cell(numbers.number(kept["validation_auc"] if with_auc else None)),
        Cell(numbers.number(history["seconds"].sum(), 0)),
    ]
