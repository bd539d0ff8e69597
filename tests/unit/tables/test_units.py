"""Units of the config and of single cells give the factors that pint gives, or none."""

import re

import pint
import pytest

from thyrocast.errors import InputError
from thyrocast.tables.units import MOLAR_MASS, UNITS, convert, factor, parse_unit

CASES = [
    ("ft4", "ng/dL"), ("ft4", "ng/L"), ("ft4", "pg/mL"), ("ft4", "µg/L"), ("ft4", "nmol/L"),
    ("ft4", "pmol/l"), ("ft4", "fmol/mL"), ("ft3", "pg/mL"), ("ft3", "ng/dL"), ("ft3", "pmol/L"),
    ("activity", "mCi"), ("activity", "Ci"), ("activity", "GBq"), ("activity", "kBq"),
    ("activity", "MBq"), ("gland_mass", "mL"), ("gland_mass", "cm^3"), ("gland_mass", "kg"),
    ("gland_mass", "g"), ("age", "months"), ("age", "years"), ("withdrawal_days", "weeks"),
    ("withdrawal_days", "months"), ("withdrawal_days", "h"), ("uptake_24h", "percent"),
    ("trab", "mIU/mL"), ("trab", "kIU/L"), ("trab", "IU/L"), ("tsh", "uIU/mL"), ("tsh", "mIU/L"),
]  # fmt: skip


@pytest.fixture(scope="module")
def registry() -> pint.UnitRegistry:
    found = pint.UnitRegistry()
    found.define("IU = [international_unit] = international_unit")
    return found


@pytest.mark.parametrize(("column", "unit"), CASES)
def test_factors_are_those_of_pint(registry: pint.UnitRegistry, column: str, unit: str) -> None:
    given = registry.Quantity(1.0, unit)
    if column == "gland_mass" and given.check("[volume]"):
        given = given * registry.Quantity("1 g/mL")
    if column in MOLAR_MASS and given.check("[mass]/[volume]"):
        given = given / registry.Quantity(MOLAR_MASS[column], "g/mol")
    assert convert(column, unit) == pytest.approx(given.to(UNITS[column]).magnitude, rel=1e-9)


@pytest.mark.parametrize(
    ("column", "unit", "same"),
    [
        ("trab", "U/l", "IU/L"), ("trab", "UI/L", "IU/L"), ("trab", "mU/ml", "mIU/mL"),
        ("tsh", "µUI/ml", "mIU/L"), ("tsh", "\u03bcIU/mL", "mIU/L"), ("ft4", "ng/dl", "ng/dL"),
        ("ft4", "PMOL/L", "pmol/L"), ("ft4", "mcg/dl", "µg/dL"), ("activity", "mci", "mCi"),
        ("activity", "Millicurie", "mCi"), ("age", "ans", "years"), ("age", "Jahre", "years"),
        ("age", "meses", "months"), ("withdrawal_days", "Wochen", "weeks"),
        ("uptake_24h", "%", "percent"), ("gland_mass", "ccm", "mL"),
    ],
)  # fmt: skip
def test_units_as_laboratories_write_them(column: str, unit: str, same: str) -> None:
    assert convert(column, unit) == convert(column, same) is not None


def test_a_fraction_is_a_hundredth_of_a_percentage() -> None:
    assert convert("uptake_24h", "fraction") == 100


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("ft4", "furlong"), ("ft4", "MBq"), ("ft4", ""), ("ft4", "ng/"), ("ft4", "ng/dL/min"),
        ("activity", "H"), ("activity", "mCi/kg"), ("trab", "ng/dL"), ("age", "mL"),
        ("uptake_24h", "mCi"),
    ],
)  # fmt: skip
def test_a_unit_of_something_else_is_refused(column: str, unit: str) -> None:
    assert convert(column, unit) is None
    with pytest.raises(
        InputError, match=rf"center north, key units\.{column}: {re.escape(repr(unit))} can't"
    ):
        factor(column, unit, "north")


@pytest.mark.parametrize("text", ["H", "see letter", "5 mg", "mg/d", "1/2"])
def test_words_are_no_units_of_ours(text: str) -> None:
    found = parse_unit(text)
    assert found is None or all(convert(column, text) is None for column in ("ft4", "activity"))


@pytest.mark.parametrize("column", ["activity", "tc_activity"])
def test_units_without_capital_letters_or_with_nothing_else(column: str) -> None:
    """Nobody measures millibecquerel or megacurie; ``mBq``, however, is written in full."""
    assert (convert(column, "mbq"), convert(column, "MCI")) == (1.0, 37.0)
    assert (convert(column, "mBq"), convert(column, "MCi")) == (1e-9, 3.7e10)
