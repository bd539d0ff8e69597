"""Tables of the controls: sources, planted effects, center probe and leaky twins."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from thyrocast.contract.control_names import (
    ALARM,
    Control,
    ControlFinding,
    ControlKind,
    Harmonized,
    LeakyTwin,
    ProbeSource,
)
from thyrocast.contract.names import ALL_SPLITS, GroupKind, Metric, Status
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label, sizes

Row = Mapping[Hashable, Any]

CONTROLS: Mapping[str, str] = {
    Control.WHOLE_IMAGE: "Whole image",
    Control.GLAND_ALONE: "Gland alone",
    Control.GLAND_MASKED: "Gland masked out",
    Control.BACKGROUND_ALONE: "Background alone",
    Control.ACQUISITION: "Acquisition alone",
    Control.COUNTS: "Counts and quality alone",
    Control.NOISE: "Noise in place of embeddings",
    Control.PLANTED_MARKER: "Marker in the images of cured patients",
    Control.PLANTED_FEATURE: "Feature that shows the outcome",
}
DETAILS: Mapping[str, str] = {
    Control.GLAND_MASKED: "its outline remains",
    Control.BACKGROUND_ALONE: "where no patient has gland",
    Control.ACQUISITION: "camera, matrix, pixel, duration, injected activity, delay",
    Control.COUNTS: "which depend on uptake",
    Control.NOISE: "ridge, mean of the draws",
    Control.PLANTED_FEATURE: "among the embeddings, LASSO",
}
TRAINED_ON: Mapping[str, str] = {
    Control.WHOLE_IMAGE: "the networks of the study",
    Control.GLAND_ALONE: "nothing outside",
    Control.GLAND_MASKED: DETAILS[Control.GLAND_MASKED],
    Control.BACKGROUND_ALONE: DETAILS[Control.BACKGROUND_ALONE],
}
FINDINGS: Mapping[str, str] = {
    ControlFinding.CHANCE: "not shown to be above chance",
    ControlFinding.ABOVE_CHANCE: "above chance",
    ControlFinding.FOUND: "found",
    ControlFinding.NOT_FOUND: "not found",
    ControlFinding.BETTER_THAN_GLAND: "better than the gland",
    ControlFinding.NOT_BETTER: "not shown to be better than the gland",
    ControlFinding.NONE: "",
}
FAULTS: Mapping[str, str] = {
    LeakyTwin.SELECTION: "Features selected before the division",
    LeakyTwin.TUNING: "Number of features tuned on test patients",
    LeakyTwin.THRESHOLD: "Threshold chosen on test patients",
    LeakyTwin.IN_SAMPLE: "Scored on the patients used for fitting",
    LeakyTwin.DUPLICATES: "Second images of test patients in training",
    LeakyTwin.SCALING: "Features scaled with all patients",
    LeakyTwin.HARMONIZATION: "Features scaled within centers, with all patients",
}
PROBES: Mapping[str, str] = {
    ProbeSource.EMBEDDINGS: "Embeddings",
    ProbeSource.WHOLE_IMAGE: "Whole image",
    ProbeSource.QUANTITIES: "Quantities of the image",
}
HARMONIZED: Mapping[str, str] = {
    Harmonized.NONE: "",
    Harmonized.ZSCORE: "centers made alike, z-score",
    Harmonized.COMBAT: "centers made alike, ComBat",
}


def _undecided(row: Row) -> bool:
    """Whether no alarm was possible: p is at least 1 / (1 + permutations)."""
    count = row.get("permutations")
    possible = not numbers.is_number(count) or 1 / (1 + count) <= ALARM
    return bool(row["finding"] == ControlFinding.CHANCE) and not possible


def _finding(row: Row) -> Cell:
    if _undecided(row):
        return label(
            f"no alarm possible: {numbers.count(row['permutations'])} permutations are too few"
        )
    return label(FINDINGS[str(row["finding"])])


def _name(row: Row) -> Cell:
    return label(CONTROLS[str(row["control"])], DETAILS.get(str(row["control"]), ""))


def _auc(row: Row) -> Cell:
    known = row["status"] == Status.ESTIMATED
    return Cell(numbers.number(row["auc"]), "" if known else str(row["note"]), number=known)


def sources(rows: pd.DataFrame) -> Grid:
    """What each source predicts in all development patients."""
    natural = rows[rows["kind"] != ControlKind.POSITIVE].to_dict("records")
    return Grid(
        "One source alone (cross-validated in development patients)",
        ["Source", "AUC", "AUC after permutation", "p", "Finding", "Patients"],
        [
            [
                _name(row), _auc(row),
                Cell(numbers.number(row["null_mean"]), numbers.interval(row["null_low"], row["null_high"])),
                Cell(numbers.p_value(row["p_value"])),
                _finding(row), sizes(row),
            ]
            for row in natural
        ],
        "Ridge regression on 12 × 12 blocks of the image, or on the columns: networks are not trained "
        "here. The background is not empty: the activity of the body and of salivary glands, and scattered "
        "photons, depend on the gland. It should not predict better than the gland (DeLong, paired, "
        "p ≤ 0.01). The acquisition is reported as above chance if p ≤ 0.01: one false alarm in a hundred such rows. "
        "A source without an alarm may have an effect that these patients are too few to show. AUC after permutation: mean, and the range of "
        "the middle 95 %; not computed (–) for sources that are shown for comparison only.",
    )  # fmt: skip


def networks(rows: pd.DataFrame) -> Grid | None:
    """What networks predict that were trained on parts of the images; None if none were."""
    if rows.empty:
        return None
    total = rows[rows["split"] == ALL_SPLITS] if (rows["split"] == ALL_SPLITS).any() else rows
    return Grid(
        "Networks trained on parts of the images (test)",
        ["Trained on", "AUC", "Minus whole image", "Finding", "Patients"],
        [
            [
                label(CONTROLS[str(row["control"])], TRAINED_ON[str(row["control"])]),
                Cell(_auc(row).text, numbers.interval(row["ci_low"], row["ci_high"]) or _auc(row).detail),
                Cell(
                    numbers.number(row["difference"]),
                    numbers.interval(row["difference_low"], row["difference_high"]),
                ),
                _finding(row), sizes(row),
            ]
            for row in total.to_dict("records")
        ],
        f"All networks of a split ({numbers.count(total['networks'].max())}) were trained again on each part, with the same settings and seeds. "
        "AUC of the mean of their log-odds before recalibration, with 95 % intervals; it can differ from that of the "
        "network elsewhere in this report. The intervals take the trained networks as given: another seed would give other values.",
    )  # fmt: skip


def by_center(rows: pd.DataFrame) -> Grid:
    """The same in each center."""
    natural = rows[rows["kind"] != ControlKind.POSITIVE]
    centers = [str(name) for name in natural["group"].unique()]
    records = natural.to_dict("records")
    by_name = {(str(row["control"]), str(row["group"])): row for row in records}
    controls = [str(name) for name in natural["control"].unique()]
    known = natural[natural["n"].notna()].drop_duplicates("group").set_index("group")["n"]
    sizes_of = {
        name: f" ({numbers.count(known[name])} patients)" for name in centers if name in known
    }
    return Grid(
        "One source alone, by center (AUC)",
        ["Source", *(f"{name}{sizes_of.get(name, '')}" for name in centers)],
        [
            [
                label(CONTROLS[control], DETAILS.get(control, "")),
                *(_in_center(by_name[control, center]) for center in centers),
            ]
            for control in controls
        ],
        "A marker in the images of one center, such as a label of treated patients, would show in the "
        "background of this center. There are no intervals: with few patients, an AUC is far from its true value by chance.",
    )


def _in_center(row: Row) -> Cell:
    if row["status"] != Status.ESTIMATED:
        return _auc(row)
    finding = str(row["finding"])
    told = (ControlFinding.ABOVE_CHANCE, ControlFinding.BETTER_THAN_GLAND)
    return Cell(numbers.number(row["auc"]), FINDINGS[finding] if finding in told else "")


def alarms(*tables: pd.DataFrame) -> list[str]:
    """Sentences about what should not have been found, or was not found."""
    return [sentence for table in tables for sentence in _alarms(table)]


def checked(*tables: pd.DataFrame) -> int:
    """Number of controls with a finding: what had enough patients, and could have raised an alarm."""
    return sum(
        row["finding"] != ControlFinding.NONE and not _undecided(row)
        for table in tables
        for row in table.to_dict("records")
    )


def _alarms(rows: pd.DataFrame) -> Iterator[str]:
    several = "split" in rows and (rows["split"] == ALL_SPLITS).any()
    for row in rows.to_dict("records"):
        name = CONTROLS[str(row["control"])]
        if "networks" in row:
            name = f"Networks trained on a part: {name}"
        where = "all patients"
        if row.get("group_kind", GroupKind.POOLED) != GroupKind.POOLED:
            where = str(row["group"])
        elif "networks" in row and several and row["split"] != ALL_SPLITS:
            where = f"split {row['split']}"
        area = numbers.number(row["auc"])
        if row["finding"] == ControlFinding.ABOVE_CHANCE:
            yield f"{name}, {where}: AUC {area}, above chance. Nothing in it should show the outcome."
        elif row["finding"] == ControlFinding.BETTER_THAN_GLAND:
            yield (
                f"{name}, {where}: AUC {area}, better than the gland itself. Look for what distinguishes "
                "the images of cured patients outside of the gland, such as a marker or another protocol."
            )
        elif row["finding"] == ControlFinding.NOT_FOUND:
            yield (
                f"{name}, {where}: planted, but not found (AUC {area}). With these patients the methods "
                "would miss such an effect."
            )  # fmt: skip


def planted(sources: pd.DataFrame, embedded: pd.DataFrame) -> Grid:
    """Noise in place of embeddings, and what was planted."""
    rows: list[list[Cell]] = []
    for row in embedded.to_dict("records"):
        rows.append([
            _name(row), Cell(_auc(row).text, numbers.interval(row["ci_low"], row["ci_high"]) or _auc(row).detail),
            _finding(row), sizes(row),
        ])  # fmt: skip
    for row in sources[sources["kind"] == ControlKind.POSITIVE].to_dict("records"):
        title = label(CONTROLS[str(row["control"])], f"center {row['group']}, copies of the images")
        rows.append([title, _auc(row), _finding(row), sizes(row)])
    return Grid(
        "Noise and planted effects",
        ["Control", "AUC", "Finding", "Patients"],
        rows,
        "Noise: the interval (99 %) of the mean of 20 draws must not be above 0.5 as a whole. A planted effect is found "
        "from an AUC of 0.9.",
    )


def probe(rows: pd.DataFrame) -> Grid:
    """How well the center is predicted."""
    return Grid(
        "Center probe: predicting the center of a training patient",
        ["From", "Right center", "By chance", "AUC", "Patients"],
        [
            [
                label(PROBES[str(row["source"])], HARMONIZED[str(row["harmonization"])]),
                Cell(
                    numbers.percent(row["accuracy"]),
                    f"{numbers.percent(row['ci_low'])} to {numbers.percent(row['ci_high'])}"
                    if row["status"] == Status.ESTIMATED else str(row["note"]),
                ),
                Cell(numbers.percent(row["chance"])),
                Cell(numbers.number(row["auc"])),
                Cell(numbers.count(row["n"]), f"{numbers.count(row['centers'])} centers"),
            ]
            for row in rows.to_dict("records")
        ],
        "Averaged over centers, with 95 % intervals by bootstrap of patients; AUC: of each center against the others. What predicts the center can represent its camera, its patients and its "
        "cure rate; a model that uses it may fail in the next hospital. Centers made alike: mean and standard "
        "deviation of every feature are equal in all centers before (ComBat: nearly equal, as both are shrunken "
        "towards those of the center's other features). This is for comparison; no model of this study does it.",
    )  # fmt: skip


def twins(rows: pd.DataFrame) -> Grid:
    """How much each fault inflates the result."""
    body = []
    for fault, part in rows.groupby("fault", sort=False):
        found = {str(row["outcomes"]): row for row in part.to_dict("records")}
        metric = "accuracy" if found["observed"]["metric"] == Metric.ACCURACY else "AUC"
        body.append([
            label(FAULTS[str(fault)], metric),
            *_change(found["observed"]),
            *_change(found["permuted"]),
            _scored(found["observed"], fault),
        ])  # fmt: skip
    return Grid(
        "Leaky twins: one fault each",
        ["Fault", "Observed outcomes", "Inflation", "Permuted outcomes", "Inflation", "Scored"],
        body,
        "Honest analysis: 16 features, selected by correlation in training patients, in a logistic "
        "regression. Each cell: honest → with the fault. Permuted outcomes have no signal: an honest AUC "
        "is chance, or somewhat below it where it is cross-fitted, so the inflation is the fault’s alone (mean of "
        f"{numbers.count(rows['permutations'].max())} permutations). Intervals (95 %): with observed "
        "outcomes over the patients who are scored, with permuted ones of the mean over permutations.",
    )


def _scored(row: Row, fault: object) -> Cell:
    """Number of scored patients, and of those used for fitting."""
    if not numbers.is_number(row["n"]):
        return Cell(numbers.MISSING)
    kind = "training" if fault == LeakyTwin.IN_SAMPLE else "test"
    return Cell(
        f"{numbers.count(row['n'])} {kind}", f"fitted to {numbers.count(row['n_train'])}", number=False
    )  # fmt: skip


def _change(row: Row) -> list[Cell]:
    if row["status"] != Status.ESTIMATED:
        return [Cell(numbers.MISSING, str(row["note"]), number=False), Cell(numbers.MISSING)]
    pair = f"{numbers.number(row['honest'])} → {numbers.number(row['faulty'])}"
    size = Cell(numbers.number(row["inflation"]), numbers.interval(row["ci_low"], row["ci_high"]))
    return [Cell(pair), size]


def noise_auc(rows: pd.DataFrame) -> str:
    """AUC of selection before the division, with permuted outcomes; empty if it is not known."""
    chosen = rows[(rows["fault"] == LeakyTwin.SELECTION) & (rows["outcomes"] == "permuted")]
    found = chosen.loc[chosen["status"] == Status.ESTIMATED, "faulty"]
    return numbers.number(found.iloc[0]) if len(found) else ""
