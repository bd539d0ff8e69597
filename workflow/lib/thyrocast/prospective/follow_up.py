"""What became of frozen predictions: whose outcome is known by now, who is missing, whose clinical values changed."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.deployment import APPLIED_PATIENTS, LEDGER
from thyrocast.contract.site_names import Standing
from thyrocast.ledgers import chain
from thyrocast.prospective import frozen, timing

#: Columns of `APPLIED_PATIENTS` that are those of the frozen prediction, and their keys in the ledger.
_KEPT = {
    "predicted_at": "date",
    "distance": "distance",
    "acquisition": "acquisition",
    "outside": "outside",
}


def mark(
    flagged: pd.DataFrame,
    cohort: pd.DataFrame,
    entries: Collection[frozen.Frozen],
    rules: frozen.Rules,
    outcomes: pd.DataFrame,
) -> pd.DataFrame:
    """Return the table `APPLIED_PATIENTS` with frozen values, and how prediction and outcome follow.

    Parameters
    ----------
    flagged
        Table `APPLIED_PATIENTS`, in the order of the cohort.
    cohort
        Table `COHORT`.
    entries
        The ledger.
    rules
        What the study says.
    outcomes
        Table `OUTCOMES` of all centers, with the dates.
    """
    known = frozen.used(entries, rules.withdrawn)
    frozen_centers = {one.center for one in entries}
    dates = outcomes.drop_duplicates("patient").set_index("patient")
    standings: list[Standing] = []
    changed: list[bool | None] = []
    rows: list[dict[str, object]] = []
    for row, (patient, center) in enumerate(
        zip(flagged["patient"], flagged["center"], strict=True)
    ):
        one = known.get(patient)
        if one is None:
            changed.append(None)
            rows.append({})
            other = Standing.NEW if center in frozen_centers else Standing.UNFROZEN
            standings.append(Standing.WITHDRAWN if patient in rules.withdrawn else other)
            continue
        changed.append(one.clinical != frozen.clinical_hash(cohort.iloc[row]))
        rows.append({name: getattr(one, kept) for name, kept in _KEPT.items()})
        decided = pd.notna(cohort["outcome"].iloc[row])
        standings.append(
            timing.standing(one.date, dates.loc[patient]) if decided else Standing.BEFORE
        )
    found = flagged.assign(
        standing=[one.value for one in standings],
        clinical_changed=pd.array(changed, dtype="boolean"),
    )
    for name in _KEPT:
        cells = [row.get(name, own) for row, own in zip(rows, flagged[name], strict=True)]
        found[name] = pd.Series(cells, index=found.index)
    return io.conform(APPLIED_PATIENTS, found)


def missing(
    entries: Collection[frozen.Frozen], cohort: pd.DataFrame, withdrawn: Collection[str]
) -> list[str]:
    """Return the patients whose frozen prediction is used, but who are not in the cohort any more."""
    return sorted(frozen.used(entries, withdrawn).keys() - set(cohort["patient"]))


def table(
    entries: Collection[frozen.Frozen], cohort: pd.DataFrame, withdrawn: Collection[str] = ()
) -> pd.DataFrame:
    """Return the table `LEDGER`."""
    lines = list(entries)
    if not lines:
        return io.empty(LEDGER)
    row = {
        "entries": len(lines),
        "missing": len(missing(lines, cohort, withdrawn)),
        "first": lines[0].date,
        "last": lines[-1].date,
        "head": chain.head(lines),
    }
    return io.build(LEDGER, [row])
