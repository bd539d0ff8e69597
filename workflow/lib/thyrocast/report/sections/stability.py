"""Stability: how far results move if the models are fitted again."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thyrocast.contract.names import ALL_SPLITS, Status
from thyrocast.contract.stability import (
    AVERAGING,
    CURVE,
    MODELS,
    SELECTION,
    VARIANCE,
    AveragedUnit,
    StabilityMeasure,
    VarianceSource,
)
from thyrocast.pages import drawing, numbers, palette
from thyrocast.pages.parts import Cell, Grid, Panel, label, sizes
from thyrocast.report import scores, words
from thyrocast.report.study import StudyResults

Row = Mapping[Hashable, Any]

#: Id and title of the section.
SECTION = ("stability", "Stability")
#: A standard deviation of fewer trainings is said to be uncertain: with 5, its 95 % interval is 0.6 to 2.9 times its value.
ENOUGH = 5
_FEW = " So few trainings give a very uncertain standard deviation."
#: Sources of variance that the report's intervals leave out and that are estimated.
LEFT_OUT = (VarianceSource.TRAINING_PATIENTS, VarianceSource.SEED)


@dataclass(frozen=True)
class StabilitySection:
    """The stability of a study's models.

    Attributes
    ----------
    what
        What was done, in a sentence.
    panels
        The instability plot of the main model.
    models
        How far performance and predictions of each model move.
    left_out
        How much wider the intervals of the AUC would be, in a sentence.
    networks
        What is known about other trainings of the networks, in a sentence.
    sources
        Standard deviation of the AUC by source.
    averaging
        AUC by the number of members and trainings that are averaged; empty if there is only one member.
    selection
        Stability of the selected features.
    """

    what: str
    panels: Sequence[Panel]
    models: Grid
    left_out: str
    networks: str
    sources: Grid
    averaging: Grid
    selection: Grid


def stability_section(study: StudyResults) -> StabilitySection | None:
    """The section about stability; None if it was not assessed."""
    table = study.tables.get(MODELS.name)
    if table is None or table.empty:
        return None
    design = str(table["design"].iloc[0])
    rows = _overall(table)
    variance = study.tables[VARIANCE.name]
    samples = numbers.count(rows["resamples"].max())
    what = (
        f"These models of the design “{words.design(design)}” were fitted again to {samples} bootstrap "
        "samples of their training patients, with selection, penalties, forest, recalibration and "
        "threshold, and predicted the same test patients (Riley and Collins 2023). Networks were not."
    )
    main = scores.main_model(study, design)
    return StabilitySection(
        what=what,
        panels=_panels(study.tables[CURVE.name], main, study.config.evaluation.decision.reference),
        models=_models(rows),
        left_out=_left_out(variance, main),
        networks=_networks(variance, study.tables[AVERAGING.name]),
        sources=_sources(variance),
        averaging=_averaging(study.tables[AVERAGING.name]),
        selection=_selection(study.tables[SELECTION.name]),
    )


def _overall(table: pd.DataFrame) -> pd.DataFrame:
    """Rows over all splits, or of the only one."""
    if (table["split"] == ALL_SPLITS).any():
        return table[table["split"] == ALL_SPLITS]
    return table


def _models(rows: pd.DataFrame) -> Grid:
    by_model: dict[str, dict[str, Row]] = {}
    for row in rows.to_dict("records"):
        by_model.setdefault(str(row["model"]), {})[str(row["measure"])] = row
    return Grid(
        "Models fitted again (test)",
        ["Model", "AUC", "Calibration slope", "Change of a probability", "Other decision", "Patients"],
        [
            [
                label(words.model(model)),
                _score(found[StabilityMeasure.AUC]),
                _score(found[StabilityMeasure.CALIBRATION_SLOPE]),
                _of_patients(found[StabilityMeasure.MAPE], numbers.number),
                _of_patients(found[StabilityMeasure.CLASSIFICATION_INSTABILITY], numbers.percent),
                sizes(found[StabilityMeasure.MAPE]),
            ]
            for model, found in by_model.items()
        ],
        "AUC and slope: of the study’s model, and the range of the middle 95 % of the refitted models, or "
        "their mean if there are several splits, whose training patients overlap; a "
        "bootstrap sample has fewer different patients, so that refitted models are on average worse. "
        "Change of a probability (MAPE): mean absolute difference between the probability of a patient by "
        "the study’s model and by refitted models, averaged over patients, with the range of the middle "
        "95 % of patients. Other decision: share of the refitted models that decide differently.",
    )  # fmt: skip


def _score(row: Row) -> Cell:
    if row["status"] != Status.ESTIMATED:
        return Cell(numbers.MISSING, str(row["note"]), number=False)
    if not numbers.is_number(row["low"]):  # over several splits
        return Cell(numbers.number(row["original"]), f"refitted: {numbers.number(row['mean'])}")
    return Cell(numbers.number(row["original"]), numbers.interval(row["low"], row["high"]))


def _of_patients(row: Row, shown: Any) -> Cell:
    if row["status"] != Status.ESTIMATED:
        return Cell(numbers.MISSING, str(row["note"]), number=False)
    return Cell(shown(row["mean"]), f"{shown(row['low'])} to {shown(row['high'])}")


def _deviations(variance: pd.DataFrame, model: str) -> dict[str, float]:
    """Variance of a model's AUC by source, averaged over splits; only what was estimated."""
    rows = variance[
        (variance["model"] == model)
        & (variance["quantity"] == "auc")
        & (variance["status"] == Status.ESTIMATED)
    ]
    found = {str(name): float(part["variance"].mean()) for name, part in rows.groupby("source")}
    if found.get(VarianceSource.TEST_PATIENTS) == 0:
        # All patients have one probability, or the ranking is perfect: the formula gives 0, which is not known.
        del found[VarianceSource.TEST_PATIENTS]
    return found


