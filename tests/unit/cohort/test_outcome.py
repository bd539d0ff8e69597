"""Outcomes by follow-up: each expected outcome is derived by hand from the stated rules."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.example_scans import center, cohort
from thyrocast.cohort import outcome
from thyrocast.cohort.outcome import Outcome
from thyrocast.config.definition import DAYS_PER_MONTH, days_of
from thyrocast.errors import InputError
from thyrocast.tables.clinical import read_clinical

GERMAN = """\
Patient;RJT;RJT2;RJT2 am;OP am;Thyreostatika ab;TSH6;fT4 6;LT4 6;TSH12 am;TSH12;fT4 12;Med12;LT4 12;verstorben
"""
RULE: dict[str, Any] = {
    "rule": "followup",
    "visits": [
        {"months": 6, "tsh": "TSH6", "ft4": "fT4 6", "levothyroxine": "LT4 6"},
        {
            "date": "TSH12 am", "tsh": "TSH12", "ft4": "fT4 12", "drug": "Med12",
            "levothyroxine": "LT4 12",
        },
    ],
    "second_treatments": [
        {"kind": "iodine", "column": "RJT2", "date": "RJT2 am"},
        {"kind": "surgery", "date": "OP am"},
        {"kind": "drugs", "date": "Thyreostatika ab"},
    ],
    "death": "verstorben",
}  # fmt: skip
CENTER: dict[str, Any] = {
    "columns": {"patient": "Patient", "therapy_date": "RJT"},
    "units": {"ft4": "ng/dL"},  # reference range of 12 to 22 pmol/L: 0.93 to 1.71 ng/dL
    "outcome": RULE,
}


def decide(tmp_path: Path, row: str, **rule: Any) -> Outcome:
    """Decide the outcome of a patient of the German table, treated on 1 January 2020."""
    path = tmp_path / "table.csv"
    path.write_text(f"{GERMAN}1;01.01.2020;{row}\n", encoding="utf-8")
    changes = {**CENTER, "clinical": str(path), "outcome": RULE | rule}
    (patient,) = read_clinical(center(**changes), cohort())
    return outcome.decide(patient, center(**changes))


@pytest.mark.parametrize(
    ("row", "cured", "by"),
    [
        # RJT2;am;OP;drugs;TSH6;fT4;LT4;date12;TSH12;fT4;drug;LT4;death
        # a visit at 12 months: euthyroid, hypothyroid, hyperthyroid, on drugs, on levothyroxine
        (";;;;;;;05.01.2021;1,2;1,2;nein;nein;", True, "visit"),
        (";;;;;;;05.01.2021;25;0,5;nein;nein;", True, "visit"),
        (";;;;;;;05.01.2021;0,01;3,2;nein;nein;", False, "visit"),
        (";;;;;;;05.01.2021;1,2;1,2;5 mg;nein;", False, "visit"),
        (";;;;;;;05.01.2021;1,2;1,2;nein;100 µg;", True, "visit"),
        (";;;;;;;05.01.2021;1,2;1,2;L-Thyroxin 75;;", True, "visit"),
        # block and replace is no cure
        (";;;;;;;05.01.2021;1,2;1,2;Thiamazol 10;75;", False, "visit"),
        # discharged hypothyroid on levothyroxine at 6 months, or with TSH 40 and fT4 0.4
        (";;;;1,5;1,2;75;;;;;;", True, "early_hypothyroidism"),
        (";;;;40;0,4;nein;;;;;;", True, "early_hypothyroidism"),
        # hyperthyroid at 6 months, second iodine at 7
        ("ja;01.08.2020;;;0,01;3,5;nein;;;;;;", False, "second_treatment"),
        # surgery at 8 months; drugs restarted at 7 months
        (";;01.09.2020;;;;;;;;;;", False, "second_treatment"),
        (";;;01.08.2020;;;;;;;;;", False, "second_treatment"),
        # drugs restarted at 2 weeks as a bridge, without drugs at 12 months: the visit decides
        (";;;15.01.2020;;;;05.01.2021;1,2;1,2;nein;;", True, "visit"),
        # second iodine after the window says nothing about the outcome at 12 months
        ("ja;01.06.2022;;;;;;05.01.2021;1,2;1,2;nein;;", True, "visit"),
        # hypothyroid at 6 months, but hyperthyroid again at 12: the visit in the window decides
        (";;;;40;0,4;nein;05.01.2021;0,01;3,2;nein;;", False, "visit"),
        # second iodine without a date, hyperthyroid at 12 months: failure in any case
        ("ja;;;;;;;05.01.2021;0,01;3,2;nein;;", False, "visit"),
    ],
)  # fmt: skip
def test_a_german_table(tmp_path: Path, row: str, cured: bool, by: str) -> None:
    found = decide(tmp_path, row)
    assert (found.cured, found.by, found.reason) == (cured, by, "")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (";;;;;;;;;;;;", "lost to follow-up"),
        (";;;;1,2;1,2;nein;;;;;;", "follow-up too short"),
        (";;;;0,01;3,5;nein;;;;;;", "follow-up too short"),
        # subclinical or unconfirmed hypothyroidism at 6 months settles nothing
        (";;;;8;1,2;nein;;;;;;", "follow-up too short"),
        (";;;;40;;nein;;;;;;", "follow-up too short"),
        (";;;;0,01;0,5;nein;;;;;;", "follow-up too short"),
        # hypothyroid at 6 months, hyperthyroid long after the window: contradicted
        (";;;;40;0,4;nein;05.01.2022;0,01;3,2;nein;;", "no visit when the outcome is decided"),
        # a second treatment after the window contradicts early hypothyroidism as well
        (";;01.09.2022;;40;0,4;nein;;;;;;", "follow-up too short"),
        # a missing laboratory value is not a normal one
        (";;;;;;;05.01.2021;;1,2;nein;;", "laboratory values are incomplete when the outcome is decided"),
        (";;;;;;;05.01.2021;1,2;;nein;;", "laboratory values are incomplete when the outcome is decided"),
        (";;;;;;;05.01.2021;0,01;;nein;;", "laboratory values are incomplete when the outcome is decided"),
        (";;;;;;;05.01.2021;1,2;3,2;nein;;",
         "laboratory values contradict each other when the outcome is decided"),
        (";;;;;;;05.01.2021;0,01;3,2;nein;100;",
         "hyperthyroid values on levothyroxine when the outcome is decided"),
        # second treatments without a usable date
        ("ja;;;;;;;05.01.2021;1,2;1,2;nein;;", "second treatment without a date"),
        ("ja;;;;;;;;;;;;", "second treatment without a date"),
        ("ja;01.05.2019;;;;;;05.01.2021;1,2;1,2;nein;;",
         "second treatment dated on or before the therapy"),
        ("nein;01.08.2020;;;;;;05.01.2021;1,2;1,2;nein;;", "second treatment not understood"),
        ("vielleicht;;;;;;;05.01.2021;1,2;1,2;nein;;", "second treatment not understood"),
        (";;Herbst 2020;;;;;05.01.2021;1,2;1,2;nein;;", "second treatment not understood"),
        # the visit is before the therapy, or on its day; death
        (";;;;;;;05.01.2019;1,2;1,2;nein;;", "lost to follow-up"),
        (";;;;;;;01.01.2020;1,2;1,2;nein;;", "lost to follow-up"),
        (";;;;;;;;;;;;01.03.2020", "died before the outcome was decided"),
        (";;;;0,01;3,5;nein;;;;;;01.08.2020", "died before the outcome was decided"),
        (";;;;;;;05.01.2021;1,2;1,2;weiß nicht;;", "drug at the deciding visit not understood"),
    ],
)  # fmt: skip
def test_doubt_gives_no_outcome_but_a_reason(tmp_path: Path, row: str, reason: str) -> None:
    found = decide(tmp_path, row)
    assert (found.cured, found.reason) == (None, reason)


@pytest.mark.parametrize(
    ("rule", "row", "cured"),
    [
        ({"missing_lab": "normal"}, ";;;;;;;05.01.2021;;1,2;nein;;", True),
        ({"missing_lab": "normal"}, ";;;;;;;05.01.2021;0,01;;nein;;", None),
        ({}, ";;;;;;;05.01.2021;0,1;1,2;nein;;", True),
        ({"subclinical_hyperthyroid": "not_cured"}, ";;;;;;;05.01.2021;0,1;1,2;nein;;", False),
        ({"subclinical_hyperthyroid": "exclude"}, ";;;;;;;05.01.2021;0,1;1,2;nein;;", None),
        ({"hypothyroid_from": None}, ";;;;40;0,4;nein;;;;;;", None),
        ({"hypothyroid_from": "7 months"}, ";;;;40;0,4;nein;;;;;;", None),
        ({"months": 6}, ";;;;1,2;1,2;nein;;;;;;", True),
        # 30 June 2020 is day 181, six months less a day
        ({"visits": [{"date": "TSH12 am", "levothyroxine": "LT4 12"}]}, ";;;;;;;30.06.2020;;;;50;", True),
        ({"visits": [{"date": "TSH12 am", "levothyroxine": "LT4 12"}]}, ";;;;;;;01.06.2020;;;;50;", None),
        # 8 January 2021 is day 373
        ({"earliest": "300 days", "target": "365 days", "latest": "373 days"},
         ";;;;;;;08.01.2021;1,2;1,2;nein;;", True),
        ({"earliest": "300 days", "target": "365 days", "latest": "372 days"},
         ";;;;;;;08.01.2021;1,2;1,2;nein;;", None),
        ({"second_treatments": [{"kind": "iodine", "column": "RJT2", "within": "12 months"}]},
         "ja;;;;;;;05.01.2021;1,2;1,2;nein;;", False),
        ({"second_treatments": [{"kind": "iodine", "column": "RJT2", "within": "24 months"}]},
         "ja;;;;;;;05.01.2021;1,2;1,2;nein;;", None),
        ({"second_treatments": [{"kind": "iodine", "column": "RJT2", "codes": {"?": None}}]},
         "?;;;;;;;05.01.2021;1,2;1,2;nein;;", None),
        ({"second_treatments": [{"kind": "drugs", "date": "Thyreostatika ab", "counts_from": "1 week"}]},
         ";;;15.01.2020;;;;05.01.2021;1,2;1,2;nein;;", False),
    ],
)  # fmt: skip
def test_every_rule_is_a_key(
    tmp_path: Path, rule: dict[str, Any], row: str, cured: bool | None
) -> None:
    assert decide(tmp_path, row, **rule).cured is cured


def test_an_early_restart_of_drugs_needs_to_know_whether_they_were_stopped(tmp_path: Path) -> None:
    visits = [{key: name for key, name in RULE["visits"][1].items() if key != "drug"}]
    found = decide(tmp_path, ";;;15.01.2020;;;;05.01.2021;1,2;1,2;nein;;", visits=visits)
    assert found.reason == "drugs restarted early, and not known at the deciding visit"


def test_time_state_and_reason_of_a_decision(tmp_path: Path) -> None:
    early = decide(tmp_path, ";;;;1,5;1,2;75;;;;;;")
    assert (early.months, early.function) == (pytest.approx(6), "hypothyroid")
    again = decide(tmp_path, "ja;01.08.2020;;;0,01;3,5;nein;;;;;;")
    assert (again.days, again.function) == (213, "hyperthyroid")
    subclinical = decide(tmp_path, ";;;;;;;05.01.2021;0,1;1,2;nein;;")
    assert (subclinical.state, subclinical.function) == ("subclinical_hyperthyroid", "hyperthyroid")


VISITS = {
    "rule": "followup",
    "visits": [{"months": months, "state": f"s{months}"} for months in (3, 6, 8, 10, 14)],
}


@pytest.mark.parametrize(
    ("states", "cured", "reason"),
    [
        # hypothyroid at 3 months, then euthyroid: transient, and nothing later
        ("hypothyroid,euthyroid,,,", None, "follow-up too short"),
        ("hypothyroid,euthyroid,,euthyroid,", True, ""),
        ("hypothyroid,,,,", None, "follow-up too short"),  # before hypothyroid_from
        ("hypothyroid,hypothyroid,,,", True, ""),
        (",hypothyroid,euthyroid,,", None, "follow-up too short"),
        (",euthyroid,hypothyroid,,", True, ""),
        # two visits two months before and after the target
        (",,,euthyroid,hypothyroid", True, ""),
        (",,,euthyroid,hyperthyroid", None,
         "visits at the same distance from the target contradict each other"),
    ],
)  # fmt: skip
def test_courses_of_coded_states(
    tmp_path: Path, states: str, cured: bool | None, reason: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"id,s3,s6,s8,s10,s14\n1,{states}\n", encoding="utf-8")
    settings = {"columns": {"patient": "id"}, "clinical": str(path), "outcome": VISITS}
    (patient,) = read_clinical(center(**settings), cohort())
    found = outcome.decide(patient, center(**settings))
    assert (found.cured, found.reason) == (cured, reason)


def test_a_spanish_table_of_states(tmp_path: Path) -> None:
    text = (
        "NHC;Fecha yodo;Revisión;Estado;Segunda dosis;Eutirox\n"
        "1;15/03/2019;20/03/2020;eutiroideo;no;no\n"
        "2;15/03/2019;20/03/2020;hipotiroideo;no;sí\n"
        "3;15/03/2019;20/03/2020;hipertiroideo;no;no\n"
        "4;15/03/2019;20/03/2020;eutiroideo;15/11/2019;no\n"
        "5;15/03/2019;20/03/2020;eutiroideo;sí;no\n"
        "6;15/03/2019;;;no;\n"
    )
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    settings: dict[str, Any] = {
        "columns": {"patient": "NHC", "therapy_date": "Fecha yodo"},
        "clinical": str(path),
        "outcome": {
            "rule": "followup",
            "states": {
                "eutiroideo": "euthyroid",
                "hipotiroideo": "hypothyroid",
                "hipertiroideo": "hyperthyroid",
            },
            "visits": [{"date": "Revisión", "state": "Estado", "levothyroxine": "Eutirox"}],
            "second_treatment": "Segunda dosis",
        },
    }
    found = [
        outcome.decide(p, center(**settings)) for p in read_clinical(center(**settings), cohort())
    ]
    assert [one.cured for one in found] == [True, True, False, False, None, None]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"target": "12 months"}, "earliest: missing, expected earliest, target and latest together"),
        ({"earliest": "6 months", "target": "12 months", "latest": "1 year"}, "is not a time"),
        ({"earliest": "6", "target": "12 months", "latest": "15 months"}, "is not a time, expected a number"),
        ({"earliest": "14 months", "target": "12 months", "latest": "15 months"}, "is not a window"),
        ({"months": 12, "earliest": "6 months", "target": "9 months", "latest": "12 months"}, "given as well"),
        ({"reference": {"ft4": [0.9, 1.7]}}, "no reference range in pmol/L"),
        ({"reference": {"tsh": [0.4, 40]}}, "no reference range in mIU/L"),
        ({"second_treatments": [{"kind": "iodine"}]}, "has no column"),
        ({"months": 6, "definition": [{"name": "a"}]}, "definition: is given as well as 'months'"),
        ({"definition": [{"name": "a"}, {"name": "a"}]}, "given twice"),
        ({"definition": [{"name": "a", "main": True}, {"name": "b", "main": True}]}, "two definitions are main"),
    ],
)  # fmt: skip
def test_wrong_rules_are_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        center(**{**CENTER, "outcome": RULE | rule})


def test_a_month_is_a_twelfth_of_a_year() -> None:
    assert pytest.approx(30.4375) == DAYS_PER_MONTH
    assert days_of("2 weeks") == 14
