"""The check of a center: verdict, remarks, and nothing private on the public page."""

import json
from pathlib import Path

import pytest

from tests.unit.check import examples
from tests.unit.check.examples import scan
from thyrocast import check
from thyrocast.check.approval import approve
from thyrocast.check.suppression import single, suppress
from thyrocast.config.check import NotReady
from thyrocast.contract.check import RemarkCode, Verdict
from thyrocast.errors import InputError


def test_a_center_without_faults_is_ready(tmp_path: Path) -> None:
    found = check.check(examples.center(examples.hospital(tmp_path)))
    assert found.verdict is Verdict.READY
    assert found.flow.usable == 6
    assert not found.excluded


def test_only_the_private_page_shows_patients(tmp_path: Path) -> None:
    hospital = examples.hospital(tmp_path, patients=3)
    hospital.patient("Mustermann")
    hospital.scan("secret/xyz.dcm", scan("Stranger", seed=99))
    found = check.check(examples.center(hospital))
    private, public = (check.render(found, private=private) for private in (True, False))
    document = json.dumps(check.as_document(found).model_dump(mode="json"))
    pseudonyms = found.center.register["patient"].tolist()
    for text in ("MUSTERMANN", "STRANGER", "secret/xyz.dcm", "N1.dcm", *pseudonyms):
        assert text in private
        assert text not in public
        assert text not in document
    assert "data:image/jpeg" not in public


def test_the_same_center_gives_the_same_bytes(tmp_path: Path) -> None:
    center = examples.center(examples.hospital(tmp_path))
    first, second = (check.render(check.check(center), private=True) for _ in range(2))
    assert first == second


def test_a_reason_that_excludes_many_makes_the_center_not_ready(tmp_path: Path) -> None:
    hospital = examples.hospital(tmp_path)
    for number in range(5):
        hospital.patient(f"X{number}", "perhaps")
        hospital.scan(f"X{number}.dcm", scan(f"X{number}", seed=number))
    found = check.check(examples.center(hospital))
    assert found.verdict is Verdict.NOT_READY
    first = found.findings[0]
    assert (first.code, first.count) == (RemarkCode.EXCLUDED, 5)
    assert "outcome code not in the config" in first.text
    assert "outcome.cured" in first.action


def test_a_center_that_is_not_ready_stops_with_page_and_first_step(tmp_path: Path) -> None:
    hospital = examples.hospital(tmp_path, patients=0)
    hospital.patient("A")
    hospital.scan("B.dcm", scan("B"))
    document = check.as_document(check.check(examples.center(hospital)))
    with pytest.raises(InputError) as stopped:
        approve([document], NotReady.STOP, "example")
    message = str(stopped.value)
    assert message.startswith("center north is not ready: No identifier of the clinical table")
    assert ".thyrocast/example/north/check.html" in message
    assert "check.not_ready: continue" in message
    assert approve([document], NotReady.CONTINUE, "example").verdicts == {
        "north": Verdict.NOT_READY
    }


def test_a_prospective_center_without_outcomes_is_ready(tmp_path: Path) -> None:
    hospital = examples.hospital(tmp_path, role="prospective", outcome=None)
    found = check.check(examples.center(hospital))
    assert found.verdict is Verdict.READY
    assert found.flow.cured is None


def test_small_numbers_and_what_would_reveal_them_are_suppressed() -> None:
    assert suppress([40, 3, 12, 0], 10) == [40, None, None, 0]
    assert suppress([40, 3, 4, 12], 10) == [40, None, None, 12]
    assert suppress([40, 12], 10) == [40, 12]
    assert suppress([3], 10) == [None]
    assert single(9, 10) is None
    assert single(0, 10) == 0


def test_every_left_out_file_has_its_reason_and_an_example(tmp_path: Path) -> None:
    hospital = examples.hospital(tmp_path, patients=2)
    hospital.scan("bone.dcm", scan("N0", seed=5, SeriesDescription="WHOLE BODY BONE"))
    (hospital.dicom / "broken.dcm").write_bytes(b"DICM" * 30)
    page = check.render(check.check(examples.center(hospital)), private=True)
    section = page[page.index('id="left-out"') : page.index('id="contradictions"')]
    assert "bone.dcm" in section
    assert "broken.dcm" in section
    assert "data:image/jpeg" in section


def test_an_image_without_a_date_is_a_finding(tmp_path: Path) -> None:
    hospital = examples.hospital(tmp_path, patients=2)
    hospital.patient("UNDATED", therapy="", birth="1972-07-01")
    hospital.scan("undated.dcm", scan("UNDATED", seed=78, PatientBirthDate="19720701"))
    findings = check.check(examples.center(hospital)).findings
    shown = {one.subject: [e.identifier for e in one.examples] for one in findings}
    assert shown["undated"] == ["UNDATED"]
