"""An index of all headers below a folder; a rerun reads only the files that changed."""

import concurrent.futures
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from thyrocast import fileio
from thyrocast.dicom import elements, header
from thyrocast.dicom.elements import Header
from thyrocast.dicom.header import read_header
from thyrocast.planning import folders, glance
from thyrocast.planning.folders import Entry

LOG = logging.getLogger("thyrocast")
CHUNK = 64
# The index is JSON lines: name, size, modification time, header. Nothing is unpickled.
FILE_NAME = "index.jsonl"
_VERSION = hashlib.sha256(
    b"".join(
        Path(file).read_bytes() for file in (elements.__file__, header.__file__, glance.__file__)
    )
).hexdigest()[:16]


def index_folder(folder: str | Path, cache: str | Path, threads: int = 1) -> dict[str, Header]:
    """Read the header of every file below a folder; names do not matter.

    Parameters
    ----------
    folder
        The center's export.
    cache
        Private folder of the index. Files with the same name, size and modification time as in
        the index are not read again.
    threads
        Processes that read.

    Returns
    -------
    dict
        Path relative to ``folder`` (``/`` between parts) to header, in the order of the names. The
        header of a file that can't be read has a `reason`.
    """
    root = Path(folder)
    index = Path(cache) / FILE_NAME
    found = {entry.name: entry for entry in sorted(folders.walk(root), key=lambda e: e.name)}
    known = _load(index)
    headers: dict[str, Header] = {}
    unread: list[str] = []
    for name, entry in found.items():
        before = known.get(name)
        if entry.reason:
            headers[name] = Header(reason=entry.reason)
        elif entry.size == 0:
            headers[name] = Header(reason="empty file")
        elif before and before[0] == entry:
            headers[name] = before[1]
        else:
            unread.append(name)
    LOG.info("%d files, %d to read", len(found), len(unread))
    headers.update(_read_all(root, unread, threads))
    ordered = {name: headers[name] for name in found}
    if unread or known.keys() != found.keys():
        _save(index, found, ordered)
    return ordered


def _read_all(root: Path, names: list[str], threads: int) -> Iterator[tuple[str, Header]]:
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


def _read_chunk(root: str, names: list[str]) -> list[tuple[str, Header]]:
    return [(name, read_header(os.path.join(root, name))) for name in names]


def _load(index: Path) -> Mapping[str, tuple[Entry, Header]]:
    """Read the index of an earlier run; empty if there is none or another version wrote it."""
    known: dict[str, tuple[Entry, Header]] = {}
    try:
        with index.open(encoding="utf-8") as file:
            head = json.loads(next(file))
            if head != {"version": _VERSION}:
                return {}
            for line in file:
                name, size, mtime, data = json.loads(line)
                known[name] = (Entry(name, size, mtime), Header.from_json(data))
    except (OSError, StopIteration, ValueError, TypeError, KeyError, AttributeError):
        return {}
    return known


def _save(index: Path, found: Mapping[str, Entry], headers: Mapping[str, Header]) -> None:
    # A file that changed just before this run is read again in the next one: another change within
    # the clock's resolution would not change its stamp.
    fresh = time.time_ns() - 2_000_000_000
    fileio.private_folder(index.parent)
    with (
        fileio.atomic(index, mode=fileio.private_mode(index)) as temporary,
        temporary.open("w", encoding="utf-8") as file,
    ):
        file.write(json.dumps({"version": _VERSION}) + "\n")
        for name, entry in found.items():
            if entry.size and entry.mtime < fresh:
                data = headers[name].as_json()
                file.write(json.dumps([name, entry.size, entry.mtime, data]) + "\n")
