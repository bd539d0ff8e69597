"""The document that a data manager checks contains the evidence for every column."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.unit.example_scans import center, cohort
from thyrocast.contract import documents
from thyrocast.contract.documents import ColumnUnderstanding, Understanding
from thyrocast.contract.names import ColumnKind, OrderSource
from thyrocast.tables.clinical import read_table
from thyrocast.tables.resemblance import by_content, by_name
from thyrocast.tables.understanding import log_warnings, understand

HEAD = "id;result;therapy;born;ft4;sex;Gewicht Schilddr\u00fcse;Raucher\n"
ROWS = (
    "1;yes;03/05/2020;31/12/1970;25,5;w;30;ja\n"
    "2;no;04/06/2020;30/11/1980;2,5 ng/dl;m;25;nein\n"
    "3;yes;05/05/2020;01/02/1990;>40;x?;28;ja\n"
    "4;maybe;31/02/2020;15/03/1965;hoch;w;;nein\n"
)
COLUMNS = {
    "patient": "id", "outcome": "result", "therapy_date": "therapy", "birth_date": "born",
    "ft4": "ft4", "sex": "sex",
}  # fmt: skip


@pytest.fixture
def found(tmp_path: Path) -> Understanding:
    (tmp_path / "t.csv").write_text(HEAD + ROWS, encoding="utf-8")
    config = center(
        clinical=str(tmp_path / "t.csv"), columns=COLUMNS, codes={"sex": {"w": "female"}}
    )
    return understand(config, read_table(config, cohort()))


def column(found: Understanding, header: str) -> ColumnUnderstanding:
    (one,) = [one for one in found.columns if one.header == header]
    return one


def test_unreadable_cells_are_listed_with_row_and_text(found: Understanding) -> None:
    ft4 = column(found, "ft4")
    assert (ft4.kind, ft4.rows, ft4.readable, ft4.unreadable) == (ColumnKind.NUMBER, 4, 3, 1)
    assert [(cell.row, cell.text) for cell in ft4.examples] == [(5, "hoch")]
    therapy = column(found, "therapy")
    assert [(cell.row, cell.text) for cell in therapy.examples] == [(5, "31/02/2020")]


def test_numbers_have_their_unit_and_its_evidence(found: Understanding) -> None:
    number = column(found, "ft4").number
    assert number is not None
    assert (number.unit, number.our_unit, number.above, number.below) == ("pmol/L", "pmol/L", 1, 0)
    assert number.cell_units == {"ng/dl": 1}
    assert number.quantiles["0.5"] == pytest.approx(32.18, abs=0.01)
    assert number.decimal_mark == ","


def test_dates_have_their_order_and_its_evidence(found: Understanding) -> None:
    therapy, born = column(found, "therapy"), column(found, "born")
    assert born.date is not None
    assert therapy.date is not None
    assert (born.date.order, born.date.order_by) == ("dmy", OrderSource.COLUMN)
    assert (therapy.date.order, therapy.date.order_by) == ("dmy", OrderSource.OTHER_COLUMNS)
    assert (therapy.date.first, therapy.date.last) == ("2020-05-03", "2020-06-04")
    assert "set date_order to confirm it" in therapy.warnings[0]


def test_codes_have_meaning_count_and_rows(found: Understanding) -> None:
    codes = {code.code: code for code in column(found, "sex").codes}
    assert (codes["w"].meaning, codes["w"].count, codes["w"].rows) == ("female", 2, [2, 5])
    assert (codes["x?"].known, codes["x?"].rows) == (False, [4])
    outcomes = {code.code: code.meaning for code in column(found, "result").codes}
    assert outcomes == {"yes": "cured", "no": "not cured", "maybe": None}


def test_columns_that_look_like_ours_are_named(found: Understanding) -> None:
    unused = {one.header: one for one in found.unused}
    assert unused["Gewicht Schilddr\u00fcse"].like_by_name == ["columns.gland_mass"]
    assert unused["Raucher"].like_by_name == ["columns.smoking"]


def test_it_is_written_and_read(found: Understanding, tmp_path: Path) -> None:
    documents.write(found, tmp_path / "understanding.json")
    assert documents.read(Understanding, tmp_path / "understanding.json") == found


def test_warnings_are_logged_without_cells(
    found: Understanding, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "thyrocast"):
        log_warnings(found)
    assert "column 'therapy': its own dates do not show the order" in caplog.text
    assert not any(text in caplog.text for text in ("hoch", "maybe", "31/02/2020"))


def test_missingness_that_depends_on_the_value_is_told(tmp_path: Path) -> None:
    cells = ["5", "6", "7,5", "8", "9", "4", "2500", "2800", "3100"]
    rows = "".join(f"{n};yes;{cell}\n" for n, cell in enumerate(cells))
    (tmp_path / "t.csv").write_text(f"id;result;trab\n{rows}")
    columns = {"patient": "id", "outcome": "result", "trab": "trab"}
    config = center(clinical=str(tmp_path / "t.csv"), columns=columns)
    warnings = column(understand(config, read_table(config, cohort())), "trab").warnings
    assert "the 3 numbers that are not used are all high" in warnings[0]


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Date de naissance", "columns.birth_date"), ("Fecha nac.", "columns.birth_date"),
        ("Geb.datum", "columns.birth_date"), ("Fecha tratamiento", "columns.therapy_date"),
        ("Therapiedatum", "columns.therapy_date"), ("RAI date", "columns.therapy_date"),
        ("Cinsiyet", "columns.sex"), ("Edad", "columns.age"), ("Captaci\u00f3n 24 h", "columns.uptake_24h"),
        ("Aktivit\u00e4t", "columns.activity"), ("TRAK", "columns.trab"), ("T4 libre", "columns.ft4"),
        ("Antithyro\u00efdiens", "columns.antithyroid_drug"), ("Tabagisme", "columns.smoking"),
        ("Oftalmopat\u00eda", "columns.orbitopathy"), ("Tiroidectom\u00eda", "outcome.second_treatment"),
        ("Patienten-Nr.", "columns.patient"), ("N\u00b0 dossier", "columns.patient"),
    ],
)  # fmt: skip
def test_names_in_the_languages_of_tables(header: str, key: str) -> None:
    assert key in by_name(header)


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        (["31.05.2020", "2020-06-01", "1.2.2020"], ["columns.therapy_date"]),
        (["w", "m", "w"], ["columns.sex"]),
        (["15 mCi", "10 mCi", "12,5 mCi"], ["columns.activity"]),
        (["1", "2", "3"], []),
        (["x"], []),
    ],
)
def test_contents_that_look_like_ours(cells: list[Any], keys: list[str]) -> None:
    assert by_content(cells)[:1] == keys
