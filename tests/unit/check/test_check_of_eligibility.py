"""The check says if nobody stated who is eligible, and does not block for patients who are not."""

from pathlib import Path

import pytest

from tests.unit.check import examples
from tests.unit.check.examples import scan
from thyrocast import check
from thyrocast.contract.check import RemarkCode, Severity, Verdict
from thyrocast.tables.resemblance import by_name

COLUMNS = {
    "patient": "id", "outcome": "result", "therapy_date": "therapy", "birth_date": "birth",
    "sex": "sex",
}  # fmt: skip


def test_a_center_that_does_not_state_who_is_eligible_gets_a_remark(tmp_path: Path) -> None:
    found = check.check(examples.center(examples.hospital(tmp_path, eligibility=None)))
    assert found.verdict is Verdict.REMARKS
    first = found.findings[0]
    assert (first.code, first.severity) == (RemarkCode.ELIGIBILITY, Severity.REMARK)
    assert "`eligibility: {all_rows: true}`" in first.action
    assert "does not state who is eligible" in check.render(found, private=False)


@pytest.mark.parametrize(
    ("cell", "severity"), [("TMNG", Severity.NOTE), ("", Severity.BLOCKER)], ids=["other", "empty"]
)
def test_ineligible_patients_are_no_fault_but_empty_cells_may_be(
    tmp_path: Path, cell: str, severity: Severity
) -> None:
    rule = {"diagnosis": {"column": "dx", "graves": ["G"]}}
    hospital = examples.hospital(tmp_path, eligibility=rule, columns=COLUMNS)
    for row in hospital.rows:
        row["dx"] = "G"
    for number in range(20, 30):
        hospital.patient(f"X{number}", "yes", dx=cell, birth=f"19{number}-03-04")
        hospital.scan(
            f"X{number}/scan", scan(f"X{number}", seed=number, PatientBirthDate=f"19{number}0304")
        )
    found = check.check(examples.center(hospital))
    about = [one for one in found.findings if one.subject.startswith("not eligible")]
    assert [(one.severity, one.count) for one in about] == [(severity, 10)]
    if cell == "":
        assert "missing: include" in about[0].action


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Diagnose", "diagnosis"), ("Diagnóstico", "diagnosis"), ("ICD10", "diagnosis"),
        ("previous RAI", "earlier_radioiodine"), ("RJT früher", "earlier_radioiodine"),
        ("I131 antérieur", "earlier_radioiodine"), ("frühere OP", "earlier_surgery"),
        ("Chirurgie antérieure", "earlier_surgery"), ("prior surgery", "earlier_surgery"),
        ("Enceinte", "pregnancy"), ("Schwangerschaft", "pregnancy"), ("RJT Nr", "therapy_number"),
    ],
)  # fmt: skip
def test_columns_that_look_like_criteria_are_recognized(header: str, key: str) -> None:
    assert f"eligibility.{key}.column" in by_name(header)


@pytest.mark.parametrize("header", ["Vorname", "Therapiedatum", "Anteroposterior size", "fT4"])
def test_other_columns_do_not_look_like_criteria(header: str) -> None:
    assert not [key for key in by_name(header) if key.startswith("eligibility")]
