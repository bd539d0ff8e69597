"""Which counts of a table may be shown: no small count may be read or computed from the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Shown:
    """What may be shown of a table of counts and of its sums.

    Attributes
    ----------
    cells : ndarray of bool, (r, c)
        Cells that may be shown.
    rows : ndarray of bool, (r,)
        Sums of rows that may be shown. Sums of columns always are.
    """

    cells: Flags
    rows: Flags


def protect(counts: Counts, small: Flags, least: int) -> Shown:
    """Hide small counts, and as many others as are needed so that they cannot be derived.

    Parameters
    ----------
    counts : ndarray of int, (r, c)
        Patients by category (rows) and group (columns).
    small : ndarray of bool, (r, c)
        Counts that must not be shown.
    least
        The patients of the hidden cells of a row or column are together at least so many.

    Returns
    -------
    Shown
        The sums of columns, which are the sizes of the groups, are taken as known.

    Notes
    -----
    A hidden count can be derived if it is a linear combination of counts that are shown (Cox 1980,
    "Suppression methodology and statistical disclosure control", JASA 75:377). Further counts are
    hidden, the smallest first, until there is no such combination.
    """
    r, c = counts.shape
    members = _memberships(r, c)
    values = members @ counts.ravel()
    hidden = np.concatenate(
        [small.ravel(), (values[r * c : r * c + r] < least) & small.any(axis=1)]
    )
    hidden = np.concatenate([hidden, np.zeros(c, dtype=np.bool_)])
    movable = np.arange(len(members)) < r * c + r
    while True:
        hidden = _large_together(hidden, counts, least)
        known = members[~hidden]
        revealing = _revealing(known, members[: r * c][small.ravel()])
        options = np.flatnonzero(~hidden)[revealing]
        options = options[movable[options]]
        if not options.size:
            return Shown(~hidden[: r * c].reshape(r, c), ~hidden[r * c : r * c + r])
        # A count of 0 is hidden last: it hides nothing.
        order = np.lexsort((options, values[options], values[options] == 0))
        hidden[options[order[0]]] = True


def _memberships(r: int, c: int) -> npt.NDArray[np.float64]:
    """Cells in each number of the table, (rc + r + c, rc): the cells, sums of rows, of columns."""
    cells = np.eye(r * c)
    rows = np.kron(np.eye(r), np.ones((1, c)))
    columns = np.kron(np.ones((1, r)), np.eye(c))
    return np.vstack([cells, rows, columns])


def _large_together(hidden: Flags, counts: Counts, least: int) -> Flags:
    """Hide more cells of a line whose hidden cells are together too few and whose sum is shown."""
    hidden = hidden.copy()
    r, c = counts.shape
    places = np.arange(r * c).reshape(r, c)
    lines = [(places[row], bool(hidden[r * c + row])) for row in range(r)]
    lines += [(places[:, column], False) for column in range(c)]
    flat = counts.ravel()
    changed = True
    while changed:
        changed = False
        for line, without_sum in lines:
            inside = line[hidden[line]]
            rest = line[~hidden[line]]
            if not inside.size or without_sum or not rest.size:
                continue
            if inside.size > 1 and flat[inside].sum() >= least:
                continue
            order = np.lexsort((rest, flat[rest], flat[rest] == 0))
            hidden[rest[order[0]]] = True
            changed = True
    return hidden


def _revealing(known: npt.NDArray[np.float64], small: npt.NDArray[np.float64]) -> Sequence[int]:
    """Indices of shown numbers from which one of the small ones can be computed."""
    if not len(known) or not len(small):
        return []
    shares = np.linalg.lstsq(known.T, small.T, rcond=None)[0]
    derived = np.abs(known.T @ shares - small.T).max(axis=0) < _TOLERANCE
    return [int(n) for n in np.flatnonzero((np.abs(shares[:, derived]) > _TOLERANCE).any(axis=1))]
