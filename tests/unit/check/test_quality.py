"""Measured quantities that contradict what the pretrained network reads."""

import pytest

from thyrocast.check.quality import contradicted, contradiction

USUAL = {
    "q_mass": 30.0, "q_mass_sd": 6.0, "p_mass": 34.0, "p_mass_sd": 6.0,
    "q_uptake": 5.0, "q_uptake_sd": 1.0, "p_uptake": 6.0, "p_uptake_sd": 2.0,
}  # fmt: skip


def test_usual_differences_are_no_contradiction() -> None:
    assert not contradicted(USUAL)


@pytest.mark.parametrize(("name", "value"), [("mass", 100.0), ("mass", 8.0), ("uptake", 60.0)])
def test_values_far_from_those_that_are_read(name: str, value: float) -> None:
    # The relative uncertainty of a measured quantity does not depend on its unit.
    relative = USUAL[f"q_{name}_sd"] / USUAL[f"q_{name}"]
    row = USUAL | {f"q_{name}": value, f"q_{name}_sd": relative * value}
    assert contradiction(name, row)
    assert contradicted(row)


def test_an_uncertain_value_contradicts_nothing() -> None:
    assert not contradicted(USUAL | {"q_mass": 100.0, "q_mass_sd": 80.0})


@pytest.mark.parametrize("missing", ["q_mass", "q_mass_sd", "p_mass", "p_mass_sd"])
def test_a_missing_value_contradicts_nothing(missing: str) -> None:
    assert not contradiction("mass", USUAL | {"q_mass": 300.0, "q_mass_sd": 60.0, missing: None})
    assert not contradiction(
        "mass", USUAL | {"q_mass": 300.0, "q_mass_sd": 60.0, missing: float("nan")}
    )


def test_a_value_of_zero_contradicts_nothing() -> None:
    assert not contradiction("mass", USUAL | {"q_mass": 0.0})
