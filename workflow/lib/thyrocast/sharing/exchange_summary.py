"""Flow, acquisition and patients of an exchange file: counts and moments of large enough groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from thyrocast.config.exchange import ExchangeConfig
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.exchange import Counted, Distribution, PatientFlow, Summary
from thyrocast.statistics import disclosure
from thyrocast.statistics.inputs import Integers

_MISSING = "missing"
#: Columns of the cohort that are counted, and those of which mean and standard deviation are given.
ACQUISITION = (
    ("vendor", "camera", "collimator", "matrix"),
    ("pixel_mm", "duration_s", "tc_activity_mbq", "delay_min"),
)
CLINICAL = (
    ("sex", "antithyroid_drug", "orbitopathy", "smoking"),
    ("age", "gland_mass", "uptake_24h", "activity", "trab", "ft4", "ft3"),
)


def acquisition(cohort: pd.DataFrame, group: Integers, rule: ExchangeConfig) -> Summary:
    """Return how images were acquired; `group` is that of each row of the cohort, (n,)."""
    return _summary(cohort, group, rule, *ACQUISITION)


def clinical(cohort: pd.DataFrame, group: Integers, rule: ExchangeConfig) -> Summary:
    """Return who the patients are; `group` is that of each row of the cohort, (n,)."""
    return _summary(cohort, group, rule, *CLINICAL)


def flow(
    patients: pd.DataFrame, scored: Collection[str], group: Integers, rule: ExchangeConfig
) -> PatientFlow | None:
    """Return the patients of a center from those found to those analyzed.

    Parameters
    ----------
    patients
        Rows of the table `PATIENTS`, n rows.
    scored
        Patients whose number the file states elsewhere: analyzed and not scored apart.
    group : ndarray of int, (n,)
        Patients who are in the same earlier files.
    rule
        The disclosure rule.

    Returns
    -------
    PatientFlow or None
        None if few patients were found since an earlier file, or if few of the analyzed were not scored:
        their number would follow by subtraction. Without `found` if the reasons that are hidden concern too
        few patients: their number would follow from it.
    """
    if np.unique(group, return_counts=True)[1].min() < rule.cell:
        return None
    apart = (patients["analyzed"] & ~patients["patient"].isin(list(scored))).to_numpy(
        dtype=np.bool_
    )
    if any(0 < apart[group == one].sum() < rule.cell for one in np.unique(group)):
        return None
    out = ~patients["analyzed"].to_numpy(dtype=np.bool_)
    reasons, whose = list(patients["reason"][out]), list(map(int, group[out]))
    shown = disclosure.counts(reasons, whose, rule.cell)
    left = [one for one, reason in zip(whose, reasons, strict=True) if shown[reason] is None]
    few = any(left.count(one) < rule.cell for one in left)
    return PatientFlow(
        found=None if few else len(patients),
        analyzed=int((~out).sum()),
        excluded=[Counted(name=name, patients=count) for name, count in shown.items()],
    )


def _summary(
    cohort: pd.DataFrame,
    group: Integers,
    rule: ExchangeConfig,
    categories: Sequence[str],
    numbers: Sequence[str],
) -> Summary:
    return Summary(
        categories={name: _counts(cohort[name], group, rule) for name in categories},
        numbers={name: _moments(cohort[name], group, rule) for name in numbers},
    )


def _counts(values: pd.Series[Any], group: Integers, rule: ExchangeConfig) -> list[Counted]:
    names = [_MISSING if pd.isna(value) or value == "" else str(value) for value in values]
    found = disclosure.counts(names, list(map(int, group)), rule.cell)
    return [Counted(name=name, patients=count) for name, count in found.items()]


def _moments(values: pd.Series[Any], group: Integers, rule: ExchangeConfig) -> Distribution:
    """Return rounded moments; hidden if a group has few values, or few missing ones."""
    unit = COHORT.column(str(values.name)).unit
    known = values.notna().to_numpy()
    hidden = Distribution(unit=unit, patients=None, mean=None, sd=None)
    for one in np.unique(group):
        present, absent = int(known[group == one].sum()), int((~known[group == one]).sum())
        if present < rule.patients or 0 < absent < rule.cell:
            return hidden
    x = values[known].to_numpy(np.float64)
    return Distribution(
        unit=unit,
        patients=int(known.sum()),
        mean=float(f"{x.mean():.3g}"),
        sd=float(f"{x.std(ddof=1):.3g}"),
    )
