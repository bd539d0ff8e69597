"""A center's own columns, codes, units and dates become ours; what can't be read is reported."""

import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.example_scans import center, cohort
from thyrocast.cohort import eligibility, outcome
from thyrocast.cohort.outcome import Outcome
from thyrocast.errors import InputError
from thyrocast.tables.clinical import ClinicalPatient, read_clinical
from thyrocast.tables.codes import CODES
from thyrocast.tables.dates import parse_date
from thyrocast.tables.numbers import parse_number
from thyrocast.tables.units import factor as unit_factor


def read(tmp_path: Path, text: str, **changes: Any) -> list[ClinicalPatient]:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return read_clinical(center(clinical=str(path), **changes), cohort())


def decide(tmp_path: Path, text: str, **changes: Any) -> list[Outcome]:
    return [
        outcome.decide(patient, center(**changes)) for patient in read(tmp_path, text, **changes)
    ]


def test_a_german_table(tmp_path: Path) -> None:
    text = (
        "PatNr;Geschlecht;geb.;Therapie;fT4 [ng/dl];Volumen;Akt [mCi];Uptake;Raucher;Erfolg\n"
        "007;w;31.05.1970;01.06.2020;2,50;35,5;10;0,62;ehemals;ja\n"
        "8;d;01.01.1990;02.03.2021;k.A.;;15;0,5;nie;nein\n"
    )
    settings: dict[str, Any] = {
        "columns": {
            "patient": "PatNr", "sex": "Geschlecht", "birth_date": "geb.", "outcome": "Erfolg",
            "therapy_date": "Therapie", "ft4": "fT4 [ng/dl]", "gland_mass": "Volumen",
            "activity": "Akt [mCi]", "uptake_24h": "Uptake", "smoking": "Raucher",
        },
        "codes": {"sex": {"w": "female", "d": "other"}, "smoking": {"ehemals": "former", "nie": "never"}},
        "units": {"ft4": "ng/dL", "gland_mass": "mL", "activity": "mCi", "uptake_24h": "fraction"},
        "missing": ["k.A."],
        "identifiers": {"zero_pad": 4},
        "outcome": {"rule": "given", "cured": ["JA"], "not_cured": ["nein"]},
    }  # fmt: skip
    first, second = read(tmp_path, text, **settings)
    assert (first.identifier, second.identifier) == ("0007", "0008")
    assert first.values["age"] == 50
    assert first.values["sex"] == "female"
    assert second.values["sex"] == "other"
    assert first.values["ft4"] == pytest.approx(2.5 * 12.872, rel=1e-3)
    assert first.values["activity"] == pytest.approx(370)
    assert (first.values["gland_mass"], first.values["uptake_24h"]) == (35.5, 62)
    assert second.values["ft4"] is second.values["gland_mass"] is None
    assert (first.values["smoking"], second.values["smoking"]) == ("former", "never")
    assert [found.cured for found in decide(tmp_path, text, **settings)] == [True, False]


def test_values_out_of_range_name_row_and_column_but_not_the_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = "id,result,a\n1,yes,400\n2,no,Rosebud\n"
    changes = {"columns": {"patient": "id", "outcome": "result", "age": "a"}}
    with caplog.at_level(logging.WARNING, "thyrocast"):
        first, second = read(tmp_path, text, **changes)
    assert first.values["age"] is second.values["age"] is None
    assert "row 2, column 'a': outside 1 to 110 years" in caplog.text
    assert "row 3, column 'a': not a number" in caplog.text
    assert "Rosebud" not in caplog.text
    with pytest.raises(InputError, match="row 2, column 'a'"):
        table = str(tmp_path / "table.csv")
        read_clinical(center(clinical=table, **changes), cohort(values="stop"))


def test_rows_of_one_patient(tmp_path: Path) -> None:
    text = "id,result\n1,yes\n2,no\n1,yes\n2,yes\n,no\n"
    patients = read(tmp_path, text)
    assert [eligibility.exclusion(patient) for patient in patients] == [
        "",
        "several different rows in the clinical table",
        "no identifier in the clinical table",
    ]
    assert [found.cured for found in decide(tmp_path, text)] == [True, None, False]


