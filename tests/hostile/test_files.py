"""Broken and hostile files: no crash, no hang, bounded memory, a reason, and good patients stay in."""

import collections
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.example_scans import center, cohort, image, neck, nm, save, table
from thyrocast import identity
from thyrocast.cohort import registration as cohorts
from thyrocast.contract import io as tables
from thyrocast.contract.cohort import RECORDS, REGISTER, SCANS
from thyrocast.dicom.frames import judge
from thyrocast.dicom.header import read_header
from thyrocast.dicom.index import index_folder
from thyrocast.dicom.pixels import PixelError, read_counts
from thyrocast.image import standardize

KEY = b"k" * 32
PIXELS = neck(64, 4.0)


def good(folder: Path, identifier: str = "good") -> None:
    save(nm(PIXELS, PatientID=identifier), folder / f"{identifier}.dcm")


def run(folder: Path, rows: list[dict[str, str]], threads: int = 2) -> dict[str, str]:
    """Register and standardize; reason by identifier, of the scan or of the image."""
    rows = [{"id": "good", "result": "yes"}, *rows]
    path = table(folder / "table.csv", rows)
    block = center(dicom=str(folder / "dicom"), clinical=str(path), fallbacks={"view": "anterior"})
    found = cohorts.register_center(block, cohort(), KEY, folder / "index", threads)
    private = folder / "private"
    cohorts.write(
        found,
        folder / "register.csv",
        private,
    )
    register = tables.read(REGISTER, folder / "register.csv")
    everyone = register["patient"].tolist()
    scans = tables.read(SCANS, private / "scans.csv")
    results = standardize.standardize_job(everyone, scans, folder / "dicom", block, image(size=32))
    standardize.write_job(results, 32, folder / "1.npz", folder / "1.csv")
    reasons = dict(zip(register["patient"], register["reason"], strict=True))
    records = tables.read(RECORDS, folder / "1.csv")
    reasons |= dict(zip(records["patient"], records["reason"], strict=True))
    return {row["id"]: reasons[identity.pseudonym(KEY, "north", row["id"].upper())] for row in rows}


def deep(levels: int) -> bytes:
    """A sequence within a sequence, ``levels`` deep, all of undefined length."""
    element = b"\x09\x00\x10\x00SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return element * levels


def insert(path: Path, element: bytes, before: bytes = b"\x10\x00\x20\x00LO") -> None:
    """Put raw bytes before an element of a file."""
    data = path.read_bytes()
    at = data.index(before)
    path.write_bytes(data[:at] + element + data[at:])


def bomb(path: Path, megabytes: int) -> None:
    """A deflated data set that unpacks to zeros."""
    whole = save(nm(PIXELS, PatientID="bomb"), path, "1.2.840.10008.1.2.1.99").read_bytes()
    start = 128 + 4 + 12 + int.from_bytes(whole[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = io.BytesIO()
    data.write(whole[:start])
    data.write(packer.compress(b"\x08\x00\x05\x00UN\0\0\xf0\xff\xff\x7f"))
    for _ in range(megabytes):
        data.write(packer.compress(bytes(2**20)))
    data.write(packer.flush())
    path.write_bytes(data.getvalue())


def no_files(folder: Path) -> None:
    """Links that lead in a circle, nowhere and to a device, and a pipe that nobody writes to."""
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere").symlink_to(folder.parent / "missing")
    (folder / "device").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")


def test_a_folder_of_broken_files(tmp_path: Path) -> None:
    folder = tmp_path / "dicom"
    good(folder)

    def named(identifier: str, **elements: Any) -> Path:
        path = folder / identifier
        return save(nm(PIXELS, PatientID=identifier, **elements), path)

    expected = {"good": "", "latin": ""}
    data = named("truncated").read_bytes()
    (folder / "truncated").write_bytes(data[:-4000])
    expected["truncated"] = "fewer pixels than declared"
    data = named("cut").read_bytes()
    (folder / "cut").write_bytes(data[:300])
    expected["cut"] = "no images"  # nothing says whose it is
    data = named("cut later").read_bytes()
    (folder / "cut later").write_bytes(data[:1250])
    expected["cut later"] = "a truncated file"
    insert(named("tiny"), b"\x10\x00\x40\x10LO\x02\x00ab" * 1_000_000, b"\x28\x00\x02\x00US")
    expected["tiny"] = "unreadable header: more elements than the header of any scintigram"
    (folder / "empty").write_bytes(b"")
    (folder / "noise").write_bytes(np.random.default_rng(1).bytes(10_000))
    (folder / "text.dcm").write_text("<script>alert(1)</script>" * 99)
    named("huge", Rows=65_535, Columns=65_535, NumberOfFrames=2**31 - 1)
    expected["huge"] = "a larger matrix or more frames than any scintigram"
    named("padded", PixelData=PIXELS.tobytes() + bytes(999))
    expected["padded"] = ""
    # More than another frame: which of the two is the declared one is not known.
    named("more", PixelData=PIXELS.tobytes() + bytes(9_999))
    expected["more"] = "more frames than declared"
    data = named("bare").read_bytes()
    (folder / "bare").write_bytes(data[132:])
    expected["bare"] = ""
    insert(named("deep"), deep(1_000))
    expected["deep"] = "unreadable header: sequences nested too deep"
    insert(
        named("shallow"),
        deep(20) + (b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)) * 20,
    )
    expected["shallow"] = ""
    insert(named("long"), b"\x09\x00\x10\x00UN\0\0\xf0\xff\xff\xff")
    expected["long"] = "a truncated file"
    bomb(folder / "bomb", 300)
    expected["bomb"] = "no images"
    named("../../etc/x".replace("/", "_"))
    save(nm(PIXELS, PatientID="../../etc/x"), folder / "path")
    expected["../../etc/x"] = ""
    save(nm(PIXELS, PatientID="=cmd()", PatientName="=cmd()|x!A0"), folder / "formula")
    expected["=cmd()"] = ""
    named("wide", Rows=8, Columns=512)
    named("large", Rows=46, Columns=89, PixelSpacing=[20, 20])
    expected["wide"] = "several images in one, by its wide matrix"
    expected["large"] = "a field larger than any camera's"
    no_files(folder)
    (folder / os.fsdecode(b"Schilddr\xfcse")).write_bytes(named("latin").read_bytes())
    (folder / "latin").unlink()
    started = time.monotonic()
    rows = [{"id": name, "result": "yes"} for name in expected if name != "good"]
    assert run(tmp_path, rows) == expected
    assert time.monotonic() - started < 60


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root can read everything, so this runs as the user who owns nothing."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_unreadable_files_and_folders() -> None:
    with as_nobody(), tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "dicom"
        good(folder)
        good(folder, "locked")
        (folder / "locked.dcm").chmod(0)
        good(folder / "closed", "inside")
        (folder / "closed").chmod(0)
        rows = [{"id": identifier, "result": "yes"} for identifier in ("locked", "inside")]
        try:
            found = run(Path(name), rows, threads=1)
        finally:
            (folder / "closed").chmod(0o700)
    assert found == {"good": "", "locked": "no images", "inside": "no images"}


def test_all_of_pydicoms_files_in_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "dicom"
    root = Path(pydicom.__file__).parent / "data"
    for number, path in enumerate(sorted(p for p in root.rglob("*") if p.is_file())):
        (folder / str(number % 7)).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / str(number % 7) / f"{number}_{path.name}")
    good(folder)
    assert run(tmp_path, []) == {"good": ""}
    register = tables.read(REGISTER, tmp_path / "register.csv")
    assert len(register) > 20
    assert ((register["reason"] != "") | register["included"]).all()
    headers = index_folder(folder, tmp_path / "index")
    assert index_folder(folder, tmp_path / "index") == headers
    reasons = collections.Counter(
        judge(header, center(), cohort()).reason for header in headers.values()
    )
    assert reasons[""] == 1
    assert reasons["a secondary capture"] > 10


