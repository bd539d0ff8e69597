"""Find the patient of each file of a center's export when the workflow is parsed.

A replaced scan must rerun the job of its patient and no other. The patient is therefore read here,
before any job, from the first bytes of each new file. The registration later reads the whole
header, with protection against corrupt and hostile files.

Imported by the launcher: standard library only.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from thyrocast import fileio, identity
from thyrocast.identity import IdentifierForm

# PatientID (0010,0020), little endian: tag, then `LO` and two bytes of length (explicit) or four
# bytes of length (implicit); PS3.5 section 7.1.
_PATIENT_ID = re.compile(rb"\x10\x00\x20\x00(?:LO(..)|(.\x00\x00\x00))", re.DOTALL)
_GLANCE = 32_768


@dataclass(frozen=True)
class Export:
    """The files of a center.

    Attributes
    ----------
    stamps
        For each path below the export, size and modification time of the file, as text.
    owners
        For each path, the normalized identifiers in the first bytes of the file, if any.
    """

    stamps: Mapping[str, str]
    owners: Mapping[str, tuple[str, ...]]

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
    known: dict[str, tuple[str, list[str]]] = fileio.read_json(memory) if memory.exists() else {}
    seen = {os.path.relpath(entry.path, root): (entry.path, _stamp(entry)) for entry in files(root)}
    found = {
        path: known[path] if path in known and known[path][0] == stamp else (stamp, _names(full))
        for path, (full, stamp) in seen.items()
    }
    if found != known:
        fileio.private_folder(memory.parent)
        # A file name may contain bytes that are not text; such a file is opened in every run.
        named = {path: entry for path, entry in found.items() if path.isprintable()}
        with fileio.atomic(memory, mode=fileio.private_mode(memory)) as temporary:
            temporary.write_text(json.dumps(named), encoding="utf-8")
    return Export(
        stamps={path: stamp for path, (stamp, _) in found.items()},
        owners={
            path: tuple(identity.normalize_identifier(name, form) for name in names)
            for path, (_, names) in found.items()
        },
    )


def _names(path: str) -> list[str]:
    """Return the patient identifiers in the first bytes of a file.

    An identifier that is not ASCII depends on the character set, which is not read here. A file
    with such an identifier counts as a file without one.
    """
    if not os.path.isfile(path):  # reading from a link to a pipe would block
        return []
    try:
        with open(path, "rb") as file:
            start = file.read(_GLANCE)
    except OSError:
        return []
    names = []
    for match in _PATIENT_ID.finditer(start):
        length = int.from_bytes(match[1] or match[2], "little")
        value = start[match.end() : match.end() + length]
        if not value.isascii() or b"\x1b" in value:
            return []
        names.append(value.decode("ascii").strip(" \0"))
    return sorted(set(filter(None, names)))


def _stamp(entry: "os.DirEntry[str]") -> str:
    try:
        status = entry.stat()
    except OSError:  # a broken or circular link
        return "unreadable"
    return f"{status.st_size}-{status.st_mtime_ns}"


def files(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Yield every file below a folder; links to folders are not followed (they may be circular)."""
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif entry.is_file() or entry.is_symlink():
                        yield entry
        except PermissionError:
            continue
