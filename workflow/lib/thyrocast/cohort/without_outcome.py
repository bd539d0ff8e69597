"""Patients without an outcome, compared with the analyzed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract import cohort as contract
from thyrocast.contract import io
from thyrocast.contract.columns import CLINICAL
from thyrocast.contract.names import KNOWN, Status
from thyrocast.contract.table import Cells, Kind
from thyrocast.statistics import balance
from thyrocast.statistics.inputs import NotEstimableError

#: More codes than this are free text.
_MOST_LEVELS = 12
MISSING = "missing"


def follow_up(register: pd.DataFrame) -> pd.DataFrame:
    """Select the eligible patients with a scan, with and without an outcome.

    Parameters
    ----------
    register
        `contract.cohort.REGISTER` of all centers, with the final reason of each exclusion.

    Returns
    -------
    DataFrame
        `contract.cohort.FOLLOW_UP`.
    """
    status = register["follow_up"]
    analyzed = (register["reason"] == "") & status.isin(KNOWN)
    without = status.notna() & ~status.isin(KNOWN) & register["scanned"]
    chosen = register[analyzed | without]
    return io.conform(contract.FOLLOW_UP, chosen[list(contract.FOLLOW_UP.names)])


def compare(patients: pd.DataFrame, smallest: int) -> pd.DataFrame:
    """Compare the clinical columns of patients with and without an outcome.

    Parameters
    ----------
    patients
        `contract.cohort.FOLLOW_UP`.
    smallest
        Fewest patients of a group that may be reported.

    Returns
    -------
    DataFrame
        `contract.cohort.WITHOUT_OUTCOME`; empty if every patient has an outcome.
    """
    known = patients["follow_up"].isin(KNOWN)
    rows: list[Cells] = []
    if not known.all():
        for name in ("center", *CLINICAL):
            rows += _rows(name, patients.loc[known, name], patients.loc[~known, name], smallest)
    return io.build(contract.WITHOUT_OUTCOME, rows)


def _rows(
    name: str, one: "pd.Series[Any]", other: "pd.Series[Any]", smallest: int
) -> Iterator[Cells]:
    sizes = int(one.notna().sum()), int(other.notna().sum())
    if sum(sizes) == 0:
        return
    small = min(len(one), len(other)) < smallest
    if contract.FOLLOW_UP.column(name).kind is Kind.NUMBER:
        values = [part.dropna().to_numpy(dtype=np.float64) for part in (one, other)]
        few = small or min(sizes) < smallest
        yield _row(name, "", values[0], values[1], few)
    else:
        levels = sorted({*one.dropna(), *other.dropna()}, key=str)
        for level in levels if len(levels) <= _MOST_LEVELS else []:
            shares = [(part.dropna() == level).to_numpy(dtype=np.float64) for part in (one, other)]
            yield _row(name, str(level), shares[0], shares[1], small or min(sizes) < smallest)
    if one.isna().any() or other.isna().any():
        shares = [part.isna().to_numpy(dtype=np.float64) for part in (one, other)]
        yield _row(name, MISSING, shares[0], shares[1], small)


def _row(
    name: str,
    level: str,
    one: NDArray[Any],
    other: NDArray[Any],
    few: bool,
) -> Cells:
    row: Cells = {
        **dict.fromkeys(contract.WITHOUT_OUTCOME.names),
        "variable": name,
        "level": level,
        "n_analyzed": one.size,
        "n_without": other.size,
        "note": "",
    }
    if few:
        return {**row, "status": Status.SUPPRESSED, "note": "too few patients"}
    means = float(one.mean()), float(other.mean())
    row = {**row, "analyzed": means[0], "without": means[1]}
    try:
        difference = balance.of_shares(*means) if level else balance.of_means(one, other)
    except NotEstimableError as reason:
        return {**row, "status": Status.NOT_ESTIMABLE, "note": str(reason)}
    return {**row, "difference": difference, "status": Status.ESTIMATED}
