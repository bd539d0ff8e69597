"""An index of all headers below a folder, of which a rerun reads only what changed."""

import concurrent.futures
import hashlib
import json
import logging
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from thyrocast import fileio
from thyrocast.dicom import header
from thyrocast.dicom.header import Record, read_header

LOG = logging.getLogger("thyrocast")
CHUNK = 64
# The index is JSON lines: name, size, modification time, record. Nothing is ever unpickled.
FILE_NAME = "index.jsonl"
_VERSION = hashlib.sha256(Path(header.__file__).read_bytes()).hexdigest()[:16]


@dataclass(frozen=True)
class Stamp:
    """What tells whether a file changed: size in bytes and modification time in ns."""

    size: int
    mtime: int


def index_folder(folder: str | Path, cache: str | Path, threads: int = 1) -> dict[str, Record]:
    """Read the header of every file below a folder, whatever its name.

    Parameters
    ----------
    folder
        The center's export.
    cache
        Private folder for the index; files with the same name, size and modification time as in it
        are not read again.
    threads
        Processes that read.

    Returns
    -------
    dict
        Path relative to ``folder`` (``/`` between parts) -> record of `header.read_header`, in the
        order of the names. A file that can't be read has a record with a ``reason``.
    """
    root = Path(folder)
    index = Path(cache) / FILE_NAME
    found = dict(sorted(_walk(root)))
    known = _load(index)
    records: dict[str, Record] = {}
    unread: list[str] = []
    for name, stamp in found.items():
        before = known.get(name)
        if isinstance(stamp, str):
            records[name] = {"reason": stamp}
        elif stamp.size == 0:
            records[name] = {"reason": "empty file"}
        elif before and before[0] == stamp:
            records[name] = before[1]
        else:
            unread.append(name)
    LOG.info("%d files, %d to read", len(found), len(unread))
    records.update(_read_all(root, unread, threads))
    ordered = {name: records[name] for name in found}
    if unread or known.keys() != found.keys():
        _save(index, found, ordered)
    return ordered


def _walk(root: Path) -> Iterator[tuple[str, Stamp | str]]:
    """Every file below a folder with its stamp, or the reason why it has none.

    Links to folders are not followed, so none leads in a circle or out of the export twice.
    """
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            with os.scandir(root / below) as entries:
                for entry in entries:
                    name = f"{below}/{entry.name}" if below else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(name)
                    else:
                        yield name, _stamp(entry)
        except OSError:
            yield below or ".", "unreadable folder"


def _stamp(entry: "os.DirEntry[str]") -> Stamp | str:
    try:
        status = entry.stat()
    except OSError:
        return "a link that leads nowhere"
    if stat.S_ISDIR(status.st_mode):
        return "a link to a folder, not followed"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    return Stamp(status.st_size, status.st_mtime_ns)


def _read_all(root: Path, names: list[str], threads: int) -> Iterator[tuple[str, Record]]:
    chunks = [names[at : at + CHUNK] for at in range(0, len(names), CHUNK)]
    if threads < 2 or len(chunks) < 2:
        done = 0
        for chunk in chunks:
            yield from _read_chunk(str(root), chunk)
            done = _progress(done, len(chunk), len(names))
        return
    with concurrent.futures.ProcessPoolExecutor(min(threads, len(chunks))) as pool:
        futures = {pool.submit(_read_chunk, str(root), chunk): chunk for chunk in chunks}
        done = 0
        for future in concurrent.futures.as_completed(futures):
            yield from future.result()
            done = _progress(done, len(futures[future]), len(names))


def _progress(done: int, new: int, total: int) -> int:
    step = 2048
    if (done + new) // step > done // step or done + new == total:
        LOG.info("read %d / %d headers", done + new, total)
    return done + new


def _read_chunk(root: str, names: list[str]) -> list[tuple[str, Record]]:
    return [(name, read_header(os.path.join(root, name))) for name in names]


def _load(index: Path) -> Mapping[str, tuple[Stamp, Record]]:
    """The index of the run before; empty where there is none or another version wrote it."""
    known: dict[str, tuple[Stamp, Record]] = {}
    try:
        with index.open(encoding="utf-8") as file:
            head = json.loads(next(file))
            if head != {"version": _VERSION}:
                return {}
            for line in file:
                name, size, mtime, record = json.loads(line)
                known[name] = (Stamp(size, mtime), record)
    except (OSError, StopIteration, ValueError):
        return {}
    return known


def _save(index: Path, found: Mapping[str, Stamp | str], records: Mapping[str, Record]) -> None:
    # A file that changed within the clock's grain before this run might change again unseen.
    fresh = time.time_ns() - 2_000_000_000
    index.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with fileio.atomic(index) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"version": _VERSION}) + "\n")
        for name, stamp in found.items():
            if isinstance(stamp, Stamp) and stamp.size and stamp.mtime < fresh:
                file.write(json.dumps([name, stamp.size, stamp.mtime, records[name]]) + "\n")
    index.chmod(0o600)
