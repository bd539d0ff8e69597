"""Estimates: the rows of the table `PERFORMANCE` before they have a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

import pandas as pd

from thyrocast.contract.names import Metric, Scale, Status
from thyrocast.evaluation.samples import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics.inputs import NotEstimableError
from thyrocast.statistics.intervals import Interval


@dataclass(frozen=True)
class Estimate:
    """One metric with one kind of interval; the attributes are columns of `PERFORMANCE`."""

    metric: Metric
    status: Status
    at: float | None = None
    rule: str = ""
    estimate: float | None = None
    std_error: float | None = None
    scale: Scale | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_method: str = ""
    note: str = ""


#: Computes estimates of a sample.
Scorer = Callable[[Sample, Settings], Iterable[Estimate]]
_COLUMNS = [field.name for field in fields(Estimate)]


def estimated(metric: Metric, found: Interval, note: str = "", at: float | None = None) -> Estimate:
    """Estimate of a metric from its interval."""
    return Estimate(
        metric,
        Status.ESTIMATED,
        at,
        estimate=found.estimate,
        std_error=found.std_error,
        scale=None if found.scale is None else Scale(found.scale),
        ci_low=found.low,
        ci_high=found.high,
        ci_method=found.method,
        note=note,
    )


def not_estimable(
    metric: Metric, reason: object, at: float | None = None, method: str = ""
) -> Estimate:
    """Estimate of a metric that cannot be estimated from these patients.

    `method` is the kind of interval; it is given for rows that are not the headline, because these
    would otherwise have the same key as the headline.
    """
    return Estimate(metric, Status.NOT_ESTIMABLE, at, ci_method=method, note=str(reason))


def of(
    metric: Metric,
    compute: Callable[[Sample, Settings], Interval],
    *,
    note: Callable[[Sample, Interval], str] = lambda _sample, _found: "",
    when: Callable[[Sample], bool] = lambda _sample: True,
    at: Callable[[Settings], float | None] = lambda _settings: None,
) -> Scorer:
    """Return a scorer that computes one metric by a function.

    Parameters
    ----------
    metric
        Name of the metric.
    compute
        Returns the metric of a sample with its interval, or raises `NotEstimableError`.
    note
        Remark for the reader; empty for none.
    when
        Whether the metric is computed for a sample.
    at
        Threshold probability of a net benefit.
    """

    def score(sample: Sample, settings: Settings) -> Iterator[Estimate]:
        if not when(sample):
            return
        try:
            found = compute(sample, settings)
        except NotEstimableError as reason:
            yield not_estimable(metric, reason, at(settings))
        else:
            yield estimated(metric, found, note(sample, found), at(settings))

    return score


def frame(sample: Sample, estimates: Iterable[Estimate]) -> pd.DataFrame:
    """Rows of `PERFORMANCE` of a sample."""
    rows = list(estimates)
    cells = {name: [getattr(row, name) for row in rows] for name in _COLUMNS}
    counts = {"n": sample.patients, "events": sample.events}
    return pd.DataFrame(
        sample.keys() | {"variable": sample.group.variable} | counts | cells, index=range(len(rows))
    )