@pytest.mark.parametrize(
    ("cell", "cured", "reason"),
    [
        ("1", True, ""),
        ("1.0", True, ""),
        (" Yes ", True, ""),
        ("0", False, ""),
        ("", None, "outcome not known"),
        ("9", None, "outcome code not in the config"),
    ],
)
def test_given_outcomes(tmp_path: Path, cell: str, cured: bool | None, reason: str) -> None:
    rule = {"rule": "given", "cured": [1, "yes"], "not_cured": [0]}
    (found,) = decide(tmp_path, f"id,result\n1,{cell}\n", outcome=rule)
    assert (found.cured, found.reason) == (cured, reason)


FOLLOWED = {
    "columns": {"patient": "id", "therapy_date": "therapy"},
    "outcome": {
        "rule": "followup",
        "second_treatment": "again",
        "visits": [
            {"date": "d1", "tsh": "tsh1", "ft4": "ft41", "drug": "drug1"},
            {"months": 12, "state": "state2"},
        ],
    },
}
HEAD = "id,therapy,again,d1,tsh1,ft41,drug1,state2\n"


@pytest.mark.parametrize(
    ("row", "cured", "state", "reason"),
    [
        # at twelve months: hypothyroid, euthyroid, hyperthyroid, each by TSH and free T4
        ("2020-01-01,,2021-01-05,9,8,no,", True, "hypothyroid", ""),
        ("2020-01-01,,2021-01-05,1.2,15,no,", True, "euthyroid", ""),
        ("2020-01-01,,2021-01-05,6,15,no,", True, "subclinical_hypothyroid", ""),
        ("2020-01-01,,2021-01-05,0.01,40,no,", False, "hyperthyroid", ""),
        ("2020-01-01,,2021-01-05,0.1,15,no,", True, "subclinical_hyperthyroid", ""),
        # drugs, a second treatment before the visit and long after it
        ("2020-01-01,,2021-01-05,1.2,15,yes,", False, "euthyroid", ""),
        ("2020-01-01,2020-08-01,2021-01-05,1.2,15,no,", False, "hyperthyroid", ""),
        ("2020-01-01,2023-08-01,2021-01-05,1.2,15,no,", True, "euthyroid", ""),
        ("2020-01-01,yes,2021-01-05,1.2,15,no,", None, "euthyroid",
         "second treatment without a date"),
        ("2020-01-01,yes,2021-01-05,0.01,40,no,", False, "hyperthyroid", ""),
        # visits too early, too late, none; the one nearest to twelve months decides
        ("2020-01-01,,2020-03-01,1.2,15,no,", None, "", "follow-up too short"),
        ("2020-01-01,,2022-03-01,1.2,15,no,", None, "", "no visit when the outcome is decided"),
        ("2020-01-01,,,,,,", None, "", "lost to follow-up"),
        ("2020-01-01,,2020-11-01,0.01,40,no,euthyroid", True, "euthyroid", ""),
    ],
)  # fmt: skip
def test_followup_outcomes(
    tmp_path: Path, row: str, cured: bool | None, state: str, reason: str
) -> None:
    (found,) = decide(tmp_path, f"{HEAD}1,{row}\n", **FOLLOWED)
    assert (found.cured, found.state or "", found.reason) == (cured, state, reason)


@pytest.mark.parametrize(
    ("key", "value", "row", "cured"),
    [
        ("subclinical_hyperthyroid", "exclude", "2020-01-01,,2021-01-05,0.1,15,no,", None),
        ("subclinical_hyperthyroid", "not_cured", "2020-01-01,,2021-01-05,0.1,15,no,", False),
        ("drug_at_visit", "exclude", "2020-01-01,,2021-01-05,1.2,15,yes,", None),
        ("months", 6, "2020-01-01,,2020-07-01,1.2,15,no,", True),
    ],
)
def test_followup_rules_are_keys(
    tmp_path: Path, key: str, value: Any, row: str, cured: bool | None
) -> None:
    rule = FOLLOWED["outcome"] | {key: value}
    (found,) = decide(tmp_path, f"{HEAD}1,{row}\n", **(FOLLOWED | {"outcome": rule}))
    assert found.cured is cured


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outcome": {"rule": "given", "cured": ["a"]}}, "at least one code each"),
        ({"outcome": {"rule": "given", "cured": ["A"], "not_cured": ["a"]}}, "cured and not cured"),
        ({"outcome": {"rule": "followup"}}, "visits"),
        ({"columns": {"patient": "id"}}, "columns.outcome"),
        ({"units": {"ft4": "furlong"}}, "units.ft4"),
        ({"units": {"ft4": "MBq"}}, "units.ft4"),
        ({"columns": {"patient": "nr", "outcome": "result"}}, "no column 'nr'"),
    ],
)
def test_what_is_wrong_in_the_config_is_named(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"center north.*{message}"):
        read(tmp_path, "id,result\n1,yes\n", **changes)


