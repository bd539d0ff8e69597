"""One person counts once, even in several centers."""

import json
from pathlib import Path

import pytest

from tests.unit.hospital import Hospital, assemble, read_cohort, scan
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
        dataset = scan(identifier, seed=seed, PatientBirthDate="", PatientSex="")
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


def test_a_birth_date_of_many_is_a_placeholder(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    for n in range(5):
        north.patient(f"p{n}", birth="1947-08-13")
        north.scan(f"{n}", scan(f"p{n}", seed=n))
    out = assemble(tmp_path / "a", [north])
    assert len(read_cohort(out)) == 5
