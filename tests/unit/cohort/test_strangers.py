"""The images of one identifier are those of the person in the table, or the patient is excluded."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.unit.example_scans import IODINE131
from tests.unit.hospital import Hospital, assemble, read_cohort, scan
from thyrocast.contract.names import FileUse

#: Columns without a birth date: the table has an age.
AGED = {"patient": "id", "outcome": "result", "therapy_date": "therapy", "sex": "sex", "age": "age"}
#: A unique identifier that may be one; 1.2.3 is a placeholder.
STUDY = "1.2.826.0.1.3680043.2.1125.1.77"
KNOWN = {"PatientBirthDate": "19700501", "PatientSex": "F", "PatientName": "Dupont^Marie"}


def reason(
    tmp_path: Path,
    first: dict[str, str],
    second: dict[str, str] | None = None,
    cells: dict[str, str] | None = None,
    **changes: Any,
) -> str:
    north = Hospital(tmp_path, **changes)
    north.patient("1", **cells or {})
    north.scan("near", scan("1", AcquisitionDate="20200131", **{**KNOWN, **first}))
    if second is not None:
        north.scan("far", scan("1", seed=2, **{**KNOWN, **second}))
    ((_, found),) = north.reasons()
    return found


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ({}, {"PatientBirthDate": "19700502"}, "birth date differs"),
        ({"PatientBirthDate": "19700101"}, {"PatientBirthDate": "19710501"}, "birth date differs"),
        ({}, {"PatientBirthDate": "1970-05-02"}, "birth date differs"),
        ({}, {"PatientBirthDate": "02.05.1971"}, "birth date differs"),
        ({}, {"PatientSex": "M"}, "sex differs"),
        (
            {"PatientBirthDate": "", "PatientAge": "034Y"},
            {"PatientBirthDate": "", "PatientAge": "071Y"},
            "age differs",
        ),
        ({"PatientAge": "071Y", "PatientBirthDate": ""}, {"PatientAge": ""}, "age differs"),
        ({}, {"PatientName": "Durand^Paul"}, "name differs"),
        ({}, {"PatientName": "Dupont^Anne"}, "name differs"),
        ({"PatientName": "山田^太郎"}, {"PatientName": "山田^花子"}, "name differs"),
        ({"PatientName": "Dupont Marie"}, {"PatientName": "Dupont Anne"}, "name differs"),
        (
            {"PatientBirthDate": ""},
            {"PatientName": "Martin^Marie", "PatientBirthDate": ""},
            "name differs",
        ),
        (
            {},
            {"PatientBirthDate": "19330501", "PatientSex": "M", "PatientName": "Durand^Paul"},
            "birth date, sex and name differ",
        ),
    ],
)
def test_two_people_with_one_identifier_are_excluded(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], what: str
) -> None:
    assert reason(tmp_path, first, second) == f"contradictory identity: {what} among the images"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"PatientBirthDate": "", "PatientSex": "", "PatientName": ""}),
        ({}, {"PatientBirthDate": "19000101", "PatientSex": "O", "PatientName": "^^^"}),
        ({}, {"PatientBirthDate": "19700101"}),
        ({}, {"PatientBirthDate": "1970.05.01"}),
        ({}, {"PatientBirthDate": "00000000"}),
        ({}, {"PatientBirthDate": "99991231"}),
        ({}, {"PatientName": "Dupont, Marie"}),
        ({}, {"PatientName": "MARIE DUPONT"}),
        ({}, {"PatientName": "DUPONT^MARIE^^MME"}),
        ({}, {"PatientName": "Dr. Dupont^M."}),
        ({}, {"PatientName": "Dupont-Martin^Marie"}),
        ({}, {"PatientName": "Martin^Marie"}),  # born on the same day: a married name
        ({}, {"PatientName": "Dupond^Marie Claire"}),
        ({}, {"PatientName": "Дюпон^Мари"}),
        ({}, {"PatientName": "ANONYMOUS^12"}),
        ({}, {"PatientName": "PAT0017"}),
        ({}, {"PatientName": "1"}),
        ({}, {"PatientName": "DM"}),
        ({"PatientName": "Dupont^Maria Inés"}, {"PatientName": "Dupont^Mª Ines"}),
        ({"PatientName": "Müller^Ömer"}, {"PatientName": "MUELLER^OMER"}),
        ({"PatientName": "M?ller^Anna"}, {"PatientName": "Müller^Anna"}),
        ({"PatientName": "ÖZTÜRK^IŞIL"}, {"PatientName": "Ozturk^Işıl"}),
        ({"PatientName": "van der Berg^Jan"}, {"PatientName": "VANDERBERG^JAN"}),
        ({"PatientName": "Yamada^Taro=山田^太郎"}, {"PatientName": "山田太郎"}),
    ],
)
def test_other_spellings_and_missing_values_contradict_nothing(
    tmp_path: Path, first: dict[str, str], second: dict[str, str]
) -> None:
    assert reason(tmp_path, first, second) == ""


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"birth": "1970-05-01"}, ""),
        ({"birth": "1970-01-01"}, ""),
        ({"birth": "1970-05-02"}, "birth date differs"),
        ({"sex": "m"}, "sex differs"),
        ({"sex": "other"}, ""),
        ({"birth": "1933-05-01", "sex": "m"}, "birth date and sex differ"),
    ],
)
def test_images_are_compared_with_the_table(
    tmp_path: Path, cells: dict[str, str], expected: str
) -> None:
    text = f"contradictory identity: {expected} between images and table" if expected else ""
    assert reason(tmp_path, {}, None, cells) == text


@pytest.mark.parametrize(
    ("age", "born", "expected"),
    [
        ("49", "19700501", False),
        ("47", "19700501", False),
        ("46", "19700501", True),
        ("52", "19700501", True),
        ("67", "19700501", True),
        ("90", "19230501", False),  # a group of those of 90 or older
        ("", "19700501", False),
        ("49", "19000101", False),
    ],
)
def test_the_age_of_the_table_is_compared(
    tmp_path: Path, age: str, born: str, *, expected: bool
) -> None:
    found = reason(tmp_path, {"PatientBirthDate": born}, None, {"age": age}, columns=AGED)
    wrong = "contradictory identity: age differs between images and table"
    assert found == (wrong if expected else "")


@pytest.mark.parametrize(
    ("cells", "stated", "expected"),
    [
        ({"age": "49"}, "049Y", False),
        ({"age": "49"}, "047Y", False),
        ({"age": "49"}, "071Y", True),
        ({"age": "49"}, "71", True),
        ({"age": "49"}, "852M", True),
        ({"age": "49"}, "590M", False),
        ({"age": "49"}, "000Y", False),
        ({"age": "95"}, "090Y", False),
        ({"birth": "1970-05-01"}, "049Y", False),
        ({"birth": "1970-05-01"}, "044Y", True),
    ],
)
def test_the_age_in_the_header_is_compared(
    tmp_path: Path, cells: dict[str, str], stated: str, *, expected: bool
) -> None:
    elements = {"PatientBirthDate": "", "PatientAge": stated}
    more = {"columns": AGED} if "age" in cells else {}
    found = reason(tmp_path, elements, None, cells, **more)
    assert found == (
        "contradictory identity: age differs between images and table" if expected else ""
    )


def test_nothing_is_chosen_even_if_the_table_fits_one_of_them(tmp_path: Path) -> None:
    found = reason(tmp_path, {"PatientBirthDate": "19330501"}, {}, {"birth": "1970-05-01"})
    assert found == "contradictory identity: birth date differs among the images"


def test_a_file_without_a_scan_shows_a_stranger_too(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("a", scan("1", **KNOWN))
    other = {**KNOWN, "PatientBirthDate": "19330501"}
    north.scan("b", scan("1", radionuclide=IODINE131, **other))
    assert north.reasons() == [("1", "contradictory identity: birth date differs among the images")]
    table = north.register().files
    assert table["verdict"].tolist() == [FileUse.CANDIDATE, FileUse.EXCLUDED]
    assert "1933" not in table.to_csv()


def test_the_syringe_may_have_a_name_of_its_own(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("a", scan("1", **KNOWN))
    north.scan(
        "b",
        scan("1", **KNOWN | {"SeriesDescription": "Syringe full", "PatientName": "Spritze^Voll"}),
    )
    assert north.reasons() == [("1", "")]


def test_the_birth_date_of_many_is_not_known(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    for n in range(5):
        north.patient(f"p{n}", birth=f"1947-08-1{n}")
        north.scan(f"{n}", scan(f"p{n}", seed=n, PatientBirthDate="19800304"))
    assert {found for _, found in north.reasons()} == {""}


def test_a_wrong_column_is_suspected(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    compared = {"compare": ["sex", "name"]}
    for name, identifiers in (("north", {}), ("south", compared)):
        hospital = Hospital(tmp_path, name, identifiers=identifiers)
        for n in range(4):
            hospital.patient(f"p{n}", birth=f"1947-08-1{n}")
            hospital.scan(f"{n}", scan(f"p{n}", seed=n, PatientBirthDate=f"1980030{n + 1}"))
        with caplog.at_level(logging.WARNING, "thyrocast"):
            reasons = {found for _, found in hospital.reasons()}
        if name == "north":
            expected = "contradictory identity: birth date differs between images and table"
            assert reasons == {expected}
            assert (
                "birth date of the images differs from that of the table for 4 of 4" in caplog.text
            )
            assert "identifiers.compare" in caplog.text
            caplog.clear()
        else:
            assert reasons == {""}
            assert "of the images differs" not in caplog.text


def test_a_stranger_is_not_in_the_cohort(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    for identifier in ("1", "2"):
        north.patient(identifier, birth="1970-05-01")
        north.scan(identifier, scan(identifier, seed=int(identifier), **KNOWN))
    north.patient("3", birth="1970-05-07")
    north.scan("3/own", scan("3", seed=3, PatientBirthDate="19700507"))
    north.scan(
        "3/stranger", scan("3", seed=4, PatientBirthDate="19400101", AcquisitionDate="20200131")
    )
    out = assemble(tmp_path / "a", [north], duplicates="keep")
    assert len(read_cohort(out)) == 2


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"IssuerOfPatientID": "HOSPITAL A"}, {"IssuerOfPatientID": "HOSPITAL B"}, True),
        ({"IssuerOfPatientID": "HOSPITAL A"}, {"IssuerOfPatientID": "hospital_a"}, False),
        ({"IssuerOfPatientID": "HOSPITAL A"}, {}, False),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_two_issuers_of_one_identifier(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], *, expected: bool, known: bool
) -> None:
    """Where birth date or name show one person, the issuer says nothing else."""
    nobody = {} if known else {"PatientBirthDate": "", "PatientName": "", "PatientSex": ""}
    found = reason(tmp_path, nobody | first, nobody | second)
    wrong = "contradictory identity: issuer of the identifier differs among the images"
    assert found == (wrong if expected and not known else "")


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SOPInstanceUID"])
@pytest.mark.parametrize("known", [True, False])
def test_one_unique_identifier_under_two_patients(
    tmp_path: Path, keyword: str, *, known: bool
) -> None:
    """An object belongs to one patient; birth date and name may show that both are one person."""
    north = Hospital(tmp_path)
    nobody = {} if known else {"PatientBirthDate": "", "PatientName": ""}
    for number, identifier in enumerate(("1", "2", "3")):
        north.patient(identifier)
        shared = {keyword: STUDY} if identifier != "3" else {}
        north.scan(identifier, scan(identifier, seed=number, **KNOWN | nobody | shared))
    wrong = f"contradictory identity: one {keyword} under several identifiers"
    expected = "" if known else wrong
    assert north.reasons() == [("1", expected), ("2", expected), ("3", "")]
    kinds = north.register().contradictions["kind"].tolist()
    assert kinds == ([] if known else ["files", "files"])


def test_a_unique_identifier_of_many_is_a_placeholder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    north = Hospital(tmp_path)
    for number in range(4):
        north.patient(str(number))
        nobody = {"PatientBirthDate": "", "PatientName": "", "StudyInstanceUID": STUDY}
        north.scan(str(number), scan(str(number), seed=number, **nobody))
    assert {found for _, found in north.reasons()} == {""}
    assert "1 values of StudyInstanceUID are in files of several patients" in caplog.text
