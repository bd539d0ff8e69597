"""Patients in whom a feature of the signature is highest and lowest, for the internal page."""

from collections.abc import Hashable, Mapping
from typing import Any

from thyrocast.contract.splits import End
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label
from thyrocast.report import split_panels
from thyrocast.report.sections.signatures import MOST_NAMED
from thyrocast.report.split_panels import MOST_SPLITS
from thyrocast.report.study import SplitResults, StudyResults

_ENDS = {End.HIGHEST: "highest", End.LOWEST: "lowest"}
_OUTCOMES = {1: "cured", 0: "not cured"}


def activating_grid(study: StudyResults) -> Grid | None:
    """Training patients at both ends of the most important features of each split's first member.

    Returns
    -------
    Grid or None
        One row per feature and end; None if no feature was selected.
    """
    outcomes = study.cohort.set_index("patient")["outcome"].astype(object)
    known = {str(name): _OUTCOMES[int(found)] for name, found in outcomes.dropna().items()}
    body: list[list[Cell]] = []
    for split in [one for one in study.splits if not one.activating.empty][:MOST_SPLITS]:
        for feature in _important(split):
            rows = split.activating[
                (split.activating["member"] == split.features["member"].iloc[0])
                & (split.activating["feature"] == feature)
            ]
            for end, part in rows.groupby("end", sort=False):
                body.append(
                    [
                        label(split_panels.title(split)),
                        Cell(str(feature)),
                        label(_ENDS[End(str(end))]),
                        *(
                            _patient(study, row, known)
                            for row in part.sort_values("rank").to_dict("records")
                        ),
                    ]
                )
    note = (
        "Training patients, with center, outcome, and the value in standard deviations from the mean of the training "
        "patients. Standardized scintigrams; larger ones are on the check pages of their centers."
    )
    most = max((len(row) for row in body), default=3) - 3
    for row in body:
        row += [label("")] * (most - (len(row) - 3))
    header = ["Split", "Feature", "Values", *(f"Patient {i}" for i in range(1, most + 1))]
    return (
        Grid("Patients at both ends of the signature’s features", header, body, note)
        if body
        else None
    )


def _patient(study: StudyResults, row: Mapping[Hashable, Any], known: Mapping[str, str]) -> Cell:
    """A patient with the scintigram."""
    patient = str(row["patient"])
    facts = f"{row['center']}, {known.get(patient, 'not known')}, {numbers.number(row['value'], 1)}"
    drawn = study.scintigrams.picture(patient) if study.scintigrams else ""
    return Cell(patient, facts, number=False, picture=drawn)


def _important(split: SplitResults) -> list[int]:
    """The most important features of the first member."""
    if split.features.empty:
        return []
    own = split.features[split.features["member"] == split.features["member"].iloc[0]]
    return [
        int(f) for f in own.sort_values("importance", ascending=False)["feature"].head(MOST_NAMED)
    ]
