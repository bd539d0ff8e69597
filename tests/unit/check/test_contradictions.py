"""Contradictions in rows and files are found, whatever else happens to the patient."""

from pathlib import Path

import pytest

from tests.unit.check import examples
from tests.unit.check.examples import scan
from tests.unit.hospital import Hospital
from thyrocast import check
from thyrocast.check.findings import Finding
from thyrocast.contract.check import RemarkCode, Severity


def found(hospital: Hospital, *others: Hospital) -> dict[tuple[RemarkCode, str], Finding]:
    findings = check.check(examples.center(hospital, others)).findings
    return {(one.code, one.subject): one for one in findings}


@pytest.mark.parametrize(
    ("cells", "elements", "code", "kind"),
    [
        ({"sex": "f"}, {"PatientSex": "M"}, RemarkCode.IDENTITY, "sex"),
        (
            {"birth": "1970-02-03"},
            {"PatientBirthDate": "19700204"},
            RemarkCode.IDENTITY,
            "birth_date",
        ),
        (
            {"therapy": "2019-05-01"},
            {"AcquisitionDate": "20190601"},
            RemarkCode.DATES,
            "therapy_before_scan",
        ),
        ({"birth": "2020-01-20"}, {}, RemarkCode.DATES, "born_after"),
    ],
)
def test_row_against_image(
    tmp_path: Path, cells: dict[str, str], elements: dict[str, str], code: RemarkCode, kind: str
) -> None:
    hospital = examples.hospital(tmp_path, patients=2)
    hospital.patient("X", **cells)
    hospital.scan("x.dcm", scan("X", **elements))
    finding = found(hospital)[code, kind]
    assert finding.count == 1
    assert finding.examples[0].identifier == "X"


def test_two_people_under_one_identifier(tmp_path: Path) -> None:
    hospital = examples.hospital(tmp_path, patients=2)
    hospital.patient("X")
    hospital.scan("x1.dcm", scan("X", seed=1, PatientBirthDate="19500607"))
    hospital.scan("x2.dcm", scan("X", seed=2, PatientBirthDate="19760708"))
    assert found(hospital)[RemarkCode.IDENTITY, "files"].count == 1


def test_an_image_under_two_identifiers_within_and_across_centers(tmp_path: Path) -> None:
    hospital = examples.hospital(tmp_path, patients=2)
    hospital.patient("X")
    hospital.scan("x.dcm", scan("X", seed=examples.seed("north", 0), PatientBirthDate="19470101"))
    finding = found(hospital)[RemarkCode.DUPLICATE, "identical pixels"]
    assert finding.severity is Severity.BLOCKER
    assert (finding.count, finding.unit) == (1, "pairs")
    other = examples.hospital(tmp_path / "other", "south", patients=3)
    third = examples.hospital(tmp_path / "third", "east", patients=0)
    third.patient("E0", birth="1961-07-01")
    seed = examples.seed("south", 2)
    third.scan("copy.dcm", scan("E0", seed=seed, PatientBirthDate="19610701"))
    across = found(third, other)[RemarkCode.DUPLICATE, "identical pixels"]
    assert "also in another center" in across.text
    assert across.examples[0].identifier == "E0"
    assert across.examples[0].note.startswith("and south-")


def test_a_clean_center_has_no_contradiction(tmp_path: Path) -> None:
    codes = {code for code, _ in found(examples.hospital(tmp_path))}
    assert not codes & {RemarkCode.IDENTITY, RemarkCode.DATES, RemarkCode.DUPLICATE}


def test_a_stated_outcome_against_the_visits(tmp_path: Path) -> None:
    rule = {
        "rule": "given",
        "cured": ["yes"],
        "not_cured": ["no"],
        "visits": [{"date": "seen", "state": "state"}],
    }
    hospital = examples.hospital(tmp_path, patients=2, outcome=rule)
    states = ("hyperthyroid", "euthyroid")
    for row, state in zip(hospital.rows, states, strict=True):
        row.update(result="yes", seen="2021-02-01", state=state)
    finding = found(hospital)[RemarkCode.OUTCOME_AGAINST_VISITS, "outcome_against_visits"]
    assert finding.count == 1
    assert finding.examples[0].identifier == "N0"


def test_a_visit_before_the_therapy(tmp_path: Path) -> None:
    rule = {"rule": "followup", "visits": [{"date": "seen", "state": "state"}]}
    hospital = examples.hospital(tmp_path, patients=2, outcome=rule)
    for row, seen in zip(hospital.rows, ("2019-02-01", "2021-02-01"), strict=True):
        row.update(seen=seen, state="euthyroid")
    finding = found(hospital)[RemarkCode.DATES, "visit_before_therapy"]
    assert [one.identifier for one in finding.examples] == ["N0"]


@pytest.mark.parametrize(("age", "expected"), [("30", 1), ("69", 0), ("70", 0), ("", 0)])
def test_age_and_birth_date_of_one_row(tmp_path: Path, age: str, expected: int) -> None:
    columns = {
        "patient": "id", "outcome": "result", "therapy_date": "therapy", "birth_date": "birth",
        "sex": "sex", "age": "age",
    }  # fmt: skip
    hospital = Hospital(tmp_path, columns=columns)
    hospital.patient("X", birth="1950-03-04", age=age)
    hospital.scan("x", scan("X", PatientBirthDate="19500304"))
    notes = hospital.register().contradictions["note"].tolist()
    assert notes == ["age and birth date of the row differ"] * expected