def _splits(variance: pd.DataFrame) -> int:
    return len(set(variance["split"]) - {ALL_SPLITS})


def _left_out(variance: pd.DataFrame, model: str) -> str:
    # The interval of several splits is no mean of theirs: test sets differ, training sets overlap.
    if _splits(variance) > 1:
        return "How much wider they would be is not given for several splits, whose training patients overlap."
    found = _deviations(variance, model)
    added = [*LEFT_OUT, *(s for s in (VarianceSource.NETWORK_SEED,) if s in found)]
    inside = found.get(VarianceSource.TEST_PATIENTS, 0.0)
    if inside <= 0 or not all(name in found for name in LEFT_OUT):
        return f"How much wider that of the AUC of “{words.model(model)}” would be cannot be estimated."
    factor = np.sqrt((inside + sum(found[name] for name in added)) / inside)
    networks = ", and networks of another seed" if len(added) > len(LEFT_OUT) else ""
    return (
        f"The interval of the AUC of “{words.model(model)}” would be about {numbers.number(factor)} times as wide, if it also "
        f"included other training patients and seeds of tuning folds and forests{networks}."
    )


def _networks(variance: pd.DataFrame, averaging: pd.DataFrame) -> str:
    """What the figures contain of the networks' training."""
    rows = variance[variance["source"] == VarianceSource.NETWORK_SEED]
    if (rows["status"] == Status.ESTIMATED).any():
        more = int(averaging["trainings"].max()) - 1
        times = (
            "once more with another seed" if more == 1 else f"{more} more times with other seeds"
        )
        return (
            f"Networks were trained {times}, on the same patients: "
            f"“Networks” is what this moves.{_FEW if more < ENOUGH - 1 else ''} No figure here contains the effect of the patients on whom "
            "networks were trained."
        )
    return (
        "Networks were not trained again, so that no figure here contains the effect of their seed and "
        "of the patients on whom they were trained."
    )


def _averaging(rows: pd.DataFrame) -> Grid:
    """Mean AUC of one and of all members and trainings, averaged over splits."""
    body = []
    for model, part in rows.groupby("model", sort=False):
        found = {str(unit): several for unit, several in part.groupby("unit")}
        if part["averaged"].max() == 1:  # nothing is averaged
            continue
        cells = [_of_count(found.get(unit), first) for unit, first in _AVERAGED]
        body.append([label(words.model(str(model))), *cells])
    several = len(rows["split"].unique()) > 1
    return Grid(
        "AUC of averaged members and trainings (test)",
        ["Model", "One member", "All members", "All trainings"],
        body,
        ("Averaged over splits. " if several else "")
        + "The log-odds of members are averaged in the report's models. One member: mean of the AUC of each, "
        "and of each training. All members: of one training, averaged over trainings if there are several. All "
        "trainings: the log-odds of all of them averaged, which costs as many times the training.",
    )


