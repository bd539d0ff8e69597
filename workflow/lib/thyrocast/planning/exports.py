"""Find the patient of each file of a center's export when the workflow is parsed.

A replaced scan must rerun the job of its patient and no other. The patient is therefore read here,
before any job, from the first bytes of each new file. The registration later reads the whole
header, with protection against corrupt and hostile files.

Imported by the launcher: standard library only.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from thyrocast import fileio, identity
from thyrocast.errors import InputError
from thyrocast.identity import IdentifierForm
from thyrocast.planning import folders, glance
from thyrocast.planning.folders import Entry

_DICOM = "dicom"


@dataclass(frozen=True)
class Export:
    """The files of a center.

    Attributes
    ----------
    stamps
        For each path below the export, size and modification time of the file, as text.
    owners
        For each path, the normalized identifiers in the first bytes of the file, if any.
    archives
        Archives and compressed files, which are not read: ending by path.
    dicom
        Number of files that look like DICOM.
    """

    stamps: Mapping[str, str]
    owners: Mapping[str, tuple[str, ...]]
    archives: Mapping[str, str]
    dicom: int

    def version(self) -> str:
        """Return a hash that changes if any file is added, removed or changed."""
        return _hash(f"{path}\0{stamp}" for path, stamp in self.stamps.items())

    def versions(self) -> dict[str, str]:
        """Return a hash of the files of each identifier.

        Files without an identifier are part of every hash; the key "" has these files only.
        """
        lines: dict[str, list[str]] = {"": []}
        for path, stamp in self.stamps.items():
            for owner in self.owners[path] or ("",):
                lines.setdefault(owner, []).append(f"{path}\0{stamp}")
        return {owner: _hash([*mine, *lines[""]]) for owner, mine in lines.items()}


def _hash(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in sorted(lines):
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class _Glance:
    """What the first bytes of a file tell: its stamp, patients, and ``dicom`` or an archive's ending."""

    stamp: str
    names: tuple[str, ...] = ()
    kind: str = ""


def look(folder: str | Path, cache: str | Path, form: IdentifierForm) -> Export:
    """Find every file below a folder and its patient.

    Parameters
    ----------
    folder
        The center's export.
    cache
        Private file that stores the results, so that only new and changed files are opened. It
        contains identifiers.
    form
        The center's ``identifiers`` block, see `thyrocast.identity.normalize_identifier`.
    """
    root, memory = Path(folder), Path(cache)
    known = _remembered(memory)
    found: dict[str, _Glance] = {}
    for entry in folders.walk(root):
        before = known.get(entry.name)
        same = before is not None and before.stamp == entry.stamp
        found[entry.name] = before if before and same else _glance(root, entry)
    if found != known:
        fileio.private_folder(memory.parent)
        # A file name may contain bytes that are not text; such a file is opened in every run.
        named = {
            path: (seen.stamp, seen.names, seen.kind)
            for path, seen in found.items()
            if path.isprintable()
        }
        with fileio.atomic(memory, mode=fileio.private_mode(memory)) as temporary:
            temporary.write_text(json.dumps(named), encoding="utf-8")
    return Export(
        stamps={path: seen.stamp for path, seen in found.items()},
        owners={
            path: tuple(identity.normalize_identifier(name, form) for name in seen.names)
            for path, seen in found.items()
        },
        archives={path: seen.kind for path, seen in found.items() if seen.kind.startswith(".")},
        dicom=sum(seen.kind == _DICOM for seen in found.values()),
    )


def _remembered(memory: Path) -> dict[str, _Glance]:
    """Return what an earlier run found; nothing if it is not in today's form."""
    try:
        return {
            path: _Glance(stamp, tuple(names), kind)
            for path, (stamp, names, kind) in fileio.read_json(memory).items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _glance(root: Path, entry: Entry) -> _Glance:
    if entry.reason:  # reading from a pipe would block
        return _Glance(entry.stamp)
    try:
        with (root / entry.name).open("rb") as file:
            start = file.read(glance.GLANCE)
    except OSError:
        return _Glance(entry.stamp)
    dicom = glance.looks_like_dicom(start)
    kind = _DICOM if dicom else glance.archive(entry.name, start)
    return _Glance(entry.stamp, tuple(glance.patient_ids(start)), kind)


def check_archives(center: str, export: Export, pictures: bool) -> str:
    """Say which files of an export are not read because they are packed; "" if there are none.

    File names may name patients, so the example has ``A`` for letters and ``9`` for digits.

    Parameters
    ----------
    center
        Name of the center.
    export
        What `look` returned.
    pictures
        Whether the center's pictures are read too (`accept.exports`).

    Raises
    ------
    InputError
        If there is nothing else to read.
    """
    if not export.archives:
        return ""
    endings = Counter(export.archives.values()).most_common()
    counts = ", ".join(f"{count} {ending}" for ending, count in endings)
    example = _masked(min(export.archives))
    one = len(export.archives) == 1
    text = (
        f"center {center}, key dicom: {len(export.archives)} "
        f"{'file is an archive' if one else 'files are archives'} or compressed ({counts}; for "
        f"example {example}, with A for letters and 9 for digits), which thyrocast does not unpack"
    )
    if not export.dicom and not pictures:
        raise InputError(
            f"{text}, and no other file is DICOM: unpack {'it' if one else 'them'} into the folder"
        )
    return (
        f"{text}: their images are missing from the study. Unpack {'it' if one else 'them'} into "
        "the folder, or remove what is not needed"
    )


def _masked(path: str) -> str:
    """Return a path with ``9`` for digits and ``A`` for letters, except for an ordinary ending."""
    stem, ending = path, ""
    for mark in (".gz", ".zip", ".7z", ".rar", ".tar", ".tgz", ".iso", ".bz2", ".xz", ".dcm.gz"):
        if path.lower().endswith(mark) and len(mark) > len(ending):
            stem, ending = path[: -len(mark)], path[-len(mark) :]
    hidden = "".join("9" if c.isdigit() else "A" if c.isalpha() else c for c in stem)
    return (hidden if hidden.isprintable() else "A") + ending
