"""What simulations showed is read from the benchmark's figures, and is said in rows."""

import numpy as np
import pytest

from thyrocast.contract.names import Design, Set
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


@pytest.mark.parametrize(("values", "said"), [(5, True), (40, False)])
def test_few_different_probabilities_are_remarked(values, said):
    n = 80
    sample = Sample(
        Design.EXTERNAL, "1", "reader", Set.TEST,
        patient=np.array([f"p{i}" for i in range(n)]), center=np.full(n, "north"),
        outcome=np.arange(n) % 3 > 0, probability=(np.arange(n) % values + 0.5) / values,
    )  # fmt: skip
    text = metrics.few_values(sample)
    assert bool(text) is said
    if said:
        assert text.startswith("5 different probabilities; in simulations, 95 % intervals covered")
