"""Which patient a changed file concerns is known before any job: its own, or everybody."""

import os
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from thyrocast.config.center import IdentifiersConfig
from thyrocast.planning import exports


def write(path: Path, patient: str, syntax: str = ExplicitVRLittleEndian, **more: str) -> None:
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.20", "1.2.3"
    data.PatientID = patient
    for key, value in more.items():
        setattr(data, key, value)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, data, enforce_file_format=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "x" / "a" / "1", "12")
    write(tmp_path / "x" / "b", "0034", ImplicitVRLittleEndian)
    return tmp_path / "x"


def look(folder: Path, **rules: Any) -> exports.Export:
    return exports.look(folder, folder.parent / "cache.json", IdentifiersConfig(**rules))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("patient", ["1", "12", "A-0012 ", "x" * 64])
def test_owner_of_a_file(tmp_path: Path, patient: str, syntax: str) -> None:
    write(tmp_path / "x" / "f", patient, syntax, InstitutionName="Somewhere")
    assert look(tmp_path / "x").owners == {"f": (patient.strip().upper(),)}


def test_an_identifier_that_needs_a_character_set_names_nobody(tmp_path: Path) -> None:
    write(tmp_path / "x" / "f", "MÜLLER-1", SpecificCharacterSet="ISO_IR 100")
    assert look(tmp_path / "x").owners == {"f": ()}


def test_identifiers_are_normalized_as_the_center_says(folder: Path) -> None:
    owners = look(folder, zero_pad=4).owners
    assert owners == {os.path.join("a", "1"): ("0012",), "b": ("0034",)}


def test_a_replaced_file_concerns_its_patient_alone(folder: Path) -> None:
    before = look(folder)
    write(folder / "b", "0034", PatientSex="F")
    after = look(folder)
    assert before.version() != after.version()
    assert before.versions()["12"] == after.versions()["12"]
    assert before.versions()["0034"] != after.versions()["0034"]


def test_a_file_that_names_nobody_concerns_everybody(folder: Path) -> None:
    before = look(folder).versions()
    (folder / "note.txt").write_text("hello")
    after = look(folder).versions()
    assert all(before[owner] != after[owner] for owner in before)


def test_every_change_is_noticed(folder: Path) -> None:
    os.symlink(folder, folder / "a" / "loop")
    os.symlink(folder / "nowhere", folder / "dangling")
    seen = {look(folder).version()}
    assert look(folder).version() in seen
    os.utime(folder / "b", ns=(1, 1))
    seen.add(look(folder).version())
    (folder / "b").rename(folder / "c")
    seen.add(look(folder).version())
    (folder / "d").write_bytes(b"")
    seen.add(look(folder).version())
    assert len(seen) == 4


def test_only_new_files_are_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look(folder)
    write(folder / "new", "56")
    opened: list[str] = []
    names = exports._names
    monkeypatch.setattr(exports, "_names", lambda path: opened.append(path) or names(path))
    assert look(folder).owners["new"] == ("56",)
    assert opened == [str(folder / "new")]


def test_hostile_names_are_accepted(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff\xfe")).write_bytes(b"\x10\x00\x20\x00LO\xff\xff")
    (folder / "line\nbreak").write_bytes(b"")
    assert look(folder).version() == look(folder).version()


def test_the_file_of_identifiers_is_private(folder: Path) -> None:
    look(folder)
    assert (folder.parent / "cache.json").stat().st_mode & 0o077 == 0
