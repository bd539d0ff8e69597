"""Numbers of an exchange file that no run writes: they would be pooled as if they were results.

Imported by the launcher: standard library and pydantic only.
"""

import math
from collections import Counter
from collections.abc import Iterator
from statistics import NormalDist

from thyrocast.contract.cohort import COHORT
from thyrocast.contract.exchange import (
    ROUNDED,
    SCALES,
    Bin,
    Counted,
    Exchange,
    ModelResults,
    Result,
    Summary,
)
from thyrocast.contract.names import UNSEEN_CENTERS, Metric, Model, Scale, Status

#: Values that an estimate may have, where there is a limit.
_RANGES = {
    Metric.AUC: (0.0, 1.0),
    Metric.BRIER: (0.0, 1.0),
    Metric.SCALED_BRIER: (-math.inf, 1.0),
    Metric.OE_RATIO: (0.0, math.inf),
    Metric.NET_BENEFIT: (-math.inf, 1.0),
}
#: Half of the last digit of rounded numbers, and tolerance of exact ones.
_HALF, _EXACT = 0.005 + 1e-9, 1e-9
#: How many times the normal quantile a limit may be nearer or farther from its estimate.
_NEAREST, _FARTHEST = 0.2, 10.0
#: More patients than any center has.
_MOST = 1_000_000


def damages(found: Exchange) -> Iterator[str]:
    """Yield what contradicts itself in an exchange file, each as a clause that says what to do."""
    for text in faults(found):
        yield f"{text}: it was edited or is damaged; ask for the file again"


def faults(found: Exchange) -> Iterator[str]:
    """Yield what contradicts itself in an exchange file, each as a clause about the file."""
    if found.design not in UNSEEN_CENTERS:
        yield f"is about the design {found.design}, expected {' or '.join(UNSEEN_CENTERS)}"
    if found.cured > found.patients:
        yield f"has {found.cured} cured of {found.patients} patients, expected at most as many"
        return
    if found.patients > _MOST:
        yield f"has {found.patients} patients, expected the patients of one center"
        return
    rule = found.rule
    if (
        found.patients < rule.patients
        or min(found.cured, found.patients - found.cured) < rule.outcomes
    ):
        yield (
            f"has {found.patients} patients ({found.cured} cured), fewer than its own rule allows "
            f"({rule.patients}, and {rule.outcomes} of each outcome)"
        )
    yield from _flow(found)
    for summary in (found.acquisition, found.clinical):
        yield from _summary(summary, found.patients)
    if not found.models:
        yield "has no results of any model"
    for name, model in found.models.items():
        if name not in [*Model]:
            yield f"has results of {name!r}, expected models of thyrocast ({', '.join(Model)})"
            continue
        for text in _model(model, found):
            yield f"has for {name} {text}"


def _flow(found: Exchange) -> Iterator[str]:
    flow = found.flow
    if flow is None:
        return
    if flow.analyzed < found.patients:
        yield f"has {flow.analyzed} patients analyzed, but {found.patients} scored"
    if flow.found is None:
        return
    excluded = [one.patients for one in flow.excluded]
    rest = flow.found - flow.analyzed - sum(filter(None, excluded))
    if rest < 0 or (rest > 0 and None not in excluded):
        yield (
            f"has {flow.found} patients found, of whom {flow.analyzed} were analyzed and "
            f"{sum(filter(None, excluded))} excluded, which do not add up"
        )


def _summary(summary: Summary, patients: int) -> Iterator[str]:
    for name, counted in summary.categories.items():
        if name not in COHORT.names:
            yield f"describes patients by {name!r}, which is no column of the cohort"
        elif not _adds_up(counted, patients):
            yield f"has categories of {name} that do not add up to {patients} patients"
    for name, one in summary.numbers.items():
        if name not in COHORT.names:
            yield f"describes patients by {name!r}, which is no column of the cohort"
        elif one.unit != COHORT.column(name).unit:
            yield f"has {name} in {one.unit!r}, expected {COHORT.column(name).unit!r}"
        elif len({one.patients is None, one.mean is None, one.sd is None}) > 1:
            yield f"has only a part of patients, mean and standard deviation of {name}"
        elif (one.patients or 0) > patients or (one.sd or 0.0) < 0:
            yield f"has {name} of {one.patients} patients with standard deviation {one.sd}"


def _adds_up(counted: list[Counted], patients: int) -> bool:
    rest = patients - sum(one.patients or 0 for one in counted)
    return rest >= 0 if any(one.patients is None for one in counted) else rest == 0


def _model(model: ModelResults, found: Exchange) -> Iterator[str]:
    bad = [*_bins(model.bins, found)]
    yield from bad
    twice = [pair for pair, n in Counter((r.metric, r.at) for r in model.results).items() if n > 1]
    for metric, _ in twice:
        yield f"the metric {metric.value} twice"
    for one in model.results:
        yield from _result(one, found.level)
    if not bad:
        yield from _thresholds(model, found)
        yield from _against_bins(model, found)


