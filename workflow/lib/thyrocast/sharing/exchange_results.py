"""Results of an exchange file: estimates, bins of the probability, and what follows from the bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from thyrocast.config.exchange import ExchangeConfig
from thyrocast.contract.exchange import ROUNDED, SCALES, Bin, ModelResults, Result, Threshold
from thyrocast.contract.names import GroupKind, Metric, Status
from thyrocast.evaluation.headlines import test_rows
from thyrocast.statistics import disclosure
from thyrocast.statistics.inputs import Floats, Integers

#: Limits that bins of the probability may have.
GRID = tuple(round(0.05 * step, 2) for step in range(1, 20))
_HIDDEN = "the threshold divides off too few patients of an outcome"


def models(
    performance: pd.DataFrame,
    center: str,
    wide: pd.DataFrame,
    group: Integers,
    earlier: Sequence[Mapping[str, Sequence[float]]],
    rule: ExchangeConfig,
    reference: float,
) -> tuple[dict[str, ModelResults], list[str]]:
    """Return the results of each model, and what is hidden, in sentences.

    Parameters
    ----------
    performance
        Table `PERFORMANCE`.
    center
        The center.
    wide
        Probabilities by patient, a column for each model, and ``outcome``; n rows.
    group : ndarray of int, (n,)
        Patients who are in the same earlier files.
    earlier
        Limits of the bins in each earlier file, by model.
    rule
        The disclosure rule.
    reference
        Threshold probability of the net benefit that is pooled.
    """
    rows = test_rows(performance)
    rows = rows[(rows["group_kind"] == GroupKind.CENTER) & (rows["group"] == center)]
    rows = rows.drop_duplicates(["model", "metric", "at"])
    outcome = wide["outcome"].to_numpy() == 1
    found, hidden = {}, []
    for name in wide.columns.drop("outcome"):
        p = wide[name].to_numpy(np.float64)
        candidates = sorted({*GRID, reference})
        for one in earlier:
            # Each file's limits are among those of the one before: see docs/exchange.md.
            candidates = [cut for cut in candidates if cut in one.get(name, candidates)]
        chosen = disclosure.cuts(p, outcome, group, candidates, rule.cell, reference)
        shown = reference in chosen or disclosure.one_sided(p, reference)
        own = [row for row in rows.itertuples() if row.model == name]
        found[str(name)] = ModelResults(
            results=[*_results(own, shown)],
            bins=_bins(p, outcome, chosen),
            thresholds=_thresholds(p, outcome, chosen),
        )
        if not shown:
            hidden.append(
                f"Net benefit of {name} at {reference:g}: {_HIDDEN}. The center is missing in the pooled "
                "net benefit of this model."
            )
    return found, hidden


def limits(results: ModelResults) -> list[float]:
    """Return the inner limits of a model's bins."""
    return [one.low for one in results.bins[1:]]


def _results(rows: Sequence[Any], net_benefit: bool) -> list[Result]:
    found = []
    for row in rows:
        metric = Metric(row.metric)
        if metric not in SCALES and metric not in ROUNDED:
            continue
        if metric is Metric.NET_BENEFIT and not net_benefit:
            found.append(_result(row, None, Status.SUPPRESSED, _HIDDEN))
            continue
        digits = None if metric in SCALES else 2
        # A remark may count few patients.
        note = "" if any(character.isdigit() for character in row.note) else row.note
        found.append(_result(row, digits, Status(row.status), note, empty=False))
    return found


def _result(
    row: Any, digits: int | None, status: Status, note: str, *, empty: bool = True
) -> Result:
    def number(name: str, *, always: bool = False) -> float | None:
        value = getattr(row, name)
        if pd.isna(value) or (empty and not always):
            return None
        return float(value) if digits is None or always else round(float(value), digits)

    scale = None if pd.isna(row.scale) or empty or not row.scale else row.scale
    return Result(
        metric=row.metric,
        at=number("at", always=True),
        estimate=number("estimate"),
        std_error=number("std_error"),
        scale=scale,
        ci_low=number("ci_low"),
        ci_high=number("ci_high"),
        ci_method=row.ci_method,
        status=status,
        note=note,
    )


def _bins(
    p: Floats, outcome: np.ndarray[Any, np.dtype[np.bool_]], cuts: Sequence[float]
) -> list[Bin]:
    found = []
    for low, high in zip([0.0, *cuts], [*cuts, 1.0], strict=True):
        inside = (p >= low) & ((p < high) | (high == 1.0))
        found.append(
            Bin(
                low=low,
                high=high,
                patients=int(inside.sum()),
                cured=int((inside & outcome).sum()),
                predicted=round(float(p[inside].mean()), 2),
            )
        )
    return found


def _thresholds(
    p: Floats, outcome: np.ndarray[Any, np.dtype[np.bool_]], cuts: Sequence[float]
) -> list[Threshold]:
    n, cured = outcome.size, int(outcome.sum())
    found = []
    for cut in cuts:
        true, false = int((outcome & (p >= cut)).sum()), int((~outcome & (p >= cut)).sum())
        odds = cut / (1 - cut)
        found.append(
            Threshold(
                threshold=cut,
                tpr=true / cured,
                fpr=false / (n - cured),
                net_benefit=(true - odds * false) / n,
                treat_all=(cured - odds * (n - cured)) / n,
            )
        )
    return found
