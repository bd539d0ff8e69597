"""Who is in the study is stated, and every patient who is not has a reason."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.unit.example_scans import center, cohort
from tests.unit.hospital import Hospital, assemble, scan
from thyrocast.cohort import eligibility, outcome
from thyrocast.contract import documents, io
from thyrocast.contract.cohort import PATIENTS
from thyrocast.contract.documents import Flow
from thyrocast.errors import InputError
from thyrocast.tables.clinical import ClinicalPatient, read_clinical


def read(tmp_path: Path, text: str, **changes: Any) -> list[ClinicalPatient]:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return read_clinical(center(clinical=str(path), **changes), cohort())


def reasons(tmp_path: Path, text: str, **changes: Any) -> list[str]:
    found = [eligibility.exclusion(patient) for patient in read(tmp_path, text, **changes)]
    return [reason.removeprefix("not eligible: ") for reason in found]


FRENCH = """\
NIP;Résultat;Diagnostic;I131 antérieur;Chirurgie;Date;Né(e) le;Enceinte;Lithium;Cure
1;oui;Maladie de Basedow;;non;01/06/2020;31/05/1970;non;non;1
2;oui;Goitre multinodulaire toxique;;non;01/06/2020;31/05/1970;non;non;1
3;oui;MALADIE DE BASEDOW;12/03/2015;non;01/06/2020;31/05/1970;non;non;1
4;oui;Maladie de Basedow;;oui;01/06/2020;31/05/1970;non;non;1
5;oui;Maladie de Basedow;;non;01/06/2020;31/05/2004;non;non;1
6;oui;Maladie de Basedow;;non;01/06/2020;31/05/1970;oui;non;1
7;oui;Maladie de Basedow;;non;01/06/2020;31/05/1970;;oui;1
8;oui;Maladie de Basedow;;non;01/06/2020;31/05/1970;;non;2
9;oui;;;non;01/06/2020;31/05/1970;;non;1
10;oui;Maladie de Basedow;;peut-être;01/06/2020;31/05/1970;;non;1
11;oui;Maladie de Basedow;12/03/2021;non;01/06/2020;31/05/1970;;non;1
12;oui;Maladie de Basedow;;;01/06/2020;31/05/1970;;non;1
13;oui;Maladie de Basedow;;non;01/06/2020;;;non;1
"""
FRENCH_CENTER: dict[str, Any] = {
    "columns": {
        "patient": "NIP", "outcome": "Résultat", "therapy_date": "Date", "birth_date": "Né(e) le",
    },
    "outcome": {"rule": "given", "cured": ["oui"], "not_cured": ["non"]},
    "eligibility": {
        "diagnosis": {"column": "Diagnostic", "graves": ["maladie de Basedow", "E05.0"]},
        "earlier_radioiodine": {"column": "I131 antérieur", "missing": "include"},
        "earlier_surgery": {"column": "Chirurgie"},
        "age": {"minimum": 18},
        "pregnancy": {"column": "Enceinte", "missing": "include"},
        "therapy_number": {"column": "Cure"},
        "criteria": [{"name": "no lithium", "column": "Lithium", "excluded": ["oui"]}],
    },
}  # fmt: skip


def test_a_french_table(tmp_path: Path) -> None:
    assert reasons(tmp_path, FRENCH, **FRENCH_CENTER) == [
        "",
        "another diagnosis than Graves' disease",
        "earlier radioiodine",
        "earlier thyroid surgery",
        "younger than 18 years",
        "pregnant",
        "no lithium (not fulfilled)",
        "not the first radioiodine therapy",
        "diagnosis not known",
        "earlier thyroid surgery not understood",
        "earlier radioiodine not understood",  # dated after the therapy
        "earlier thyroid surgery not known",
        "age not known",
    ]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("0", ""), ("nein", ""), ("1", "earlier radioiodine"), ("2", "earlier radioiodine"),
        ("ja", "earlier radioiodine"), ("2012-05-01", "earlier radioiodine"),
        ("01.05.2012", "earlier radioiodine"), ("", ""), ("RJT", "earlier radioiodine"),
        ("unbekannt", ""), ("2020-06-01", "earlier radioiodine not understood"),
        ("früher", "earlier radioiodine not understood"),
    ],
)  # fmt: skip
def test_earlier_treatments_by_code_number_or_date(tmp_path: Path, cell: str, reason: str) -> None:
    settings = {
        "columns": {"patient": "id", "outcome": "result", "therapy_date": "t"},
        "eligibility": {
            "earlier_radioiodine": {
                "column": "rai",
                "codes": {"RJT": "yes", "unbekannt": None},
                "missing": "include",
            }
        },
    }
    assert reasons(tmp_path, f"id,result,t,rai\n1,yes,2020-06-01,{cell}\n", **settings) == [reason]


def test_a_date_after_the_therapy_is_no_earlier_one_if_the_column_has_both(tmp_path: Path) -> None:
    settings = {
        "columns": {"patient": "id", "therapy_date": "t"},
        "eligibility": {"earlier_surgery": {"column": "op", "missing": "include"}},
        "outcome": {
            "rule": "followup",
            "visits": [{"months": 12, "state": "s"}],
            "second_treatments": [{"kind": "surgery", "column": "op"}],
        },
    }
    text = "id,t,op,s\n1,2020-06-01,2020-10-01,euthyroid\n2,2020-06-01,2018-10-01,euthyroid\n"
    assert reasons(tmp_path, text, **settings) == ["", "earlier thyroid surgery"]
    first = read(tmp_path, text, **settings)[0]
    assert outcome.decide(first, center(**settings)).cured is False


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("12", ""), ("9,5", "TRAb (not fulfilled)"), ("", "TRAb not known"), ("+", "TRAb not understood")],
)  # fmt: skip
def test_any_column_with_bounds(tmp_path: Path, cell: str, reason: str) -> None:
    rule = {"criteria": [{"name": "TRAb", "column": "trab", "minimum": 10}]}
    assert reasons(tmp_path, f'id,result,trab\n1,yes,"{cell}"\n', eligibility=rule) == [reason]


def test_a_diagnosis_in_neither_list_is_not_guessed(tmp_path: Path) -> None:
    rule = {"diagnosis": {"column": "dx", "graves": [1], "others": [2, 3]}}
    text = "id,result,dx\n1,yes,1.0\n2,yes,2\n3,yes,7\n"
    assert reasons(tmp_path, text, eligibility=rule) == [
        "", "another diagnosis than Graves' disease", "diagnosis not understood",
    ]  # fmt: skip


def test_a_later_therapy_in_a_row_of_its_own_is_a_second_treatment(tmp_path: Path) -> None:
    settings = {
        "columns": {"patient": "id", "therapy_date": "t"},
        "eligibility": {"therapy_number": {"column": "n"}},
        "outcome": {"rule": "followup", "visits": [{"months": 12, "state": "s"}]},
    }
    text = (
        "id,n,t,s\n1,1,2020-01-01,euthyroid\n1,2,2020-08-01,euthyroid\n"
        "2,2,2021-08-01,euthyroid\n2,1,2020-01-01,euthyroid\n3,2,2020-01-01,euthyroid\n"
        "4,1,2020-01-01,euthyroid\n4,1,2020-01-02,euthyroid\n5,1,2020-01-01,euthyroid\n5,2,,\n"
    )
    patients = read(tmp_path, text, **settings)
    assert [eligibility.exclusion(patient) for patient in patients] == [
        "", "", "not eligible: not the first radioiodine therapy",
        "several different rows in the clinical table", "",
    ]  # fmt: skip
    found = [outcome.decide(patient, center(**settings)) for patient in patients]
    assert [one.cured for one in found] == [False, True, True, None, None]
    assert found[4].reason == "second treatment without a date"


def test_flow_and_patients_name_every_ineligible_patient(tmp_path: Path) -> None:
    columns = {
        "patient": "id", "outcome": "result", "therapy_date": "therapy", "birth_date": "birth",
        "sex": "sex",
    }  # fmt: skip
    rule = {"diagnosis": {"column": "dx", "graves": ["Graves"]}, "age": {"minimum": 18}}
    north = Hospital(tmp_path, columns=columns, eligibility=rule)
    for identifier, cells in {
        "1": {"dx": "Graves", "birth": "1970-01-01"},
        "2": {"dx": "Graves", "birth": "1980-01-01"},
        "3": {"dx": "TMNG", "birth": "1971-01-01"},
        "4": {"dx": "Graves", "birth": "2010-01-01"},
    }.items():
        north.patient(identifier, "yes" if identifier != "2" else "no", **cells)
        north.scan(f"{identifier}/scan", scan(identifier, seed=int(identifier)))
    out = assemble(tmp_path, [north])
    flow = documents.read(Flow, out / "flow.json").centers["north"]
    assert (flow.found, flow.analyzed) == (4, 2)
    assert flow.excluded == {
        "not eligible: another diagnosis than Graves' disease": 1,
        "not eligible: younger than 18 years": 1,
    }
    patients = io.read(PATIENTS, out / "patients.csv")
    assert sorted(patients["reason"])[2:] == sorted(flow.excluded)


def test_nobody_states_who_is_eligible_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "thyrocast"):
        read(tmp_path, "id,result\n1,yes\n")
    assert "does not state who is eligible" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "thyrocast"):
        read(tmp_path, "id,result\n1,yes\n", eligibility={"all_rows": True})
    assert caplog.text == ""


def test_a_criterion_that_is_mostly_empty_names_the_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rule = {"earlier_surgery": {"column": "op"}}
    with caplog.at_level(logging.WARNING, "thyrocast"):
        found = reasons(tmp_path, "id,result,op\n1,yes,\n2,no,\n3,no,no\n", eligibility=rule)
    assert found == ["earlier thyroid surgery not known"] * 2 + [""]
    assert "2 of 3 patients are excluded" in caplog.text
    assert "`missing: include`" in caplog.text


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({}, "key eligibility: contains no criterion"),
        ({"all_rows": True, "age": {"minimum": 18}}, "key eligibility.all_rows: is true, but age"),
        ({"age": {"minimum": 18}}, "key columns.age: missing"),
        ({"diagnosis": {"column": "dx", "graves": ["G"]}}, "eligibility.diagnosis.column.*no column 'dx'"),
        ({"diagnosis": {"column": "result", "graves": []}}, "diagnosis.graves: is empty"),
        ({"criteria": [{"name": "a", "column": "id"}]}, "has no condition"),
        ({"criteria": [{"name": "a", "column": "id", "allowed": [1], "minimum": 1}]}, "codes and bounds"),
        ({"criteria": [{"name": "a", "column": "id", "minimum": 3, "maximum": 1}]}, "smaller number first"),
        ({"criteria": [{"name": "a", "column": "id", "minimum": 3}] * 2}, "is given twice"),
    ],
)  # fmt: skip
def test_wrong_criteria_are_refused(tmp_path: Path, rule: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, "id,result\n1,yes\n", eligibility=rule)
