"""No cell is misread in silence: it is read, or told with its row, or the run stops before any job."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.example_scans import center, cohort
from thyrocast.cohort import eligibility
from thyrocast.errors import InputError
from thyrocast.tables.clinical import ClinicalTable, read_table
from thyrocast.tables.dates import parse_date
from thyrocast.tables.numbers import Bound, parse_number
from thyrocast.tables.plausible import named_unit, other_centers


def read(tmp_path: Path, header: str, rows: list[str], **changes: Any) -> ClinicalTable:
    """Read a table of rows `cell;cell`; ours: header as in `columns`."""
    lines = [f"id;result;{header}", *(f"{n};yes;{row}" for n, row in enumerate(rows, 1))]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    named = dict(zip(changes.pop("ours").split(";"), header.split(";"), strict=True))
    columns = {"patient": "id", "outcome": "result"} | named
    config = center(clinical=str(tmp_path / "t.csv"), columns=columns, **changes)
    return read_table(config, cohort())


def values(table: ClinicalTable, name: str) -> list[Any]:
    return [patient.values[name] for patient in table.patients]


def therapies(tmp_path: Path, cells: list[str], **changes: Any) -> list[str | None]:
    table = read(tmp_path, "t", cells, ours="therapy_date", **changes)
    return [str(p.therapy) if p.therapy else None for p in table.patients]


# ---- dates


def test_the_order_of_dates_comes_from_the_whole_column(tmp_path: Path) -> None:
    assert therapies(tmp_path, ["5/31/2020", "3/4/2019"]) == ["2020-05-31", "2019-03-04"]
    assert therapies(tmp_path, ["31/5/2020", "3/4/2019"]) == ["2020-05-31", "2019-04-03"]
    assert therapies(tmp_path, ["20/05/31", "19/04/03"]) == ["2020-05-31", "2019-04-03"]
    # No language writes the month first between points.
    assert therapies(tmp_path, ["03.05.2020"]) == ["2020-05-03"]


def test_a_column_that_contradicts_the_config_stops(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"column 't': 1 of 2 dates .* order dmy .*\(row 2\).* mdy"
    ):
        therapies(tmp_path, ["5/31/2020", "3/4/2019"], date_order="dmy")
    with pytest.raises(InputError, match="different orders"):
        therapies(tmp_path, ["5/31/2020", "31/5/2020", "30/4/2019", "4/30/2019"])


def test_an_order_that_no_date_shows_must_be_configured(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="whether the order is dmy or mdy: set date_order"):
        therapies(tmp_path, ["03/05/2020", "1/2/2019"])
    assert therapies(tmp_path, ["03/05/2020"], date_order="mdy") == ["2020-03-05"]
    assert therapies(tmp_path, ["03/03/2020", "2020-05-31"]) == ["2020-03-03", "2020-05-31"]


def test_an_order_of_other_columns_is_used_and_told(tmp_path: Path) -> None:
    table = read(tmp_path, "t;b", ["3/5/2020;5/31/1970"], ours="therapy_date;birth_date")
    assert table.patients[0].therapy == datetime.date(2020, 3, 5)


@pytest.mark.parametrize(
    "cell",
    [
        "31.02.2020", "2020-13-45", "soon", "05/2020", "2020", "1900-01-01", "9999-12-31", "01.01.1970",
        "ca. 31.05.2020", "31.05.2020 / 12.06.2020", "18413", "01.01.2999", "12.5.1925",
    ],
)  # fmt: skip
def test_a_date_that_is_there_and_unreadable_excludes_the_patient(
    tmp_path: Path, cell: str
) -> None:
    table = read(tmp_path, "t", [cell, "2020-05-31"], ours="therapy_date", date_order="dmy")
    first, second = table.patients
    assert eligibility.exclusion(first) == "date of therapy not readable"
    assert eligibility.exclusion(second) == ""
    assert table.faults[0].startswith("center north, row 2, column 't': ")
    assert cell not in table.faults[0]


def test_an_unreadable_date_never_switches_the_scan_window_off(tmp_path: Path) -> None:
    table = read(tmp_path, "t", ["31.13.2020", ""], ours="therapy_date", date_order="dmy")
    assert [eligibility.exclusion(p) for p in table.patients] == [
        "date of therapy not readable",
        "",
    ]


def test_a_typing_error_excludes_one_patient(tmp_path: Path) -> None:
    days = [f"{day}/03/2020" for day in range(1, 29)]
    assert therapies(tmp_path, [*days, "3/30/2020"], date_order="dmy")[-2:] == ["2020-03-28", None]
    assert therapies(tmp_path, [*days, "3/30/2020"])[-2:] == ["2020-03-28", None]


def test_a_year_of_two_digits_is_before_the_therapy(tmp_path: Path) -> None:
    rows = ["2020-05-31;31.12.25", "2020-05-31;31.12.85"]
    table = read(tmp_path, "t;b", rows, ours="therapy_date;birth_date")
    assert [p.birth.year for p in table.patients if p.birth] == [1925, 1985]


@pytest.mark.parametrize(
    "text",
    [
        "31 de mayo de 2020", "31 mai 2020", "31. Mai 2020", "31 maggio 2020", "31 mei 2020",
        "31 maja 2020", "31 Mayıs 2020", "31 мая 2020", "31 de maio de 2020", "May 31st, 2020",
        "dimanche 31 mai 2020", "2020年5月31日", "20200531", "43982", "2020-05-31T08:15:00+02:00",
        "31.05.2020 08:15 Uhr", "31-MAY-20",
    ],
)  # fmt: skip
def test_dates_in_the_languages_of_tables(text: str) -> None:
    assert parse_date(text, "dmy").isoformat() == "2020-05-31"


# ---- numbers


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("35.2 H", 35.2), ("35,2 (H)", 35.2), ("1.110,5", 1110.5), ("1\u202f110,5", 1110.5),
        ("1\u00a0110.25", 1110.25), ("1'110.5", 1110.5), ("0,123", 0.123), ("12\u2009000", 12000),
        ("１２,５", 12.5), ("3,2*", 3.2), ("4,1↑", 4.1), ("\u200b7,5", 7.5), ("1234,567", 1234.567),
    ],
)  # fmt: skip
def test_numbers_as_laboratories_and_programs_write_them(cell: str, value: float) -> None:
    number = parse_number(cell)
    assert (number.value, number.thousands, number.bound) == (value, None, None)


@pytest.mark.parametrize(
    "cell", ["12 13", "10-15", "30 ± 5", "~30", "ca. 30", "1,2,3", "12.05.2020", "hoch"]
)
def test_what_is_not_one_number_is_none(cell: str) -> None:
    with pytest.raises(ValueError, match=r"not a number|not one number"):
        parse_number(cell)


def test_a_censored_value_keeps_its_bound(tmp_path: Path) -> None:
    table = read(tmp_path, "a", ["<0,3", "> 40", "5,5", "unter 1,75"], ours="trab")
    assert values(table, "trab") == [0.3, 40, 5.5, 1.75]
    assert [p.bounds.get("trab") for p in table.patients] == [
        Bound.BELOW, Bound.ABOVE, None, Bound.BELOW,
    ]  # fmt: skip


def test_a_mark_is_read_as_the_column_shows_it(tmp_path: Path) -> None:
    assert values(read(tmp_path, "a", ["1,110", "5,5"], ours="trab"), "trab") == [1.11, 5.5]
    assert values(read(tmp_path, "a", ["1,110", "5.5"], ours="trab"), "trab") == [1110, 5.5]
    assert values(read(tmp_path, "a", ["1.110", "555"], ours="activity"), "activity") == [1110, 555]


def test_a_mark_with_two_meanings_is_told_and_missing(tmp_path: Path) -> None:
    table = read(tmp_path, "a", ["1,110", "5"], ours="trab")
    assert values(table, "trab") == [None, 5]
    assert table.faults == [
        "center north, row 2, column 'a': the comma may be a decimal or a thousands separator"
    ]


# ---- units


@pytest.mark.parametrize(
    ("ours", "cells", "message"),
    [
        ("activity", ["15", "10", "12,5"], r"the median of its 3 numbers is 12.5 MBq.* fits mCi better"),
        ("ft4", ["2,5", "3,1", "1,9"], r"2.5 pmol/L.* fits ng/dL better: set units.ft4"),
        ("uptake_24h", [".62", ".7", ".5"], r"fits fraction better"),
        ("age", ["520", "612", "380"], r"fits months better"),
        ("activity", ["0,4", "0,555", "0,6"], r"fits GBq better"),
    ],
)  # fmt: skip
def test_numbers_that_fit_another_unit_stop(
    tmp_path: Path, ours: str, cells: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, "x", cells, ours=ours)


def test_unusual_values_are_accepted_if_the_config_says_so(tmp_path: Path) -> None:
    cells = ["2,5", "3,1", "1,9"]
    table = read(tmp_path, "x", cells, ours="ft4", accept={"unusual_values": ["ft4"]})
    assert values(table, "ft4") == [2.5, 3.1, 1.9]


def test_two_units_in_one_column_stop(tmp_path: Path) -> None:
    cells = ["555", "600", "400", "370", "740", "15", "10", "20", "12"]
    with pytest.raises(InputError, match=r"4 of its 9 numbers are about 13.5, which fits mCi"):
        read(tmp_path, "x", cells, ours="activity")


def test_a_unit_in_the_name_of_a_column_counts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its name says mCi, but units.activity is MBq"):
        read(tmp_path, "Akt. [mCi]", ["15"], ours="activity")
    table = read(tmp_path, "Akt. [mCi]", ["15"], ours="activity", units={"activity": "mCi"})
    assert values(table, "activity") == [555]


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("fT4 [ng/dl]", "ft4", "ng/dl"), ("ft4_pmol_l", "ft4", "pmol/l"), ("i131_mbq", "activity", "MBq"),
        ("Dosis I131 (mCi)", "activity", "mCi"), ("FT4 (12-22 pmol/L)", "ft4", "pmol/L"),
        ("Peso tiroides (g)", "gland_mass", "g"), ("TRAb", "trab", None), ("age", "age", None),
        ("Captación 24 h (%)", "uptake_24h", "%"), ("T4 libre", "ft4", None),
    ],
)  # fmt: skip
def test_units_in_names(header: str, name: str, unit: str | None) -> None:
    assert named_unit(header, name) == unit


def test_a_unit_in_a_cell_applies_to_the_cell(tmp_path: Path) -> None:
    cells = ["12,50 mCi", "555 MBq", "0,4 GBq", "600"]
    assert values(read(tmp_path, "x", cells, ours="activity"), "activity") == [462.5, 555, 400, 600]
    table = read(
        tmp_path, "x", ["62 %", "0.5"], ours="uptake_24h", units={"uptake_24h": "fraction"}
    )
    assert values(table, "uptake_24h") == [62, 50]
    table = read(tmp_path, "x", ["5 mg/d"], ours="activity")
    assert values(table, "activity") == [None]
    assert "its unit can't be converted to MBq" in table.faults[0]


def test_a_center_far_from_the_others_names_the_unit_that_would_explain_it() -> None:
    medians = {"north": (1.0, 21.0), "south": (1.0, 28.0), "west": (1.0, 3.5)}
    assert other_centers("withdrawal_days", medians) == {"west": ["weeks"]}
    assert other_centers("withdrawal_days", medians | {"west": (1.0, 14.0)}) == {}


# ---- codes and whole columns


def test_a_column_in_which_no_cell_is_readable_stops(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"column 's': none of its 3 cells can be read \(row 2"):
        read(tmp_path, "s", ["Frau", "Mann", "Frau"], ours="sex")
    with pytest.raises(InputError, match="column 'x': none of its 3 cells"):
        read(tmp_path, "x", ["hoch", "hoch", "?"], ours="ft4")
    with pytest.raises(InputError, match="column 't': none of its 3 cells"):
        read(tmp_path, "t", ["Mai", "2020", "bald"], ours="therapy_date")


@pytest.mark.parametrize("cell", ["WAHR", "VRAI", "TRUE", "Verdadero", "1", "ja"])
def test_a_truth_value_is_yes_in_every_language(tmp_path: Path, cell: str) -> None:
    assert values(read(tmp_path, "o", [cell], ours="orbitopathy"), "orbitopathy") == ["yes"]
    coded = read(
        tmp_path, "s", [cell], ours="smoking", codes={"smoking": {cell.title(): "current"}}
    )
    assert values(coded, "smoking") == ["current"]


def test_codes_in_separate_letters_and_accents(tmp_path: Path) -> None:
    rows = ["Varo\u0301n", "Var\u00f3n\u00a0", "mujer"]
    codes = {"sex": {"Varón": "male", "Mujer": "female"}}
    table = read(tmp_path, "s", rows, ours="sex", codes=codes)
    assert values(table, "sex") == ["male", "male", "female"]


def test_a_number_as_identifier(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,result\n1234.0,yes\n007,no\n")
    table = read_table(center(clinical=str(tmp_path / "t.csv")), cohort())
    assert [patient.identifier for patient in table.patients] == ["1234", "007"]


def test_identifiers_that_lost_digits_stop(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,result\n1.23457E+15,yes\n007,no\n")
    with pytest.raises(InputError, match="column 'id', row 2: 1 identifiers have an exponent"):
        read_table(center(clinical=str(tmp_path / "t.csv")), cohort())


@pytest.mark.parametrize(
    ("tsh", "ft4", "known"),
    [
        ("<0.4", "15", True), ("<0.01", "15", True), ("<0.5", "15", False), (">4", "8", True),
        (">3", "8", False), ("1", ">22", True), ("1", ">20", False), ("1", "<12", True),
    ],
)  # fmt: skip
def test_a_limit_counts_only_if_it_decides(tmp_path: Path, tsh: str, ft4: str, known: bool) -> None:
    (tmp_path / "t.csv").write_text(f"id,t,d,tsh,ft4\n1,2020-01-01,2021-01-01,{tsh},{ft4}\n")
    visit = {"date": "d", "tsh": "tsh", "ft4": "ft4"}
    settings = {
        "columns": {"patient": "id", "therapy_date": "t"},
        "outcome": {"rule": "followup", "visits": [visit]},
    }
    table = read_table(center(clinical=str(tmp_path / "t.csv"), **settings), cohort())
    (found,) = table.patients[0].followup.visits
    assert (found.tsh is not None and found.ft4 is not None) is known
    assert bool(table.faults) is not known
    if tsh == "<0.4":
        assert found.tsh is not None
        assert found.tsh < 0.4
