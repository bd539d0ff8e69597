"""What intervals, tests and prediction sets did in simulations, for the notes of tables."""

from collections.abc import Iterable

from thyrocast.evaluation import validity
from thyrocast.evaluation.validity import Range
from thyrocast.report import words

#: Command that measures all of it.
SOURCE = validity.SOURCE
#: Coverage of nominal 95 % intervals that needs no remark.
LEAST, MOST = 93.0, 97.0
#: True difference in AUC whose detection the benchmark simulates.
_GAP = ".10"
#: Tests of the mean difference over centers.
_OVER_CENTERS = tuple(
    f"mean difference in {name} over centers:rejections"
    for name in ("AUC", "Brier score", "net benefit")
)


def outside(metric: str, method: str) -> Range | None:
    """Coverage of an interval, %; None if it is between 93 and 97 %, or was not measured."""
    found = validity.measured(f"{metric}:{method}")
    if found is None or (found.low >= LEAST and found.high <= MOST):
        return None
    return found


def sentence(intervals: Iterable[tuple[str, str]]) -> str:
    """Say what intervals covered that do not cover 93 to 97 %; empty if there are none.

    Parameters
    ----------
    intervals
        Metric and ``ci_method`` of each.
    """
    named: dict[str, list[str]] = {}
    for metric, method in dict.fromkeys(intervals):
        found = outside(metric, method)
        if found is not None:
            named.setdefault(found.text, []).append(words.metric(metric))
    if not named:
        return ""
    parts = [f"{text} ({words.listing(names)})" for text, names in named.items()]
    return (
        f"In simulations, nominal 95 % intervals covered {'; '.join(parts)}, the others 93 to 97 % where "
        f"measured ({SOURCE}; docs/statistics.md)."
    )


def mean_differences() -> str:
    """How cautious tests of the mean difference over centers are, and what they can detect."""
    found = validity.measured(*_OVER_CENTERS)
    few, more = (validity.measured(f"power:{count}") for count in (3, 6))
    if found is None or few is None or more is None:
        return ""
    return (
        "The mean difference over centers is cautious: in simulations a test at 5 % rejected "
        f"{found.text} of true null hypotheses, and detected a true difference of {_GAP} in AUC in "
        f"{few.text} of studies of 3 centers with 40 patients each, and in {more.text} with 6 centers. With "
        f"few centers, a difference that is not significant says little ({SOURCE})."
    )


def cross_validated() -> str:
    """How often the test of cross-validated models rejects a true null hypothesis."""
    found = validity.measured("cross_validated:rejections")
    if found is None:
        return ""
    return (
        f"In simulations, a test of two cross-validated models at 5 % rejected {found.text} of true null "
        f"hypotheses ({SOURCE})."
    )


def likelihood_ratio() -> str:
    """How often the likelihood-ratio test rejects a true null hypothesis."""
    found = validity.measured("likelihood ratio:rejections")
    if found is None:
        return ""
    return (
        f"In simulations of 3 to 10 centers of 12 to 100 patients, a test at 5 % rejected {found.text} of "
        f"true null hypotheses ({SOURCE})."
    )


def prediction_sets() -> str:
    """What prediction sets of cross-fitted models covered in new patients like the training patients."""
    mean, some, all_ = (validity.measured(f"sets:{key}") for key in ("mean", "80", "90"))
    if mean is None or some is None or all_ is None:
        return ""
    return (
        "In simulations of 121 and 300 training patients, sets meant to contain 90 % of the true outcomes "
        f"contained {mean.text} on average, at least 80 % in {some.text} of studies, and at least 90 % in "
        f"{all_.text} of studies ({SOURCE}, for cured patients and patients not cured)."
    )
