"""Copies of one object in an export: one image, or a contradiction."""

import collections
import filecmp
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from thyrocast.cohort.selection import Candidate, Choice
from thyrocast.contract.names import ScanFlag
from thyrocast.dicom.acquisition import acquired
from thyrocast.dicom.exclusion import Stage, frame_count
from thyrocast.dicom.frames import FileVerdict, PatientFile
from thyrocast.dicom.pixels import PixelError, read_counts

COPY = "a copy of another file"
DIFFERENT_PIXELS = "one SOPInstanceUID with different pixels"
DIFFERENT_HEADERS = "one SOPInstanceUID with different headers"


@dataclass(frozen=True)
class Resolved:
    """The files of a patient without copies.

    Attributes
    ----------
    files
        All files, copies with a verdict that excludes them.
    doubtful
        Files with the SOPInstanceUID of another file that is not their copy, and why.
    """

    files: tuple[PatientFile, ...]
    doubtful: dict[str, str]

    def doubt(self, scans: Iterable[Candidate]) -> str:
        """Return why one of the selected scans is doubtful; "" if none is."""
        return next((self.doubtful[s.file] for s in scans if s.file in self.doubtful), "")


def resolve(files: Sequence[PatientFile], folder: Path) -> Resolved:
    """Exclude copies of an object, and find objects that share a SOPInstanceUID but differ.

    Pixels are read only if several files have one SOPInstanceUID and one of them has a scan.

    Parameters
    ----------
    files
        The files of one patient, in the order of their names.
    folder
        The center's export.
    """
    groups: dict[str, list[PatientFile]] = collections.defaultdict(list)
    for file in files:
        # A copy that can't be decoded, such as a truncated one, contradicts nothing.
        if file.verdict.scans or file.verdict.stage not in {Stage.UNREADABLE, Stage.PIXELS}:
            groups[file.header.text("SOPInstanceUID")].append(file)
    dropped: set[str] = set()
    doubtful: dict[str, str] = {}
    for uid, (first, *others) in groups.items():
        if not uid or not any(file.verdict.scans for file in (first, *others)):
            continue
        for other in others:
            if reason := _difference(first, other, folder):
                doubtful |= {first.name: reason, other.name: reason}
            else:
                dropped.add(other.name)
    copy = FileVerdict(reason=COPY, stage=Stage.UNREADABLE)
    kept = (replace(file, verdict=copy) if file.name in dropped else file for file in files)
    return Resolved(tuple(kept), doubtful)


def flag_dates(choice: Choice, files: Sequence[PatientFile], folder: Path) -> Choice:
    """Flag the selected scans of which a copy is dated after the therapy.

    A study that is sent again with new unique identifiers may have another date, and which of them is right is not
    known. Pixels are read only for patients with images after the therapy.

    Parameters
    ----------
    choice
        The selected scans, and those that are not within the window.
    files, folder
        The patient's files and the center's export.
    """
    by_name = {file.name: file for file in files}
    late = [by_name[name] for name in choice.late]
    scans = []
    for candidate in choice.scans:
        own, scan = by_name[candidate.file], candidate.scan
        if any(_matrix(own) == _matrix(it) and _same_pixels(own, it, folder) for it in late):
            flags = tuple(dict.fromkeys((*scan.flags, ScanFlag.COPY_AFTER_THERAPY)))
            candidate = replace(candidate, scan=replace(scan, flags=flags))
        scans.append(candidate)
    return replace(choice, scans=tuple(scans))


def _same_pixels(a: PatientFile, b: PatientFile, folder: Path) -> bool:
    frames = range(frame_count(a.header))
    try:
        one, other = (read_counts(folder / file.name, frames).image for file in (a, b))
    except PixelError:
        return False
    return np.array_equal(one, other)


def _difference(a: PatientFile, b: PatientFile, folder: Path) -> str:
    """Return in what two files with one SOPInstanceUID differ; "" for copies."""
    paths = folder / a.name, folder / b.name
    try:
        if filecmp.cmp(*paths, shallow=False):
            return ""
    except OSError:
        return ""
    if _matrix(a) != _matrix(b):
        return DIFFERENT_PIXELS
    try:
        frames = range(frame_count(a.header))
        one, other = (read_counts(path, frames).image for path in paths)
    except PixelError:
        return ""
    if not np.array_equal(one, other):
        return DIFFERENT_PIXELS
    return "" if _meaning(a) == _meaning(b) else DIFFERENT_HEADERS


def _matrix(file: PatientFile) -> tuple[Any, ...]:
    header = file.header
    return header.number("Rows"), header.number("Columns"), frame_count(header)


def _meaning(file: PatientFile) -> tuple[Any, ...]:
    """Return what registration uses of a header."""
    header = file.header
    return file.verdict, acquired(header), header.several("PixelSpacing")