_AVERAGED = (
    (AveragedUnit.MEMBER, True),
    (AveragedUnit.MEMBER, False),
    (AveragedUnit.TRAINING, False),
)


def _of_count(rows: pd.DataFrame | None, first: bool) -> Cell:
    """Cell with the AUC of one, or of as many as there are."""
    if rows is None:
        return Cell(numbers.MISSING)
    most = int(rows["averaged"].max())
    found = rows[rows["averaged"] == (1 if first else most)]
    return Cell(numbers.number(float(found["auc"].mean()), 3), "" if first else f"{most} averaged")


def _sources(variance: pd.DataFrame) -> Grid:
    names = {
        VarianceSource.TEST_PATIENTS: "Test patients",
        VarianceSource.TRAINING_PATIENTS: "Training patients",
        VarianceSource.SEED: "Seed",
        VarianceSource.NETWORK_SEED: "Networks",
        VarianceSource.SPLIT: "Split",
    }
    models = [str(name) for name in variance["model"].unique()]
    body = []
    for model in models:
        found = _deviations(variance, model)
        cells = [
            Cell(numbers.number(np.sqrt(found[name]), 3) if name in found else numbers.MISSING)
            for name in names
        ]
        body.append([label(words.model(model)), *cells])
    of = "Of one split, averaged over splits. " if _splits(variance) > 1 else ""
    return Grid(
        "Standard deviation of the AUC, by source",
        ["Model", *names.values()],
        body,
        f"{of}Test patients: what the report’s intervals contain (DeLong). Training patients: between bootstrap "
        "samples. Seed: tuning folds and forests, between fits to the same sample. Networks: between trainings of the networks with other seeds. Split: what remains "
        "between at least three splits, which share training patients. –: not estimated, which is not 0.",
    )


def _selection(rows: pd.DataFrame) -> Grid:
    several = len(rows["split"].unique()) > 1
    return Grid(
        "Features that the LASSO of the signature selects",
        ["Member", "Stability", "Selected features", "Selected in at least 80 % of samples"],
        [
            [
                label(f"{row['split']}, {row['member']}" if several else str(row["member"])),
                Cell(
                    numbers.number(row["stability"]),
                    numbers.interval(row["ci_low"], row["ci_high"])
                    if row["status"] == Status.ESTIMATED else str(row["note"]),
                ),
                Cell(
                    numbers.number(row["features"], 0),
                    f"{numbers.number(row['features_low'], 0)} to {numbers.number(row['features_high'], 0)}",
                ),
                Cell(numbers.count(row["often"])),
            ]
            for row in rows.to_dict("records")
        ],
        "Index of Nogueira, Sechidis and Brown (2018) over the bootstrap samples: 1 if the same features "
        "are always selected, 0 if they agree as random ones. Its 95 % interval accounts for the limited number of "
        "bootstrap samples only, not for other patients. Selected features: mean, and the range of the middle 95 % of samples. Correlated features replace each other, so that a low index does not mean "
        "that predictions are unstable.",
    )  # fmt: skip


def _panels(curve: pd.DataFrame, model: str, reference: float) -> list[Panel]:
    rows = curve[curve["model"] == model]
    if rows.empty:
        return []
    with drawing.panel(height=280) as (figure, (axes,)):
        for _, part in rows.groupby("split", sort=False):
            axes.fill_between(
                part["probability"], part["low"], part["high"],
                color=palette.light("muted"), alpha=0.3, linewidth=0,
            )  # fmt: skip
        axes.plot([0, 1], [0, 1], color=palette.light("ink"), linewidth=1)
        axes.axvline(reference, color=palette.light("muted"), linewidth=1, linestyle=":")
        axes.set(xlim=(0, 1), ylim=(0, 1))
        axes.set(xlabel="Probability by the study’s model", ylabel="By the refitted models")
        widest = float((rows["high"] - rows["low"]).max())
        text = (
            f"Instability plot of {words.model(model)}: the middle 95 % of the refitted models span up to "
            f"{numbers.number(widest)}."
        )
        svg = drawing.svg(figure, "stability-instability", text)
    note = (
        "Band: the middle 95 % of the refitted models, averaged over groups of patients. Diagonal: no change. Dotted: "
        "the threshold probability."
    )
    return [Panel(f"Instability plot: {words.model(model)}", svg, note=note)]
