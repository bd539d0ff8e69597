"""A split's patients, their log-odds, and the tables that are written about the fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract import cohort as cohort_tables
from thyrocast.contract import io
from thyrocast.contract import splits as split_tables
from thyrocast.contract.names import FULL, Set, fold_member
from thyrocast.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SplitData:
    """The n patients of a split, in the order of its rows in splits.csv.

    Attributes
    ----------
    cohort : DataFrame
        Their rows of `COHORT`, index 0 to n - 1.
    train : ndarray of bool, (n,)
    fold : ndarray of int, (n,)
        Fold of a training patient, from 1; 0 for test patients.
    outcome : ndarray, (n,)
        1 cured, 0 not cured, NaN unknown.
    """

    cohort: pd.DataFrame
    train: NDArray[np.bool_]
    fold: NDArray[np.int64]
    outcome: Array


def read_split(cohort: Path, splits: Path, design: str, split: str) -> SplitData:
    """Read a split's patients.

    Parameters
    ----------
    cohort, splits
        cohort.csv and splits.csv.
    design, split
        Which split.

    Raises
    ------
    InputError
        If the split has no training patient, or one of them has no outcome.
    """
    division = io.read(split_tables.SPLITS, splits)
    division = division[(division["design"] == design) & (division["split"] == split)]
    train = (division["set"] == Set.TRAIN).to_numpy()
    if not train.any():
        raise InputError(
            f"split {design}/{split} has no training patient: check `role` of the centers and "
            "`designs` in the config"
        )
    everyone = io.read(cohort_tables.COHORT, cohort).set_index("patient", drop=False)
    patients = everyone.loc[division["patient"]].reset_index(drop=True)
    outcome = patients["outcome"].to_numpy(dtype=np.float64, na_value=np.nan)
    for row in np.flatnonzero(train & np.isnan(outcome)):
        raise InputError(
            f"center {patients['center'][row]}, patient {patients['patient'][row]}, cohort.csv, "
            "column outcome: missing for a training patient, expected 1 or 0; give the center the "
            "role prospective or complete its outcomes"
        )
    fold = division["fold"].to_numpy(dtype=np.int64, na_value=0)
    return SplitData(cohort=patients, train=train, fold=fold, outcome=outcome)


def read_logits(network: Path, data: SplitData) -> dict[str, Array]:
    """Read the networks' log-odds of cure.

    Parameters
    ----------
    network
        network.csv.
    data
        The patients.

    Returns
    -------
    dict of ndarray, (n,)
        By member: ``full``, or ``fold-1``, ``fold-2`` and so on, in this order.
    """
    table = io.read(split_tables.LOGITS, network)
    names = {FULL, *(fold_member(k) for k in range(1, table["member"].nunique() + 1))}
    if unknown := set(table["member"]) - names:
        raise ValueError(f"{network}: member {min(unknown)} without those before it")
    found = {}
    for name in sorted(set(table["member"]), key=lambda name: (len(name), name)):
        rows = table[table["member"] == name].set_index("patient")["logit"]
        found[name] = rows.reindex(data.cohort["patient"]).to_numpy(dtype=np.float64)
        if np.isnan(found[name]).any():
            raise ValueError(f"{network}: the log-odds of a patient of the split are missing")
    return found
