"""Nothing that identifies a patient reaches the results, in whatever form a run writes them."""

import base64
import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.conftest import Study, prepare

TEXTS = {"LO", "SH", "ST", "LT", "UT", "UC", "AE", "PN"}
# What a file is, not whose; codes are not changed, their meanings are planted.
KEPT = {"SOPClassUID", "PatientID", "CodeValue", "CodingSchemeDesignator"}
BIRTH, ENCODINGS = "19470813", ("utf-8", "utf-16-le", "utf-32-le")


class Planter:
    """Plants a unique string in every text of a file; `planted` lists them all."""

    def __init__(self) -> None:
        self.planted = [BIRTH, "1947-08-13", "13.08.1947"]

    def word(self) -> str:
        self.planted.append(f"Zq{len(self.planted):05d}Plant")
        return self.planted[-1]

    def uid(self) -> str:
        self.planted.append(f"1.2.826.0.1.7777777.{len(self.planted)}")
        return self.planted[-1]

    def plant(self, dataset: Dataset) -> None:
        for element in list(dataset):
            if element.VR == "SQ":
                for item in element.value:
                    self.plant(item)
            elif element.keyword == "PatientBirthDate":
                element.value = BIRTH
            elif element.keyword in KEPT or (
                element.tag.element == 0x0010 and element.tag.is_private
            ):
                continue
            elif element.VR == "PN":
                element.value = f"{self.word()}^{self.word()}"
            elif element.VR in TEXTS:
                # The text stays in front, because it identifies views and syringes.
                element.value = f"{element.value} {self.word()}"
            elif element.VR == "UI" and element.keyword.endswith("InstanceUID"):
                element.value = self.uid()

    def file(self, path: Path) -> None:
        try:
            dataset = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            path.write_text(self.word())
            return
        dataset.InstitutionName, dataset.ReferringPhysicianName = self.word(), self.word()
        dataset.AccessionNumber, dataset.PatientAddress = self.word()[:16], self.word()
        inner = Dataset()
        inner.add(DataElement(0x00990010, "LO", "PLANTS"))
        inner.add(DataElement(0x00991001, "LT", self.word()))
        outer = Dataset()
        outer.add(DataElement(0x00990010, "LO", "PLANTS"))
        outer.add(DataElement(0x00991002, "SQ", Sequence([inner])))
        dataset.add(DataElement(0x00990010, "LO", "PLANTS"))
        dataset.add(DataElement(0x00991003, "SQ", Sequence([outer])))
        self.plant(dataset)
        path.unlink()
        dataset.save_as(path.with_name(f"{self.word()}.dcm"))

    def table(self, path: Path) -> None:
        """A remark on every row, and nonsense in a few cells that are read."""
        lines = path.read_text(encoding="utf-8").splitlines()
        delimiter = max(",;\t", key=lines[0].count)
        planted = [f"{lines[0]}{delimiter}remark"]
        for number, line in enumerate(lines[1:]):
            cells = line.split(delimiter)
            if number % 7 == 6:
                cells[number % (len(cells) - 1) + 1] = self.word()
            planted.append(delimiter.join([*cells, self.word()]))
        path.write_text("\n".join(planted), encoding="utf-8")


