"""The estimated cure rate is that of the simulated patients, whoever is discharged early."""

import pytest

from benchmarks import follow_up as simulation


def test_early_decision_keeps_patients_who_are_discharged() -> None:
    """Of 100 patients 70 are cured; decided by visits alone it would seem to be 60."""
    found = simulation.cure_rates(6000, lost=0.0, seed=1)
    assert found["visit_only"] == pytest.approx(0.60, abs=0.015)
    assert found["early"] == pytest.approx(found["truth"])


def test_weighting_corrects_for_the_loss_of_the_undecided() -> None:
    found = simulation.cure_rates(6000, lost=0.3, seed=2)
    assert found["visit_only"] < 0.55
    assert found["early"] < found["truth"] - 0.02
    assert found["weighted"] == pytest.approx(found["truth"], abs=0.015)
