"""A study that two patients share shows a stranger's image; a placeholder of an exporter does not."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.hospital import Hospital, scan
from thyrocast.cohort.shared_uids import UNIQUE, is_plausible

REAL = "1.2.826.0.1.3680043.2.1125.1.77"
UNNAMED: dict[str, Any] = {"PatientName": "", "PatientBirthDate": "", "PatientSex": ""}
SHARED = "contradictory identity: one StudyInstanceUID under several identifiers"


def shared(folder: Path, uid: str, keyword: str = "StudyInstanceUID", **changes: Any) -> Hospital:
    north = Hospital(folder, **changes)
    for n, identifier in enumerate(("A1", "A2")):
        north.patient(identifier)
        north.scan(identifier, scan(identifier, n, **UNNAMED | {keyword: uid}))
    return north


@pytest.mark.parametrize("keyword", UNIQUE)
@pytest.mark.parametrize(
    "uid",
    ["1.2.3", "1.2.3.4.5.6.7.8.9.10.11.12", "2.25.0", "0.0.0", "1.2.840.113619.2.0.0.0.0",
     "1.2.840.10008.5.1.4.1.1.20", "1111.1111.1111.1111.1111"],
)  # fmt: skip
def test_a_placeholder_excludes_nobody(tmp_path: Path, keyword: str, uid: str) -> None:
    assert shared(tmp_path, uid, keyword).reasons() == [("A1", ""), ("A2", "")]


def test_a_study_of_two_patients_excludes_both(tmp_path: Path) -> None:
    assert shared(tmp_path, REAL).reasons() == [("A1", SHARED), ("A2", SHARED)]


def test_images_of_different_days_are_not_of_one_study(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    north = shared(tmp_path, REAL)
    north.scan("A2", scan("A2", 1, **UNNAMED, StudyInstanceUID=REAL, AcquisitionDate="20200110"))
    assert north.reasons() == [("A1", ""), ("A2", "")]
    assert "1 values of StudyInstanceUID are in files of several patients" in caplog.text
    assert REAL not in caplog.text


def test_a_placeholder_date_is_no_other_day(tmp_path: Path) -> None:
    north = shared(tmp_path, REAL)
    dates = dict.fromkeys(("AcquisitionDate", "SeriesDate", "StudyDate", "ContentDate"), "19700101")
    north.scan("A2", scan("A2", 1, **UNNAMED, StudyInstanceUID=REAL, **dates))
    assert dict(north.reasons())["A1"] == SHARED


def test_the_comparison_can_be_switched_off(tmp_path: Path) -> None:
    compare = ["birth_date", "sex", "name", "issuer"]
    assert shared(tmp_path, REAL, identifiers={"compare": compare}).reasons() == [
        ("A1", ""),
        ("A2", ""),
    ]


@pytest.mark.parametrize(
    "uid",
    [REAL, "1.3.12.2.1107.5.6.1.1042.30000019", "2.25.154216726052296039839031403303582730368",
     "1.2.840.113619.2.55.1.1762295590.1"],
)  # fmt: skip
def test_an_identifier_of_an_organization_is_plausible(uid: str) -> None:
    assert is_plausible(uid)
