"""What intervals covered in simulations, where it is not between 93 and 97 %.

The numbers are those of docs/statistics.md, from the benchmark that is named; a test compares them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from thyrocast.contract.names import Metric
from thyrocast.report import words


@dataclass(frozen=True)
class Coverage:
    """Share of simulated studies in which a nominal 95 % interval contained the true value.

    Attributes
    ----------
    low, high
        Lowest and highest coverage over the simulated settings, %.
    source
        Command that measures it.
    """

    low: float
    high: float
    source: str

    @property
    def sentence(self) -> str:
        """The range and its source: ``92.0 to 96.2 %``."""
        return f"{self.low:g} to {self.high:g} %"


_INTERVALS = "benchmarks/coverage_of_intervals.py"
_VALIDITY = "benchmarks/validity.py"
#: By metric and ``ci_method``. Intervals that are not listed covered 93 to 97 %, or were not measured.
COVERAGE: Mapping[tuple[str, str], Coverage] = {
    (Metric.AUC, "newcombe"): Coverage(95.1, 97.2, _INTERVALS),
    (Metric.AUC, "corrected_resampled_t"): Coverage(94.0, 97.5, _VALIDITY),
    (Metric.AUC, "reml_hartung_knapp_truncated"): Coverage(95.5, 100.0, _VALIDITY),
    (Metric.PPV, "wilson"): Coverage(93.6, 97.9, _INTERVALS),
    (Metric.NPV, "wilson"): Coverage(93.6, 97.9, _INTERVALS),
    (Metric.ACCURACY, "wilson"): Coverage(93.6, 97.9, _INTERVALS),
    (Metric.LOG_LOSS, "log_t"): Coverage(92.7, 96.2, _INTERVALS),
    (Metric.ICI, "drawn_curves"): Coverage(94, 98, _INTERVALS),
    (Metric.E50, "drawn_curves"): Coverage(93, 98, _INTERVALS),
    (Metric.E90, "drawn_curves"): Coverage(93, 98, _INTERVALS),
}
#: Rejections of a true null hypothesis at 5 % by the mean difference over centers, %.
MEAN_DIFFERENCE = Coverage(0.0, 1.8, _VALIDITY)


def sentence(intervals: Iterable[tuple[str, str]]) -> str:
    """Say what intervals covered that do not cover 93 to 97 %; empty if there are none.

    Parameters
    ----------
    intervals
        Metric and ``ci_method`` of each.
    """
    named: dict[Coverage, list[str]] = {}
    for metric, method in dict.fromkeys(intervals):
        found = COVERAGE.get((metric, method))
        if found is not None:
            named.setdefault(found, []).append(words.metric(metric))
    if not named:
        return ""
    parts = [f"{found.sentence} ({words.listing(names)})" for found, names in named.items()]
    sources = words.listing(sorted({found.source for found in named}))
    return (
        f"In simulations, nominal 95 % intervals covered {'; '.join(parts)}, the others 93 to 97 % where "
        f"measured ({sources}; docs/statistics.md)."
    )