def test_a_table_without_patients(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no patient in table"):
        read(tmp_path, "id,result\n")


@pytest.mark.parametrize(
    ("column", "unit", "factor"),
    [
        ("ft4", "ng/dL", 12.872), ("ft4", "pmol/l", 1.0), ("ft3", "pg/mL", 1.5362),
        ("activity", "mCi", 37.0), ("activity", "GBq", 1000.0), ("gland_mass", "ml", 1.0),
        ("age", "months", 1 / 12), ("trab", "mIU/mL", 1.0), ("uptake_24h", "%", 1.0),
        ("withdrawal_days", "weeks", 7.0),
    ],
)  # fmt: skip
def test_units(column: str, unit: str, factor: float) -> None:
    assert unit_factor(column, unit, "north") == pytest.approx(factor, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,5", 1.5), ("1.234,5", 1234.5), ("<0,4", 0.4), ("12 000", 12000), ("1,234,567", 1234567),
     ("> 40", 40), ("1e3", 1000), (".5", 0.5)],
)  # fmt: skip
def test_numbers(text: str, value: float) -> None:
    assert parse_number(text).value == value


@pytest.mark.parametrize(
    ("text", "order", "date"),
    [("31.12.2020", "dmy", "2020-12-31"), ("12/31/2020", "mdy", "2020-12-31"),
     ("2020-01-02 10:00:00", "dmy", "2020-01-02"), ("1/2/85", "dmy", "1985-02-01"),
     ("20200304", "mdy", "2020-03-04"), ("2020.3.4", "dmy", "2020-03-04")],
)  # fmt: skip
def test_dates(text: str, order: str, date: str) -> None:
    assert parse_date(text, order).isoformat() == date


CELL = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r\n"), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=6))
def test_any_cells_are_read_or_reported(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "table.csv"
    quoted = [",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows]
    path.write_text("\n".join(["id,result,a,s", *quoted]), encoding="utf-8")
    columns = {"patient": "id", "outcome": "result", "age": "a", "sex": "s"}
    try:
        found = read_clinical(center(clinical=str(path), columns=columns), cohort())
    except InputError:
        return
    for patient in found:
        assert patient.values["sex"] in {None, *CODES["sex"]}
        age = patient.values["age"]
        assert age is None or 1 <= float(age) <= 110


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("31-May-2024", "2024-05-31"),
        ("31. Mai 2024", "2024-05-31"),
        ("31 MAYIS 2024", "2024-05-31"),
        ("May 31, 2024", "2024-05-31"),
        ("2024 déc. 5", "2024-12-05"),
        ("12-Mär-21", "2021-03-12"),
        ("45443", "2024-05-31"),
        ("31.05.2024 10:30 Uhr", "2024-05-31"),
    ],
)
def test_dates_as_spreadsheets_and_people_write_them(text: str, date: str) -> None:
    assert parse_date(text, "dmy").isoformat() == date


@pytest.mark.parametrize("text", ["non", "Hayır", "HAYIR", "yok", "なし", "-", "0 mg", "0"])
def test_no_drug_in_many_languages(tmp_path: Path, text: str) -> None:
    row = f"2020-01-01,,2021-01-05,1.2,15,{text},"
    (found,) = decide(tmp_path, f"{HEAD}1,{row}\n", **FOLLOWED)
    assert found.cured is True


@pytest.mark.parametrize(
    "text", ["L-Thyroxin 75", "levothyroxine", "Euthyrox 100 µg", "LT4 75 mcg"]
)
def test_thyroid_hormone_is_no_antithyroid_drug(tmp_path: Path, text: str) -> None:
    (found,) = decide(tmp_path, f"{HEAD}1,2020-01-01,,2021-01-05,9,8,{text},\n", **FOLLOWED)
    assert (found.cured, found.state) == (True, "hypothyroid")