def _bins(bins: list[Bin], found: Exchange) -> Iterator[str]:
    ends = [0.0, *(one.high for one in bins)]
    starts = [*(one.low for one in bins), 1.0]
    if not bins or ends != starts or sorted(set(ends)) != ends:
        yield "bins that do not follow each other from 0 to 1"
        return
    totals = (sum(one.patients for one in bins), sum(one.cured for one in bins))
    if totals != (found.patients, found.cured):
        yield (
            f"bins with {totals[0]} patients ({totals[1]} cured), expected {found.patients} "
            f"({found.cured})"
        )
    for one in bins:
        if one.cured > one.patients or not one.low - _HALF <= one.predicted <= one.high + _HALF:
            yield (
                f"a bin from {one.low:g} to {one.high:g} with {one.cured} cured of {one.patients} and a mean of "
                f"{one.predicted:g}, which is impossible"
            )


def _result(one: Result, level: float) -> Iterator[str]:
    name, low, value, high = one.metric.value, one.ci_low, one.estimate, one.ci_high
    if one.metric not in SCALES and one.metric not in ROUNDED:
        yield f"the metric {name}, which no exchange file contains"
        return
    if (value is None) == (one.status is Status.ESTIMATED):
        yield f"the metric {name} with the status {one.status.value}, but {value} as estimate"
    if value is None:
        return
    least, most = _RANGES.get(one.metric, (-math.inf, math.inf))
    if not least <= value <= most:
        yield f"a {name} of {value:g}, which is impossible"
    elif low is not None and high is not None and not low <= value <= high:
        yield f"a {name} of {value:g} outside of its own limits {low:g} to {high:g}"
    elif one.metric in SCALES:
        yield from _error(one, value, level)


def _error(one: Result, value: float, level: float) -> Iterator[str]:
    """Yield a standard error that is not that of the interval: it decides the center's weight."""
    scale, low, high = SCALES[one.metric], one.ci_low, one.ci_high
    if one.std_error is None:
        return
    if one.scale is not scale:
        yield f"the {one.metric.value} on another scale ({one.scale}), expected {scale.value}"
    elif one.metric is Metric.NET_BENEFIT and one.std_error == 0:
        # Nobody is treated: no patient contributes anything, but the limits allow that others would be. Centers are
        # weighted by their numbers of patients.
        return
    elif low is not None and high is not None:
        ends = [_scaled(each, scale) for each in (low, value, high)]
        width = (ends[2] - ends[0]) / 2
        usual = NormalDist().inv_cdf((1 + level) / 2) * one.std_error
        if math.isfinite(width) and not _NEAREST * usual <= width <= _FARTHEST * usual:
            yield (
                f"a {one.metric.value} whose standard error {one.std_error:g} does not fit its limits "
                f"{low:g} to {high:g}"
            )


def _scaled(value: float, scale: Scale) -> float:
    if scale is Scale.IDENTITY:
        return value
    if value <= 0 or (scale is Scale.LOGIT and value >= 1):
        return math.nan
    return math.log(value) if scale is Scale.LOG else math.log(value / (1 - value))


def _thresholds(model: ModelResults, found: Exchange) -> Iterator[str]:
    cuts = [one.low for one in model.bins[1:]]
    if [one.threshold for one in model.thresholds] != cuts:
        yield "thresholds that are not the limits of its bins"
        return
    rest = found.patients - found.cured
    for number, one in enumerate(model.thresholds, start=1):
        true = sum(each.cured for each in model.bins[number:])
        false = sum(each.patients for each in model.bins[number:]) - true
        odds = one.threshold / (1 - one.threshold)
        expected = (
            true / found.cured if found.cured else math.nan,
            false / rest if rest else math.nan,
            (true - odds * false) / found.patients,
            (found.cured - odds * rest) / found.patients,
        )
        stated = (one.tpr, one.fpr, one.net_benefit, one.treat_all)
        if not all(abs(a - b) <= _EXACT for a, b in zip(stated, expected, strict=True)):
            yield f"rates or net benefit at {one.threshold:g} that do not follow from its bins"


def _against_bins(model: ModelResults, found: Exchange) -> Iterator[str]:
    """Yield estimates that patients with these bins cannot have."""
    estimates = {one.metric: one for one in model.results if one.estimate is not None}
    value = {metric: float(one.estimate or 0.0) for metric, one in estimates.items()}
    pairs = found.cured * (found.patients - found.cured)
    if Metric.AUC in value and pairs:
        below, certain, open_ = 0, 0, 0
        for one in model.bins:
            certain += one.cured * below
            open_ += one.cured * (one.patients - one.cured)
            below += one.patients - one.cured
        low, high = certain / pairs, (certain + open_) / pairs
        if not low - _EXACT <= value[Metric.AUC] <= high + _EXACT:
            yield f"an auc of {value[Metric.AUC]:g}, but its bins allow {low:.3f} to {high:.3f}"
    if value.get(Metric.OE_RATIO):
        expected = found.cured / value[Metric.OE_RATIO]
        binned = sum(one.patients * one.predicted for one in model.bins)
        if abs(expected - binned) > _HALF * found.patients:
            yield (
                f"an oe_ratio of {value[Metric.OE_RATIO]:g}, which is not that of its bins "
                f"({found.cured / binned:.3f})"
            )
    benefit = estimates.get(Metric.NET_BENEFIT)
    for each in model.thresholds:
        if benefit is None or benefit.at != each.threshold:
            continue
        stated = value[Metric.NET_BENEFIT]
        if abs(stated - each.net_benefit) > _EXACT:
            yield f"a net_benefit of {stated:g}, but {each.net_benefit:g} by its bins"