def test_a_hundred_thousand_empty_files(tmp_path: Path) -> None:
    folder = tmp_path / "dicom"
    good(folder)
    for part in range(100):
        (folder / str(part)).mkdir()
        for number in range(1_000):
            (folder / str(part) / str(number)).touch()
    started = time.process_time()
    assert run(tmp_path, []) == {"good": ""}
    assert time.process_time() - started < 60
    shutil.rmtree(folder)


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """A header that declares gigabytes and a bomb are read by a process that is limited to 1 GiB."""
    folder = tmp_path / "dicom"
    bomb(folder / "bomb", 400)
    path = save(nm(PIXELS, PatientID="long"), folder / "long")
    insert(path, b"\x09\x00\x10\x00UN\0\0\xf0\xff\xff\xff")
    save(nm(PIXELS, Rows=65_535, Columns=65_535), folder / "huge")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30));"
        "from thyrocast.dicom.header import read_header;"
        "print([read_header(path).reason for path in sys.argv[1:]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, sorted(folder.iterdir()))],
        env={**os.environ, "PYTHONPATH": "workflow/lib", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.count("unreadable header") == 1  # the others end where the file does


def test_a_million_small_elements_end_soon(tmp_path: Path) -> None:
    path = save(nm(PIXELS), tmp_path / "x")
    insert(path, b"\x09\x00\x10\x00LO\x02\x00ab" * 1_000_000)
    started = time.process_time()
    assert read_header(path).reason.startswith("unreadable header")
    assert time.process_time() - started < 10


TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
VALUES = st.one_of(TEXT, st.integers(0, 2**16 - 1), st.lists(TEXT, max_size=4), st.none())
KEYWORDS = [
    "ImageType", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "StudyDate",
    "Manufacturer", "SeriesDescription", "PatientName", "PatientBirthDate", "PatientSex",
    "NumberOfFrames", "PixelSpacing", "ActualFrameDuration", "RescaleSlope", "RescaleIntercept",
    "PhotometricInterpretation", "PatientOrientation", "ImageOrientationPatient", "ScanVelocity",
]  # fmt: skip
NUMBERS = [
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "SamplesPerPixel", "DetectorVector", "EnergyWindowVector", "NumberOfDetectors",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.dictionaries(st.sampled_from(KEYWORDS), VALUES, max_size=4),
    numbers=st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 65_535), max_size=3),
    flips=st.lists(st.tuples(st.integers(132, 1_800), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 9_000),
)
def test_any_header_gives_a_scan_or_a_reason(
    tmp_path: Path,
    texts: dict[str, Any],
    numbers: dict[str, int],
    flips: list[tuple[int, int]],
    cut: int,
) -> None:
    dataset = nm(PIXELS)
    for keyword, value in {**texts, **numbers}.items():
        # pydicom does not write every faulty value that it reads.
        with contextlib.suppress(TypeError, ValueError, AttributeError):
            setattr(dataset, keyword, value)
    path = tmp_path / "x"
    try:
        save(dataset, path)
    except Exception:  # noqa: BLE001 - pydicom may refuse to write the faulty values
        return
    data = bytearray(path.read_bytes())
    for at, value in flips:
        data[at] = value
    path.write_bytes(data[: len(data) - cut] if cut < 1_000 else data)
    verdict = judge(read_header(path), center(fallbacks={"view": "anterior"}), cohort())
    assert bool(verdict.scans) != bool(verdict.reason)
    for scan in verdict.scans:
        with contextlib.suppress(PixelError):
            assert np.isfinite(read_counts(path, scan.frames).image).all()
