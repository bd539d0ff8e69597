"""What the selected features resemble: rank correlations with physical quantities of the training patients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract import columns, io
from thyrocast.contract.splits import CORRELATES
from thyrocast.signature.model import FittedMember, selected

Array = NDArray[np.float64]

#: Quantities of the patient and the image, and two of the acquisition, which a feature should not resemble.
QUANTITIES = ("gland_mass", "uptake_24h", *columns.QUANTITIES, "q_counts", "pixel_mm")
#: Fewest patients with a quantity from whom a correlation is computed.
LEAST = 10


def correlates(
    members: Mapping[str, FittedMember],
    cohort: pd.DataFrame,
    embeddings: Mapping[str, NDArray[np.floating]],
) -> pd.DataFrame:
    """Return the table `CORRELATES`.

    Parameters
    ----------
    members
        The fitted members, by name.
    cohort : DataFrame
        n rows of `COHORT`: the training patients.
    embeddings : mapping of ndarray, (n, 2048)
        Their embeddings by the network of each member.
    """
    known = cohort[list(QUANTITIES)].to_numpy(dtype=np.float64, na_value=np.nan)
    frames = []
    for name, features, values in selected(members, embeddings):
        for column, quantity in zip(known.T, QUANTITIES, strict=True):
            seen = ~np.isnan(column)
            if seen.sum() < LEAST:
                continue
            frame = {
                "member": name,
                "feature": features,
                "quantity": quantity,
                "correlation": spearman(values[seen], column[seen]),
                "n": int(seen.sum()),
            }
            frames.append(io.conform(CORRELATES, pd.DataFrame(frame)))
    return io.concat(CORRELATES, frames)


def spearman(values: Array, quantity: Array) -> Array:
    """Spearman's rank correlation of each feature with a quantity; NaN if one of both is constant.

    `scipy.stats.spearmanr` computes the correlations of all pairs of features as well.

    Parameters
    ----------
    values
        (n, s) features.
    quantity
        (n,).

    Returns
    -------
    ndarray, (s,)
    """
    ranks = pd.DataFrame(values).rank().to_numpy()
    own = pd.Series(quantity).rank().to_numpy()
    ranks, own = ranks - ranks.mean(axis=0), own - own.mean()
    scale = np.sqrt((ranks**2).sum(axis=0) * (own**2).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = own @ ranks / np.where(scale > 0, scale, np.nan)
    return np.clip(found, -1, 1)
