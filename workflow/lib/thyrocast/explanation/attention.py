"""Tables of the shares of maps inside the gland, by patient, by center and for a whole design."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.config.explanation import LEAST_GRID
from thyrocast.contract import io
from thyrocast.contract.names import GroupKind, MapStatus
from thyrocast.contract.splits import ATTENTION, SHARES
from thyrocast.explanation import grids, placements

#: Masks that are in memory at once.
AT_ONCE = 64


@dataclass(frozen=True)
class Explained:
    """Explained patients of one split.

    Attributes
    ----------
    split
        Its name.
    patients
        Table `GRADCAM`.
    shares
        Table `SHARES` of these patients.
    random
        (n, placements) share of each map at every random place; no columns if the grid is too coarse.
    """

    split: str
    patients: pd.DataFrame
    shares: pd.DataFrame
    random: NDArray[np.float32]


def measure(
    split: str,
    patients: pd.DataFrame,
    maps: NDArray[np.float32],
    masks: NDArray[np.uint8],
    rows: NDArray[np.intp],
) -> Explained:
    """Compute the shares of the maps of one split.

    Parameters
    ----------
    split
        Its name.
    patients
        Table `GRADCAM`.
    maps
        (n, cells, cells) maps of these patients.
    masks
        (N, pixels, pixels) gland masks of the cohort.
    rows
        (n,) rows of these patients in the cohort.
    """
    n, pixels = len(patients), masks.shape[-1]
    area = np.empty(n)
    glands = np.empty((n, maps.shape[-1], maps.shape[-1]))
    for start in range(0, n, AT_ONCE):
        part = slice(start, min(start + AT_ONCE, n))
        own = masks[rows[part]] > 0
        area[part] = own.mean(axis=(1, 2))
        glands[part] = grids.in_cells(own, maps.shape[-1])
    inside = others = low = high = np.full(n, np.nan)
    random = np.empty((n, 0), np.float32)
    if n and maps.shape[-1] >= LEAST_GRID:
        placed = placements.place(maps, glands, pixels)
        inside, others, random = placed.inside, placed.others, placed.random
        low, high = np.quantile(random, placements.BAND, axis=1)
    columns = {
        "split": split,
        "patient": patients["patient"],
        "inside": inside,
        "area": area,
        "random_low": low,
        "random_high": high,
        # The other patients' maps say nothing about a patient who has none.
        "others": np.where(np.isnan(inside), np.nan, others),
    }
    return Explained(split, patients, io.conform(SHARES, pd.DataFrame(columns)), random)


def summarize(design: str, splits: Sequence[Explained], least: int) -> pd.DataFrame:
    """Return the table `ATTENTION`: all patients of a design first, then each center.

    Parameters
    ----------
    design
        Its name.
    splits
        Its splits; of a patient tested in several of them, the first counts.
    least
        Smallest number of patients of a group that has numbers.
    """
    rows = pd.concat(
        [one.patients.assign(**one.shares.drop(columns="patient")) for one in splits],
        ignore_index=True,
    )
    random = np.concatenate([one.random for one in splits])
    first = ~rows["patient"].duplicated().to_numpy()
    groups = [(GroupKind.POOLED, "", first)]
    centers = {
        str(center): first & (rows["center"] == center).to_numpy()
        for center in rows["center"].unique()
    }
    groups += [(GroupKind.CENTER, name, chosen) for name, chosen in centers.items()]
    hidden = _hidden({name: int(chosen.sum()) for name, chosen in centers.items()}, least)
    return io.build(
        ATTENTION,
        [
            dict.fromkeys(ATTENTION.names)
            | {"design": design, "group_kind": kind, "group": name}
            | (
                _medians(rows[chosen], random[chosen])
                if chosen.sum() >= least and name not in hidden
                else {}
            )
            for kind, name, chosen in groups
        ],
    )


def _hidden(sizes: dict[str, int], least: int) -> set[str]:
    """Return the centers without numbers: small ones, and others as long as those follow by subtraction."""
    hidden = {name for name, size in sizes.items() if size < least}
    shown = sorted(sizes.keys() - hidden, key=lambda name: (-sizes[name], name))
    while hidden and shown and sum(sizes[name] for name in hidden) < least:
        hidden.add(shown.pop())
    return hidden


def _medians(rows: pd.DataFrame, random: NDArray[np.float32]) -> dict[str, float | int]:
    """Return the numbers of one group."""
    found: dict[str, float | int] = {
        "n": len(rows),
        "empty": int((rows["status"] == MapStatus.ALL_ZERO).sum()),
        "area": float(rows["area"].median()),
    }
    seen = rows["inside"].notna().to_numpy()
    if not seen.any():
        return found
    low, middle, high = rows["inside"][seen].quantile([0.25, 0.5, 0.75])
    moved = np.quantile(np.median(random[seen], axis=0), placements.BAND)
    found |= {
        "inside": middle,
        "inside_low": low,
        "inside_high": high,
        "area": float(rows["area"][seen].median()),
        "random_low": float(moved[0]),
        "random_high": float(moved[1]),
    }
    if rows["others"][seen].notna().any():
        found["others"] = float(rows["others"][seen].median())
    return found
