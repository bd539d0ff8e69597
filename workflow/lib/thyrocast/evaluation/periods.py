"""Periods of therapy: the years of the temporal design, each with enough patients."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import pandas as pd

from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract.names import Set

#: Variable of the subgroups by period.
PERIOD = "therapy_period"


def add(
    cohort: pd.DataFrame,
    dates: Mapping[str, datetime.date],
    predictions: pd.DataFrame,
    least: MinimumCountConfig,
) -> pd.DataFrame:
    """Add the period of therapy of the test patients to the cohort, as column `PERIOD`.

    Parameters
    ----------
    cohort
        Table `COHORT`.
    dates
        Date of therapy by patient; private.
    predictions
        Table `PREDICTIONS` of the design.
    least
        Fewest patients, and fewest of either outcome, of a period.

    Returns
    -------
    DataFrame
        The cohort with the column; it is missing for patients who are not tested.
    """
    tested = {*predictions.loc[predictions["set"] == Set.TEST, "patient"]}
    rows = cohort[cohort["patient"].isin(tested) & cohort["patient"].isin([*dates])]
    years = [dates[patient].year for patient in rows["patient"]]
    named = periods(years, [bool(outcome) for outcome in rows["outcome"].fillna(0)], least)
    by_patient = {
        patient: named[year] for patient, year in zip(rows["patient"], years, strict=True)
    }
    return cohort.assign(**{PERIOD: cohort["patient"].map(by_patient)})


def periods(
    years: Sequence[int], cured: Sequence[bool], least: MinimumCountConfig
) -> dict[int, str]:
    """Join years until each period has enough patients of either outcome.

    Parameters
    ----------
    years, cured
        Of each patient.
    least
        Fewest patients, and fewest of either outcome, of a period.

    Returns
    -------
    dict
        Name of the period of each year, such as ``2019`` or ``2019-2021``. The last years join the
        period before them if they are too few.

    Examples
    --------
    >>> least = MinimumCountConfig(patients=2, outcomes=1)
    >>> periods([2019, 2019, 2020, 2021], [True, False, True, False], least)
    {2019: '2019', 2020: '2020-2021', 2021: '2020-2021'}
    """
    counts: dict[int, list[int]] = {}
    for year, outcome in zip(years, cured, strict=True):
        counts.setdefault(year, [0, 0])[int(outcome)] += 1
    groups: list[list[int]] = []
    inside = [0, 0]
    for year in sorted(counts):
        if not groups or _enough(inside, least):
            groups.append([])
            inside = [0, 0]
        groups[-1].append(year)
        inside = [inside[0] + counts[year][0], inside[1] + counts[year][1]]
    if len(groups) > 1 and not _enough(inside, least):
        groups[-2:] = [groups[-2] + groups[-1]]
    return {
        year: str(group[0]) if len(group) == 1 else f"{group[0]}-{group[-1]}"
        for group in groups
        for year in group
    }


def _enough(counts: Sequence[int], least: MinimumCountConfig) -> bool:
    return sum(counts) >= least.patients and min(counts) >= least.outcomes
