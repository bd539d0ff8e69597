"""How alike the maps of a patient are by other methods, and by the other members of a split."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract import io
from thyrocast.contract.control_names import Compared
from thyrocast.contract.splits import AGREEMENT
from thyrocast.explanation.randomization import correlation

Maps = NDArray[np.float32]


def compare(split: str, methods: Mapping[str, Maps], members: Maps, least: int) -> pd.DataFrame:
    """Return the table `AGREEMENT` of one split.

    Parameters
    ----------
    split
        Its name.
    methods : mapping of ndarray, (n, cells, cells)
        Maps of some patients by each method; the first is compared with the others. No patients if it is not requested.
    members : ndarray, (members, N, cells, cells)
        Maps of all patients by each member.
    least
        Smallest number of patients who are compared.
    """
    own, *_ = methods.values()
    if not len(own):
        return io.empty(AGREEMENT)
    rows = [
        _row(split, Compared.METHOD, name, [_alike(own, maps)], least)
        for name, maps in [*methods.items()][1:]
    ]
    pairs = [_alike(one, two) for one, two in combinations(members, 2)]
    if pairs:
        rows.append(_row(split, Compared.MEMBERS, "", pairs, least))
    return io.build(AGREEMENT, [row for row in rows if row is not None])


def _alike(one: Maps, two: Maps) -> NDArray[np.float64]:
    return correlation(one.reshape(len(one), -1), two.reshape(len(two), -1))


def _row(
    split: str, kind: Compared, name: str, alike: Sequence[NDArray[np.float64]], least: int
) -> dict[str, object] | None:
    """Quartiles over patients of the mean over pairs; None with too few patients."""
    table = np.array(alike)
    # Of a patient whose map is zero by one member, the other pairs count.
    seen = ~np.isnan(table).all(axis=0)
    if seen.sum() < max(least, 1):
        return None
    low, middle, high = np.quantile(np.nanmean(table[:, seen], axis=0), [0.25, 0.5, 0.75])
    return {
        "split": split, "compared": kind.value, "method": name, "n": int(seen.sum()),
        "correlation": middle, "correlation_low": low, "correlation_high": high,
    }  # fmt: skip