def contents(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what is packed within them."""
    data = path.read_bytes()
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield archive.read(name)
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    for coded in re.findall(rb"base64,([A-Za-z0-9+/=]{40,})", data):
        yield base64.b64decode(coded)


class Search:
    """Looks for needles of at least four bytes in gigabytes: a table of their first bytes comes first."""

    def __init__(self, needles: list[str]) -> None:
        self.needles = {n.encode(encoding): n for n in needles for encoding in ENCODINGS}
        longest_first = sorted(self.needles, key=len, reverse=True)
        self.pattern = re.compile(b"|".join(map(re.escape, longest_first)))
        self.begins, self.continues = np.zeros(65_536, bool), np.zeros(65_536, bool)
        for needle in self.needles:
            self.begins[needle[0] << 8 | needle[1]] = True
            self.continues[needle[2] << 8 | needle[3]] = True

    def __call__(self, data: bytes) -> set[str]:
        """The needles that the data contain."""
        found = set()
        for start in range(0, len(data), 1 << 24):
            part = np.frombuffer(data[start : start + (1 << 24) + 3], np.uint8).astype(np.uint16)
            pairs = part[:-1] << 8 | part[1:]
            for at in np.flatnonzero(self.begins[pairs[:-2]] & self.continues[pairs[2:]]) + start:
                hit = self.pattern.match(data, int(at))
                if hit and not self._by_chance(data, hit):
                    found.add(self.needles[hit[0]])
        return found

    @staticmethod
    def _by_chance(data: bytes, hit: re.Match[bytes]) -> bool:
        """Whether digits that look like a date are decimals of a computed number."""
        before = re.search(rb"\d\.\d*$", data[max(hit.start() - 20, 0) : hit.start()])
        after = re.match(rb"\d*", data[hit.end() : hit.end() + 20])
        decimals = before and after and len(before[0] + hit[0] + after[0]) - 2
        return hit[0].isdigit() and bool(decimals and decimals > 10)


def found(folder: Path, needles: list[str]) -> list[tuple[str, str]]:
    """Needles in the names and the contents of all files below a folder."""
    search = Search(needles)
    hits = []
    for path in sorted(folder.rglob("*")):
        hits += [(str(path), n) for n in needles if n in path.name]
        if path.is_file():
            hits += [
                (str(path.relative_to(folder)), hit)
                for data in contents(path)
                for hit in sorted(search(data))
            ]
    return hits


def test_the_search_finds_what_is_packed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("patient.npy", "Doe-1".encode("utf-32-le") * 9)
    coded = base64.b64encode(b"some picture of Doe-1, with a comment").decode()
    (tmp_path / "b.html").write_text(f"<img src='data:image/png;base64,{coded}'>")
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"Doe-1"))
    (tmp_path / "Doe-1.txt").write_text("nothing")
    (tmp_path / "d.csv").write_text("19470813,0.619470813123,x19470813")
    assert len(found(tmp_path, ["Doe-1"])) == 4
    assert found(tmp_path, [BIRTH]) == [("d.csv", BIRTH)]
    (tmp_path / "d.csv").write_text("0.619470813123,0.1947081399999,-1.25194708130")
    assert found(tmp_path, [BIRTH]) == []


@pytest.mark.slow
def test_planted_identities_do_not_reach_the_results(tmp_path: Path, smoke_data: Path) -> None:
    study = prepare(tmp_path / "study", data=smoke_data)
    planter = Planter()
    for center in ("alpha", "beta"):
        folder = study.folder / "data" / "smoke" / center
        for path in sorted(p for p in (folder / "dicom").rglob("*") if p.is_file()):
            planter.file(path)
        planter.table(folder / "clinical.csv")
    study.snakemake("--until", "assemble_cohort")
    cohort = (study.results / "cohort" / "cohort.csv").read_text()
    assert cohort.count("\n") > 40
    assert len(planter.planted) > 1_000
    assert found(study.results, planter.planted) == []


@pytest.mark.slow
def test_a_whole_study_names_nobody(smoke_study: Study) -> None:
    """What the headers of the simulated patients say about them, searched in all that was written."""
    needles: set[str] = set()
    for path in (smoke_study.folder / "data" / "smoke").rglob("*"):
        if not path.is_file() or path.suffix in {".csv", ".xlsx", ".tsv"}:
            continue
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
        except pydicom.errors.InvalidDicomError:
            continue
        for element in dataset.iterall():
            text = str(element.value)
            # Short numbers, and dates of the years of a simulation, are in many tables.
            identifying = element.VR in {"PN", "UI", "DA"} or element.keyword in {
                "PatientID", "InstitutionName", "AccessionNumber", "StationName",
            }  # fmt: skip
            if identifying and len(text) >= 8 and not text.startswith("1.2.840.10008"):
                needles.add(text)
                if element.VR == "DA":
                    needles.add(f"{text[:4]}-{text[4:6]}-{text[6:]}")
    assert len(needles) > 100
    # The crate's copy of the workflow contains the simulator, which invents these names.
    own_code = "crate/workflow/"
    named = found(smoke_study.results, sorted(needles))
    assert [(file, text) for file, text in named if not file.startswith(own_code)] == []


def test_private_files_are_the_owners_alone(smoke_study: Study) -> None:
    private = smoke_study.folder / ".thyrocast" / smoke_study.name
    for scans in private.rglob("scans.csv"):
        assert scans.parent.stat().st_mode & 0o077 == 0
        assert scans.stat().st_mode & 0o077 == 0
    assert list(private.rglob("scans.csv"))
