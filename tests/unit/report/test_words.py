import math

import numpy as np
import pandas as pd
import pytest

from thyrocast.pages import numbers
from thyrocast.report import words


@pytest.mark.parametrize("value", [None, math.nan, math.inf, "", "x", np.nan, True, pd.NA])
def test_a_missing_number_is_a_dash(value):
    for write in (
        numbers.number,
        numbers.percent,
        numbers.count,
        numbers.p_value,
        numbers.significant,
    ):
        assert write(value) == numbers.MISSING
    assert numbers.estimate(value, 0.1, 0.2) == numbers.MISSING


def test_an_estimate_has_two_digits_and_its_interval():
    assert numbers.estimate(0.8123, 0.7249, 0.9) == "0.81 (0.72 to 0.90)"
    assert numbers.estimate(0.8123, math.nan, 0.9) == "0.81"
    assert numbers.estimate(-0.5, -0.75, -0.25) == "−0.50 (−0.75 to −0.25)"


def test_a_number_rounded_to_zero_has_no_sign():
    assert numbers.number(-0.001) == "0.00"
    assert numbers.percent(-0.0001) == "0\N{NO-BREAK SPACE}%"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00001, "< 0.001"), (0.0123, "0.012"), (0.5, "0.50"), (1.0, "1.00"), (0.001, "0.001")],
)
def test_p_values_as_journals_print_them(value, text):
    assert numbers.p_value(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1234567, "1,234,567"), (0.012345, "0.0123"), (43.21, "43.2"), (0, "0")]
)
def test_quantities_have_three_significant_digits(value, text):
    assert numbers.significant(value) == text


def test_quartiles_of_whole_numbers_are_whole():
    assert numbers.quartiles(pd.Series([10, 20, 30, 40, 50])) == ("30", "20 to 40")
    assert numbers.quartiles(pd.Series([1.5, 2.5, 3.5])) == ("2.50", "2.00 to 3.00")
    assert numbers.quartiles(pd.Series([np.nan, None])) == (numbers.MISSING, "")


def test_names_of_the_contract_become_words():
    assert words.metric("net_benefit", 0.6) == "Net benefit at 0.6"
    assert words.metric("auc", math.nan) == "AUC"
    assert words.group("center", "", "north") == "north"
    assert words.group("subgroup", "gland_mass", ">=40") == "Gland mass, g: >=40"
    assert words.group("pooled", "", "") == "All patients"
    assert words.model("anyone_else") == "Anyone else"
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert words.column("uptake_24h") == "Iodine uptake at 24 h, %"
