"""How maps change if the weights of their network become random."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract import io
from thyrocast.contract.control_names import CASCADES
from thyrocast.contract.splits import RANDOMIZATION
from thyrocast.explanation import grids


def compare(
    split: str,
    maps: NDArray[np.float32],
    masks: NDArray[np.uint8],
    rows: NDArray[np.intp],
    least: int,
) -> pd.DataFrame:
    """Return the table `RANDOMIZATION` of one split.

    Parameters
    ----------
    split
        Its name.
    maps
        (steps, n, cells, cells), as `network.randomization.randomized` returns them.
    masks
        (N, pixels, pixels) gland masks of the cohort.
    rows
        (n,) rows of the test patients in the cohort.
    least
        Smallest number of patients who are compared.
    """
    if not maps.shape[1]:
        return io.empty(RANDOMIZATION)
    # Patients who were not taken, or whose true map is zero everywhere, have nothing to compare with.
    taken = np.flatnonzero(np.any(maps[0], axis=(1, 2)))
    if len(taken) < max(least, 1):
        return io.empty(RANDOMIZATION)
    glands = masks[rows[taken]] > 0
    true = maps[0, taken].reshape(len(taken), -1)
    found = []
    for step, own in zip(CASCADES[len(maps)], maps[:, taken], strict=True):
        alike = correlation(true, own.reshape(len(taken), -1))
        inside = grids.shares(own, glands)
        quartiles = [np.nan] * 3
        if not np.isnan(alike).all():
            quartiles = np.nanquantile(alike, [0.25, 0.5, 0.75]).tolist()
        found.append(
            {
                "split": split,
                "randomized": step,
                "n": len(taken),
                "correlation": quartiles[1],
                "correlation_low": quartiles[0],
                "correlation_high": quartiles[2],
                "inside": np.nan if np.isnan(inside).all() else float(np.nanmedian(inside)),
            }
        )
    return io.conform(RANDOMIZATION, pd.DataFrame(found))


def correlation(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float64]:
    """Spearman's correlation of each row of two arrays (n, cells); NaN if one of both is constant."""
    ranks = [pd.DataFrame(part).rank(axis=1).to_numpy() for part in (one, two)]
    a, b = (part - part.mean(axis=1, keepdims=True) for part in ranks)
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = (a * b).sum(axis=1) / np.where(scale > 0, scale, np.nan)
    return np.clip(found, -1, 1)
