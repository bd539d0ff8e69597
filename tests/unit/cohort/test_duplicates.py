"""One person counts once, even in several centers."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.unit.example_scans import detector, neck, nm
from tests.unit.hospital import Hospital, assemble, read_cohort, scan
from thyrocast.contract import io
from thyrocast.contract.cohort import PATIENTS
from thyrocast.errors import InputError


def two_centers(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], seeds: tuple[int, int] = (1, 2)
) -> list[Hospital]:
    hospitals = []
    for name, cells, seed in zip(("north", "south"), (first, second), seeds, strict=True):
        hospital = Hospital(tmp_path, name)
        cells = {"id": "x" + name} | cells
        identifier = cells.pop("id")
        hospital.patient(identifier, **cells)
        dataset = scan(identifier, seed=seed, PatientBirthDate="", PatientSex="", PatientName="")
        hospital.scan("a", dataset)
        hospitals.append(hospital)
    return hospitals


BORN = {"birth": "1970-05-01"}


@pytest.mark.parametrize(
    ("first", "second", "seeds", "why"),
    [
        ({}, {}, (1, 1), "identical pixels"),
        ({"id": "77"}, {"id": "77"}, (1, 2), "the same identifier"),
        ({"id": "77", **BORN}, {"id": "77", **BORN}, (1, 2), "the same identifier"),
        (BORN, BORN, (1, 2), "the same birth date and sex"),
    ],
)
def test_one_person_in_two_centers_stops_the_run(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], seeds: tuple[int, int], why: str
) -> None:
    hospitals = two_centers(tmp_path, first, second, seeds)
    with pytest.raises(InputError, match=f"north-.*south-.*{why}.*cohort.distinct"):
        assemble(tmp_path / "a", hospitals)
    out = assemble(tmp_path / "b", hospitals, duplicates="exclude")
    flow = json.loads((out / "flow.json").read_text())["centers"]
    assert flow["north"]["analyzed"] == 1
    assert flow["south"]["excluded"] == {"the same person as another patient": 1}
    pair = [patient for h in hospitals for patient in h.register().register["patient"]]
    kept = assemble(tmp_path / "c", hospitals, distinct=[pair])
    assert len(read_cohort(kept)) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"id": "77", **BORN}, {"id": "77", "birth": "1970-05-02"}),
        ({"id": "77"}, {"id": "77", "therapy": "2020-03-15"}),
        (BORN, {**BORN, "sex": "m"}),
        (BORN, {**BORN, "therapy": "2020-03-15"}),
    ],
)
def test_two_people_are_two(tmp_path: Path, first: dict[str, str], second: dict[str, str]) -> None:
    out = assemble(tmp_path / "a", two_centers(tmp_path, first, second))
    assert len(read_cohort(out)) == 2


def one_center(
    tmp_path: Path,
    *entries: tuple[dict[str, str], dict[str, str]],
    seeds: Sequence[int] = (1, 2, 3),
    **changes: str,
) -> Hospital:
    """One center with patients p0, p1, ...: cells of the table, and elements of the header."""
    north = Hospital(tmp_path, **changes)
    for n, (cells, elements) in enumerate(entries):
        identifier = cells.get("id", f"p{n}")
        rest = {key: value for key, value in cells.items() if key != "id"}
        north.patient(identifier, **rest)
        blank = {"PatientBirthDate": "", "PatientSex": "", "PatientName": ""}
        north.scan(f"{n}", scan(identifier, seed=seeds[n], **blank | elements))
    return north


LATER = {"therapy": "2020-02-20"}
MUCH_LATER = {"therapy": "2020-06-20"}
MARIE, ANNE = {"PatientName": "Dupont^Marie"}, {"PatientName": "Dupont^Anne"}


@pytest.mark.parametrize(
    ("first", "second", "seeds", "why"),
    [
        (({}, {}), (LATER, {}), (1, 1), "identical pixels"),
        ((BORN, {}), (BORN, {}), (1, 2), "the same birth date and sex"),
        ((BORN, {}), (BORN | LATER, {}), (1, 2), "the same birth date and sex"),
        ((BORN, MARIE), (BORN | LATER, {}), (1, 2), "the same birth date and sex"),
        ((BORN, MARIE), (BORN | MUCH_LATER, MARIE), (1, 2), "the same birth date and sex"),
        (
            (BORN, MARIE),
            (BORN | LATER, {"PatientName": "DURAND^MARIE"}),
            (1, 2),
            "the same birth date and sex",
        ),
        (({}, {"PatientBirthDate": "19700501"}), (BORN, {}), (1, 2), "the same birth date and sex"),
        (
            (BORN | {"therapy": ""}, {"AcquisitionDate": "20200110"}),
            (BORN | {"therapy": ""}, {"AcquisitionDate": "20200112"}),
            (1, 2),
            "the same birth date and sex",
        ),
        (({"id": "17"}, {}), ({"id": "0017"} | LATER, {}), (1, 2), "the same identifier"),
    ],
)
def test_a_person_registered_twice_in_a_center_stops_the_run(
    tmp_path: Path,
    first: tuple[dict[str, str], dict[str, str]],
    second: tuple[dict[str, str], dict[str, str]],
    seeds: tuple[int, int],
    why: str,
) -> None:
    north = one_center(tmp_path, second, first, seeds=seeds)
    with pytest.raises(InputError, match=f"north-.*north-.*{why}.*cohort.distinct"):
        assemble(tmp_path / "a", [north])
    out = assemble(tmp_path / "b", [north], duplicates="exclude")
    table = io.read(PATIENTS, out / "patients.csv")
    later = bool(second[0].get("therapy"))  # listed first, but not the first therapy
    assert table["analyzed"].tolist() == ([False, True] if later else [True, False])
    excluded = table.loc[~table["analyzed"], "reason"].tolist()
    assert excluded == ["the same person as another patient"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((BORN, {}), (BORN | MUCH_LATER, {})),
        ((BORN, {}), (BORN | {"sex": "m"}, {})),
        ((BORN | {"therapy": ""}, {"AcquisitionDate": "20190110"}), (BORN | {"therapy": ""}, {})),
        (({"birth": "1970-01-01"}, {}), ({"birth": "1970-01-01"}, {})),
        (({"birth": "1900-05-07"}, {}), ({"birth": "1900-05-07"}, {})),
        (({"id": "17"}, {}), ({"id": "0017"} | MUCH_LATER, {})),
        (({}, MARIE), ({}, MARIE)),
    ],
)
def test_two_people_of_a_center_are_two(
    tmp_path: Path,
    first: tuple[dict[str, str], dict[str, str]],
    second: tuple[dict[str, str], dict[str, str]],
) -> None:
    assert len(read_cohort(assemble(tmp_path / "a", [one_center(tmp_path, first, second)]))) == 2


def test_twins_are_two_people_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    north = one_center(tmp_path, (BORN, MARIE), (BORN, ANNE))
    with caplog.at_level(logging.WARNING, "thyrocast"):
        out = assemble(tmp_path / "a", [north])
    assert len(read_cohort(out)) == 2
    assert "but different given names: they are taken as two people" in caplog.text
    caplog.clear()
    pair = north.register().register["patient"].tolist()
    assemble(tmp_path / "b", [north], distinct=[pair])
    assert "given names" not in caplog.text
    copies = one_center(tmp_path / "c", (BORN, MARIE), (BORN, ANNE), seeds=(1, 1))
    with pytest.raises(InputError, match="identical pixels"):
        assemble(tmp_path / "d", [copies])


def test_a_birth_date_of_many_is_a_placeholder(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    for n in range(5):
        north.patient(f"p{n}", birth="1947-08-13")
        north.scan(f"{n}", scan(f"p{n}", seed=n))
    out = assemble(tmp_path / "a", [north])
    assert len(read_cohort(out)) == 5


def test_a_copy_that_was_stored_turned_is_the_same_image(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    for identifier in ("1", "2"):
        north.patient(identifier)
    north.scan("a", scan("1", PatientBirthDate=""))
    head = detector(ImageOrientationPatient=[-1, 0, 0, 0, 0, 1])
    turned = np.rot90(neck(64, 4.0, seed=1), 2).copy()
    north.scan("b", nm(turned, [head], PatientID="2", PatientBirthDate="", PatientName="Roe^Ann"))
    with pytest.raises(InputError, match="identical pixels"):
        assemble(tmp_path / "a", [north])


def test_centers_that_count_their_patients_share_no_identifiers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hospitals = []
    for n, name in enumerate(("north", "south")):
        hospital = Hospital(tmp_path, name)
        # The first therapies are near each other by chance.
        for number, month in enumerate((1, 3, 5)):
            identifier, day = f"{number + 1:03}", f"2020{1 + month * (n + 1):02}"
            hospital.patient(
                identifier, therapy=f"{day[:4]}-{day[4:]}-2{n}" if number else "2020-02-01", sex=""
            )
            unnamed = {"PatientBirthDate": "", "PatientSex": "", "PatientName": ""}
            date = f"{day}10" if number else "20200110"
            hospital.scan(
                identifier, scan(identifier, 10 * n + number, AcquisitionDate=date, **unnamed)
            )
        hospitals.append(hospital)
    with caplog.at_level(logging.WARNING, "thyrocast"):
        assert len(read_cohort(assemble(tmp_path, hospitals))) == 6
    assert caplog.text.count("have the same identifier and near dates") == 1
