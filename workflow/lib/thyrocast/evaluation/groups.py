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


def too_small(sample: Sample, least: Mapping[str, int]) -> bool:
    """Whether a sample has fewer patients, or fewer of an outcome, than may be reported."""
    patients, cured = sample.patients
    return patients < least["patients"] or min(cured, patients - cured) < least["outcomes"]


def divide(
    sample: Sample, divisions: Mapping[str, Sequence[str]], least: Mapping[str, int]
) -> dict[str, Booleans | None]:
    """Patients of each group; None for a group that is not reported.

    Parameters
    ----------
    divisions : mapping of prefix to (n,) names
        Ways to divide the sample, such as ``center:``, each with the group of every patient.
    least : mapping
        ``patients`` and ``outcomes``: the fewest of a reported group.

    Notes
    -----
    A group left out must not be worked out from what is reported. Within a division, the next
    smallest goes with it until what is left out holds the least number itself. Across divisions
    (all of one vendor's patients are those of two centers) reported groups are left out until no
    sum and difference of them gives a group that is too small.
    """
    members: dict[str, Booleans] = {}
    small: set[str] = set()
    hidden: set[str] = set()

    def size(name: str) -> tuple[int, str]:
        # The name decides among equals, so that every run hides the same.
        return int(members[name].sum()), name

    for prefix, names in divisions.items():
        array = np.asarray(names)
        mine = {f"{prefix}{name}": array == name for name in np.unique(array)}
        members |= mine
        left = {name for name, who in mine.items() if too_small(sample.among(who), least)}
        small |= left
        shown = sorted(mine.keys() - left, key=size)
        while left and shown:
            together = np.any([mine[name] for name in left], axis=0)
            if not too_small(sample.among(together), least):
                break
            left.add(shown.pop(0))
        hidden |= left
    while small:
        shown = sorted(members.keys() - hidden, key=size)
        telling = _telling([members[name] for name in shown], [members[name] for name in small])
        if telling is None:
            break
        hidden.add(shown[telling])
    return {name: None if name in hidden else who for name, who in members.items()}


def _telling(shown: Sequence[Booleans], small: Sequence[Booleans]) -> int | None:
    """First of the shown groups that, with others and the whole, adds up to a small one."""
    if not shown:
        return None
    # Patients who are in the same groups are as good as one.
    kinds = np.unique(np.stack([*shown, *small], axis=1), axis=0).astype(np.float64)
    known = np.column_stack([kinds[:, : len(shown)], np.ones(len(kinds))])
    for wanted in kinds[:, len(shown) :].T:
        share = np.linalg.lstsq(known, wanted, rcond=None)[0]
        used = np.flatnonzero(np.abs(share[:-1]) > 1e-6)
        if used.size and np.abs(known @ share - wanted).max() < 1e-6:
            return int(used[0])
    return None
