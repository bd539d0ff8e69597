"""What simulations showed is read from the benchmark's figures, and is said in rows."""

import numpy as np
import pytest

from thyrocast.contract.names import Design, Metric, Set
from thyrocast.evaluation import metrics, validity
from thyrocast.evaluation.samples import Sample


@pytest.mark.parametrize(
    ("low", "high", "text"), [(92.1, 96.2, "92 to 97 %"), (100, 100, "100 %"), (0, 1.5, "0 to 2 %")]
)
def test_a_range_is_rounded_outwards(low, high, text):
    assert validity.Range(low, high).text == text


def test_ranges_are_joined_and_what_was_not_measured_has_none():
    one, other = (validity.measured(f"{name}:few_values") for name in ("e50", "e90"))
    both = validity.measured("e50:few_values", "e90:few_values", "no such key")
    assert one is not None
    assert other is not None
    assert both == (min(one.low, other.low), max(one.high, other.high))
    assert validity.measured("no such key") is None


def reading(n: int, values: int) -> Sample:
    """A sample of n patients whose probabilities have so many different values."""
    return Sample(
        Design.EXTERNAL, "1", "reader", Set.TEST,
        patient=np.array([f"p{i}" for i in range(n)]), center=np.full(n, "north"),
        outcome=np.arange(n) % 3 > 0, probability=(np.arange(n) % values + 0.5) / values,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("n", "values", "said"), [(80, 5, True), (80, 40, False), (10, 5, False), (11, 5, True)]
)
def test_few_different_probabilities_are_remarked(n, values, said):
    text = metrics.few_values(reading(n, values), Metric.ICI)
    assert bool(text) is said
    if said:
        assert text.startswith("5 different probabilities; in simulations, 95 % intervals covered")


def test_the_remark_on_few_values_is_that_of_the_metric():
    sample = reading(80, 5)
    for metric in (Metric.ICI, Metric.E50, Metric.E90):
        found = validity.measured(f"{metric.value}:few_values")
        assert metrics.few_values(sample, metric).endswith(f"covered {found.text}")
    assert not metrics.few_values(sample, Metric.EMAX)
