"""Centers and subgroups: who belongs to them, and which are too small to be reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from thyrocast.evaluation.sample import Sample
from thyrocast.statistics.inputs import Booleans

Labels = Mapping[str, str]


def label(text: str, cuts: Sequence[float]) -> str:
    """Name of the subgroup of a cell: its category, or its place between the cuts.

    Examples
    --------
    >>> label("35", [40]), label("40", [40]), label("", [40]), label("50", [40, 60])
    ('<40', '>=40', 'missing', '40-<60')
    """
    if not text.strip():
        return "missing"
    if not cuts:
        return text
    try:
        value = float(text)
    except ValueError:
        return "missing"
    ordered = sorted(cuts)
    above = sum(value >= cut for cut in ordered)
    if above == 0:
        return f"<{ordered[0]:g}"
    if above == len(ordered):
        return f">={ordered[-1]:g}"
    return f"{ordered[above - 1]:g}-<{ordered[above]:g}"


def labels(
    cohort: Sequence[Mapping[str, str]], subgroups: Mapping[str, Sequence[float]]
) -> dict[str, Labels]:
    """For each subgroup column, the label of every patient."""
    return {
        column: {row["patient"]: label(row.get(column, ""), cuts) for row in cohort}
        for column, cuts in subgroups.items()
    }


def divide(
    sample: Sample, names: Sequence[str], least: Mapping[str, int]
) -> dict[str, Booleans | None]:
    """Patients of each group of one division; None for a group that is not reported.

    Parameters
    ----------
    names : (n,)
        The group of each patient.
    least : mapping
        ``patients`` and ``outcomes``: the fewest of a reported group.

    Notes
    -----
    A single group left out could be worked out as the difference between all and the others, so
    the next smallest goes with it until what is left out holds the least number itself.
    """
    array = np.asarray(names)
    members = {str(name): array == name for name in np.unique(array)}

    def small(inside: Booleans) -> bool:
        events = int(sample.outcome[inside].sum())
        rest = int(inside.sum()) - events
        return events + rest < least["patients"] or min(events, rest) < least["outcomes"]

    hidden = {name for name, inside in members.items() if small(inside)}
    shown = sorted(members.keys() - hidden, key=lambda name: int(members[name].sum()))
    while hidden and shown and small(np.any([members[name] for name in hidden], axis=0)):
        hidden.add(shown.pop(0))
    return {name: None if name in hidden else inside for name, inside in members.items()}