@pytest.mark.parametrize("text", ["n/a", "unknown", "?", "stopped", "none.", "75 µg", "see letter"])
def test_a_drug_that_is_not_understood_decides_nothing(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    row = f"2020-01-01,,2021-01-05,9,8,{text},"
    settings = FOLLOWED | {"missing": []}
    (found,) = decide(tmp_path, f"{HEAD}1,{row}\n", **settings)
    assert found.cured is None
    assert found.reason == "drug at the deciding visit not understood"
    assert "column 'drug1': not understood, expected yes, no, a dose" in caplog.text


def test_codes_of_drugs_apply_to_visits_too(tmp_path: Path) -> None:
    settings = FOLLOWED | {"codes": {"antithyroid_drug": {"A": "methimazole", "B": "none"}}}
    text = f"{HEAD}1,2020-01-01,,2021-01-05,9,8,a,\n2,2020-01-01,,2021-01-05,9,8,B,\n"
    assert [found.cured for found in decide(tmp_path, text, **settings)] == [False, True]


@pytest.mark.parametrize(
    "text", ["oui", "Evet", "MMI", "5 mg", "10 mg", "Thiamazol 10 mg", "PTU 2x50", "carbimazole"]
)
def test_drugs_in_many_languages(tmp_path: Path, text: str) -> None:
    row = f"2020-01-01,,2021-01-05,1.2,15,{text},"
    (found,) = decide(tmp_path, f"{HEAD}1,{row}\n", **FOLLOWED)
    assert found.cured is False


@pytest.mark.parametrize(
    ("again", "cured"),
    [
        ("nein", True),
        ("hayır", True),
        ("ja", None),
        ("oui", None),
        ("2020-08-01", False),
        ("surgery", None),
        ("05/2020", None),
        ("2019-12-01", None),
    ],
)
def test_a_second_treatment_is_never_overlooked(
    tmp_path: Path, again: str, cured: bool | None
) -> None:
    row = f"2020-01-01,{again},2021-01-05,1.2,15,,"
    (found,) = decide(tmp_path, f"{HEAD}1,{row}\n", **FOLLOWED)
    assert found.cured is cured
    assert bool(found.reason) == (cured is None)


@pytest.mark.parametrize(("tsh", "state"), [("25", "hypothyroid"), ("1.2", ""), ("0.01", "")])
def test_tsh_alone(tmp_path: Path, tsh: str, state: str) -> None:
    (found,) = decide(tmp_path, f"{HEAD}1,2020-01-01,,2021-01-05,{tsh},,,\n", **FOLLOWED)
    assert (found.state or "") == state


def test_a_visit_before_therapy_decides_nothing(tmp_path: Path) -> None:
    rule = FOLLOWED["outcome"] | {"months": 6, "tolerance_months": 12}
    text = f"{HEAD}1,2020-01-01,,2019-12-01,1.2,15,,\n"
    (found,) = decide(tmp_path, text, **{**FOLLOWED, "outcome": rule})
    assert found.cured is None


@pytest.mark.parametrize(
    ("unit", "cell", "value"),
    [
        ("percent", "62", 62), ("percent", "62%", 62), ("percent", "62 %", 62),
        ("fraction", "0.62", 62), ("fraction", "62%", 62),
    ],
)  # fmt: skip
def test_a_percent_sign_is_a_percentage_whatever_the_unit(
    tmp_path: Path, unit: str, cell: str, value: float
) -> None:
    columns = {"patient": "id", "outcome": "result", "uptake_24h": "u"}
    table = f"id,result,u\n1,yes,{cell}\n"
    (patient,) = read(tmp_path, table, columns=columns, units={"uptake_24h": unit})
    assert patient.values["uptake_24h"] == value


def test_a_percentage_is_not_an_activity(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    columns = {"patient": "id", "outcome": "result", "activity": "a"}
    (patient,) = read(tmp_path, "id,result,a\n1,yes,50%\n", columns=columns)
    assert patient.values["activity"] is None
    assert "row 2, column 'a': a percentage, expected MBq" in caplog.text
