"""What may be published of a group of patients: cells, cut points and groups that are large enough.

Patients are divided into groups whose members somebody else may know: those who are in an earlier file,
and those who are not. What can be derived from published sums by adding and subtracting them then
describes at least `fewest` patients of every such group.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from thyrocast.statistics.inputs import Booleans, Floats, Integers

Member = TypeVar("Member", bound=Hashable)


def patterns(
    current: Collection[Member], earlier: Sequence[Collection[Member]]
) -> dict[tuple[bool, ...], list[Member]]:
    """Divide members by the sets that they are in.

    Parameters
    ----------
    current
        Members of the set that is to be published.
    earlier
        Members of each set that was published before.

    Returns
    -------
    dict
        Members by whether they are in each set, the current one first. Every sum over one of the sets is
        a sum over some of these groups, so what follows from such sums describes whole groups.

    Examples
    --------
    >>> found = patterns("abcd", ["abc", "xa"])
    >>> [(sum(inside), "".join(members)) for inside, members in found.items()]
    [(3, 'a'), (2, 'bc'), (1, 'd'), (1, 'x')]
    """
    sets = [frozenset(members) for members in (current, *earlier)]
    everybody = dict.fromkeys(member for members in (current, *earlier) for member in members)
    found: dict[tuple[bool, ...], list[Member]] = {}
    for member in everybody:
        found.setdefault(tuple(member in one for one in sets), []).append(member)
    return found


def cuts(
    probability: Floats,
    outcome: Booleans,
    group: Integers,
    candidates: Sequence[float],
    fewest: int,
    required: float | None = None,
) -> list[float]:
    """Choose cut points of the probability so that no interval has few patients of an outcome.

    Parameters
    ----------
    probability : ndarray of float, (n,)
        Predicted probability of cure.
    outcome : ndarray of bool, (n,)
        True = cured.
    group : ndarray of int, (n,)
        Group of each patient.
    candidates
        Cut points to choose from: published numbers, which no patient's probability has decided.
    fewest
        Least number of cured patients, and of patients not cured, of each group in every interval.
    required
        Candidate that is chosen before all others, if it can be.

    Returns
    -------
    list of float
        In ascending order. A patient is above a cut point if the probability is at or above it.

    Examples
    --------
    >>> p = np.linspace(0, 1, 41)[:-1]
    >>> cuts(p, np.arange(40) % 2 == 0, np.zeros(40, int), [0.1, 0.25, 0.5, 0.75, 0.9], 5)
    [0.25, 0.5, 0.75]
    """
    groups = np.unique(group)

    def fits(low: float, high: float) -> bool:
        inside = (probability >= low) & (probability < high)
        return all(
            np.sum(inside & (group == one) & (outcome == value)) >= fewest
            for one in groups
            for value in (False, True)
        )

    chosen: list[float] = []
    ends = (0.0, np.inf)
    if (
        required is not None
        and required in candidates
        and fits(ends[0], required)
        and fits(required, ends[1])
    ):
        chosen = [required]
    for low, high in zip([ends[0], *chosen], [*chosen, ends[1]], strict=True):
        last = low
        for cut in sorted(candidates):
            if low < cut < high and fits(last, cut) and fits(cut, high):
                chosen.append(cut)
                last = cut
    return sorted(chosen)


def one_sided(probability: Floats, cut: float) -> bool:
    """Whether all probabilities, (n,), are on one side of a cut point: it then divides nobody."""
    above = probability >= cut
    return bool(above.all() or not above.any())


def counts(category: Sequence[str], group: Sequence[int], fewest: int) -> dict[str, int | None]:
    """Count patients by category; None for categories that must not be shown.

    Parameters
    ----------
    category, group
        Category and group of each patient, (n,).
    fewest
        Least number of patients of each group in a category, unless it has none of the group.

    Returns
    -------
    dict
        By category, in alphabetical order. The hidden ones together contain, of each group, nobody or at
        least `fewest`: further categories are hidden for that, smallest first.

    Examples
    --------
    >>> counts([*"aaaaaaaabbbbbbc"], [0] * 15, 5)
    {'a': 8, 'b': None, 'c': None}
    """
    names, groups = sorted(set(category)), sorted(set(group))
    table = {
        name: np.array(
            [
                sum(c == name and g == one for c, g in zip(category, group, strict=True))
                for one in groups
            ]
        )
        for name in names
    }
    hidden = {name for name in names if _small(table[name], fewest)}
    while hidden and _small(_total(table, hidden), fewest):
        shown = sorted(set(names) - hidden, key=lambda name: (table[name].sum(), name))
        if not shown:
            break
        hidden.add(shown[0])
    return {name: None if name in hidden else int(table[name].sum()) for name in names}


def _small(number: Integers, fewest: int) -> bool:
    return bool(((number > 0) & (number < fewest)).any())


def _total(table: Mapping[str, Integers], names: Collection[str]) -> Integers:
    return np.asarray(np.sum([table[name] for name in names], axis=0))
