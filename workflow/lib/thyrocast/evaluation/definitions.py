"""The evaluation under other definitions of the outcome: same predictions, other outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.evaluation import (
    MULTIVERSE,
    OF_DESIGN,
    PERFORMANCE,
    POOLED,
    POOLED_CENTERS,
    PREDICTIONS,
)
from thyrocast.contract.names import ALL_SPLITS, Design, GroupKind, Metric, Set, Status
from thyrocast.contract.table import Table
from thyrocast.evaluation import design, pooled_centers
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import intervals

#: From this number of centers on, `loco` is represented by their mean, as in the report.
FEWEST_CENTERS = 3
Tables = Mapping[Table, pd.DataFrame]


def under(predictions: pd.DataFrame, outcomes: pd.DataFrame, definition: str) -> pd.DataFrame:
    """Return predictions with the test outcomes of another definition.

    Training outcomes stay: thresholds and prediction sets were chosen with them and belong to the
    model. A test patient without an outcome under the definition is not scored.

    Parameters
    ----------
    predictions
        Table `PREDICTIONS`.
    outcomes
        Table `DEFINITIONS` of all centers.
    definition
        Name of the definition.
    """
    known = outcomes[outcomes["definition"] == definition].set_index("patient")["outcome"]
    tested = predictions["set"] == Set.TEST
    mapped = predictions["patient"].map(known).astype("Int64")
    changed = predictions["outcome"].where(~tested, mapped)
    return io.conform(PREDICTIONS, predictions.assign(outcome=changed))


def evaluate(
    predictions: pd.DataFrame, cohort: pd.DataFrame, settings: Settings, members: pd.DataFrame
) -> Tables:
    """Return the tables of all designs, and the results pooled over centers.

    Parameters
    ----------
    predictions
        Table `PREDICTIONS` of all designs, with the outcomes of the definition.
    cohort
        Table `COHORT`.
    settings
        Config of the evaluation and seed.
    members
        Table `MEMBER_PREDICTIONS` of all designs.
    """
    parts = [
        design.evaluate(
            rows.reset_index(drop=True), cohort, settings, members[members["design"] == name]
        )
        for name, rows in predictions.groupby("design", sort=False)
    ]
    found = {table: io.concat(table, [part[table] for part in parts]) for table in OF_DESIGN}
    summary, centers = pooled_centers.pool(found[PERFORMANCE], settings.config.confidence)
    return {**found, POOLED: summary, POOLED_CENTERS: centers}


def compare(
    outcomes: pd.DataFrame, results: Mapping[str, Tables], confidence: float
) -> pd.DataFrame:
    """Compare the definitions.

    Parameters
    ----------
    outcomes
        Table `DEFINITIONS` of all centers.
    results
        For each definition, the main one first, its tables `PERFORMANCE`, `POOLED` and `PREDICTIONS`.
    confidence
        Confidence level of the results.

    Returns
    -------
    DataFrame
        `MULTIVERSE`.
    """
    main = next(iter(results))
    rows = [
        counts | row
        for name, tables in results.items()
        for counts in [_counts(outcomes, name, main, confidence)]
        for row in _rows(tables, results[main])
    ]
    return io.build(MULTIVERSE, rows)


def _counts(outcomes: pd.DataFrame, name: str, main: str, confidence: float) -> dict[str, Any]:
    own, first = (outcomes[outcomes["definition"] == one] for one in (name, main))
    known = own["outcome"].dropna()
    decided_first = first.loc[first["outcome"].notna(), "patient"]
    only_here = own["outcome"].notna() & ~own["patient"].isin(decided_first)
    rate = intervals.wilson(int(known.sum()), len(known), confidence) if len(known) else None
    return {
        "definition": name,
        "main": name == main,
        "cure_rate": rate.estimate if rate else None,
        "cure_low": rate.low if rate else None,
        "cure_high": rate.high if rate else None,
        "decided": len(known),
        "undecided": int(own["outcome"].isna().sum()),
        "not_scored": int(only_here.sum()),
    }


def _rows(tables: Tables, main: Tables) -> Iterator[dict[str, Any]]:
    for row in headlines(tables[PERFORMANCE]).itertuples():
        cells = {
            name: getattr(row, name)
            for name in (
                "design", "model", "estimate", "ci_low", "ci_high", "ci_method", "status", "note",
                "n", "events",
            )
        }  # fmt: skip
        mean = _mean(tables[POOLED], str(row.design), str(row.model))
        if mean is not None:
            cells |= {name: mean[name] for name in ("estimate", "ci_low", "ci_high")}
            cells |= {"ci_method": mean["method"], "note": f"mean of {int(mean['k'])} centers"}
        yield cells | _differences(tables[PREDICTIONS], main[PREDICTIONS], row)
    scored = headlines(tables[PERFORMANCE])
    present = set(zip(scored["design"], scored["model"], strict=True))
    for row in headlines(main[PERFORMANCE]).itertuples():
        if (row.design, row.model) not in present:
            cells = dict.fromkeys(("estimate", "ci_low", "ci_high"))
            cells |= {
                "design": row.design,
                "model": row.model,
                "ci_method": "",
                "n": 0,
                "events": 0,
            }
            cells |= {"status": Status.NOT_ESTIMABLE, "note": "no test patient has an outcome"}
            yield cells | _differences(tables[PREDICTIONS], main[PREDICTIONS], row)


def headlines(performance: pd.DataFrame) -> pd.DataFrame:
    """Return the AUC of each design and model in the test set of all patients."""
    rows = performance[
        (performance["set"] == Set.TEST)
        & (performance["group_kind"] == GroupKind.POOLED)
        & (performance["metric"] == Metric.AUC)
    ]
    joined = rows["design"].isin(rows.loc[rows["split"] == ALL_SPLITS, "design"])
    return rows[~joined | (rows["split"] == ALL_SPLITS)].drop_duplicates(["design", "model"])


def _mean(pooled: pd.DataFrame, name: str, model: str) -> Any:
    """Return the mean over centers that represents `loco`; None for other designs, or if there is none."""
    if name != Design.LOCO:
        return None
    rows = pooled[
        (pooled["design"] == name)
        & (pooled["model"] == model)
        & (pooled["metric"] == Metric.AUC)
        & pooled["method"].str.startswith("reml")
        & (pooled["status"] == Status.ESTIMATED)
        & (pooled["k"] >= FEWEST_CENTERS)
    ]
    return None if rows.empty else rows.iloc[0]


def _differences(own: pd.DataFrame, main: pd.DataFrame, row: Any) -> dict[str, int]:
    """Count the test patients of a design and model whose outcome is another one."""
    first, other = (_outcomes(table, row) for table in (main, own))
    other = other.reindex(first.index)
    both = first.notna() & other.notna()
    return {
        "changed": int((first[both] != other[both]).sum()),
        "lost": int((first.notna() & other.isna()).sum()),
    }


def _outcomes(predictions: pd.DataFrame, row: Any) -> pd.Series[Any]:
    chosen = predictions[
        (predictions["design"] == row.design)
        & (predictions["model"] == row.model)
        & (predictions["set"] == Set.TEST)
    ]
    found: pd.Series[Any] = chosen.drop_duplicates("patient").set_index("patient")["outcome"]
    return found
