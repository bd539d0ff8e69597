"""Tests of the maps: whether they agree, and whether what they mark matters for the prediction."""

from typing import Any

import pandas as pd

from thyrocast.config.explanation import CamLayer, CamMethod
from thyrocast.contract.control_names import Compared, Curve, Randomized
from thyrocast.contract.names import GroupKind
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, estimate, label
from thyrocast.report.study import StudyResults

#: Methods in words.
METHODS = {
    CamMethod.GRADCAM: "Grad-CAM",
    CamMethod.HIRESCAM: "HiResCAM",
    CamMethod.GRADCAM_PLUS_PLUS: "Grad-CAM++",
}
#: Networks that are compared: as trained, and with random weights only.
_EXTREMES = (Randomized.NOTHING, Randomized.ALL)
CURVES = {Curve.DELETION: "deletion", Curve.INSERTION: "insertion"}


def verdict(study: StudyResults, design: str) -> str:
    """Compare the median share of all patients with that of random places; empty if there is none.

    Parameters
    ----------
    study, design
        The study, and the design whose maps are compared.
    """
    attention = study.maps[design].attention
    every = attention[(attention["group_kind"] == GroupKind.POOLED) & attention["inside"].notna()]
    if every.empty:
        return ""
    row = every.iloc[0]
    low, high = row["random_low"], row["random_high"]
    shown = (
        f"The median share inside the gland is {numbers.percent(row['inside'])}. The same maps at random places "
        f"reach {numbers.interval(100 * low, 100 * high, 0)} % (5 % to 95 % of the places)"
    )
    if row["inside"] > high:
        middle = (
            ", but not more than the maps of other patients are"
            if row["inside"] <= row["others"]
            else ""
        )
        untrained = _untrained(study, design, high)
        return f"{shown}: the maps are on the gland more than maps at random places are{middle}. {untrained}"
    if row["inside"] < low:
        return f"{shown}: the maps are on the gland less than maps at random places are."
    return f"{shown}: no difference from random places was found, so the share explains nothing."


def _untrained(study: StudyResults, design: str, high: float) -> str:
    """Say whether maps of networks with random weights are on the gland as well.

    Parameters
    ----------
    study, design
        The study, and the design whose maps are compared.
    high
        Share inside the gland that random places seldom exceed.
    """
    rows = study.maps[design].randomization
    rows = rows[rows["n"] >= study.config.evaluation.minimum_count.patients].dropna(subset="inside")
    inside = rows.groupby("split")["randomized"].agg(set) if len(rows) else pd.Series(dtype=object)
    complete = [split for split, steps in inside.items() if {*_EXTREMES} <= steps]
    if not complete:
        return "Maps of networks with random weights were not computed."
    own = rows[rows["split"] == complete[0]].set_index("randomized")["inside"]
    trained, random = (float(own[step]) for step in _EXTREMES)
    text = (
        f"With random weights, the share is {numbers.percent(random)} instead of {numbers.percent(trained)} "
        "(first member, the same patients)"
    )
    if random > high or random >= trained:
        return f"{text}: a network that learned nothing looks there as well, so the share explains nothing."
    return f"{text}."


def sentence(study: StudyResults, design: str) -> str:
    """How alike the maps of a patient are, in the first split; empty if that is not known."""
    rows = _shown(study, study.maps[design].agreement)
    if rows.empty:
        return ""
    first = rows[rows["split"] == rows["split"].iloc[0]]
    parts = [
        f"{_with(row)} {numbers.interval(row['correlation_low'], row['correlation_high'], 2)} "
        f"(quartiles over {numbers.count(row['n'])} patients)"
        for row in first.to_dict("records")
    ]
    where = f", split {rows['split'].iloc[0]}" if len(first) < len(rows) else ""
    text = f"Rank correlation of a patient’s maps{where}: {'; '.join(parts)}."
    if (first["compared"] == Compared.MEMBERS).any():
        text += " Where members disagree, a map shows one network and not what the images contain."
    settings = study.config.explanation
    layer = settings.layer_at(study.config.image.size, study.config.network.architecture)
    if layer is CamLayer.LAYER4 and settings.method is not CamMethod.GRADCAM_PLUS_PLUS:
        text += " After the last block, Grad-CAM and HiResCAM are the same by definition."
    return text


def _with(row: dict[Any, Any]) -> str:
    if row["compared"] == Compared.MEMBERS:
        return "between members"
    return f"with {METHODS[CamMethod(row['method'])]}"


def curves(study: StudyResults, design: str) -> Grid | None:
    """Deletion and insertion curves of each split; None if there are none."""
    body = []
    for (split, curve), rows in study.maps[design].curves.groupby(["split", "curve"], sort=False):
        if len(rows) < study.config.evaluation.minimum_count.patients:
            continue
        places = int(rows["places"].iloc[0])
        better = float((rows["better_than"] == rows["places"]).mean())
        body.append(
            [
                label(str(split)),
                label(CURVES[Curve(str(curve))]),
                Cell(numbers.count(len(rows))),
                Cell(numbers.percent(better), f"by chance: {numbers.percent(1 / (1 + places))}"),
                _quartiles(rows["area"]),
                _quartiles(rows["moved"]),
            ]
        )
    header = (
        "Split", "Curve", "Patients", "Map better than at all random places",
        "Probability of cure along the curve", "Same maps at random places",
    )  # fmt: skip
    note = (
        "The pixels that a map marks first are deleted (set to the image’s median), or are inserted into a blurred "
        "image, and the first member’s network predicts again (Petsiuk et al. 2018). A map that shows what raises the "
        "prediction has a lower probability of cure along the deletion, and a higher one along the insertion, than the same "
        "map at random places. "
        "Medians (first to third quartile). Such images are unlike any scintigram; the network may answer to "
        "that. The gland is bright, so that any map on the gland changes more pixels than one beside it."
    )
    return Grid("Deletion and insertion", header, body, note) if body else None


def _quartiles(values: "pd.Series[float]") -> Cell:
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return estimate(middle, low, high, 3)


def _shown(study: StudyResults, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows about enough patients."""
    found: pd.DataFrame = rows[rows["n"] >= study.config.evaluation.minimum_count.patients]
    return found
