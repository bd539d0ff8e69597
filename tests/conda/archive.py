"""Write conda packages: one ``.conda`` archive from a stream of files."""

import contextlib
import hashlib
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import zstandard

# Clients replace this text by the environment's own path; as long as conda-build's.
PLACEHOLDER = "/opt/thyrocast_channel" + "_placehold" * 23
# The channel is read a few times and then rebuilt: time counts, size does not.
LEVEL = 1


@dataclass
class Entry:
    """One file of a package: where it goes, and how to read it."""

    path: str
    size: int
    open: Callable[[], IO[bytes]]
    sha256: str
    executable: bool = False
    link: str = ""
    prefixed: bool = False


def written(path: str, text: bytes, *, executable: bool = False, prefixed: bool = False) -> Entry:
    """A file whose content is at hand."""
    return Entry(
        path,
        len(text),
        lambda: io.BytesIO(text),
        hashlib.sha256(text).hexdigest(),
        executable=executable,
        prefixed=prefixed,
    )


def tree_entries(tree: Path, prefix: str) -> Iterable[Entry]:
    """The files of a folder; text that holds ``prefix`` gets the placeholder in its place."""
    for file in sorted(tree.rglob("*")):
        path = file.relative_to(tree).as_posix()
        if file.is_symlink():
            yield Entry(path, 0, lambda: io.BytesIO(), "", link=os.readlink(file))
        elif file.is_file():
            content = file.read_bytes()
            # Text only: CPython finds its own place by landmarks, not by a path written into it.
            prefixed = b"\0" not in content and prefix.encode() in content
            if prefixed:
                content = content.replace(prefix.encode(), PLACEHOLDER.encode())
            yield written(path, content, executable=os.access(file, os.X_OK), prefixed=prefixed)


def pack(target: Path, index: dict[str, Any], entries: Iterable[Entry]) -> None:
    """Write one ``.conda`` archive, streaming: nothing is unpacked on disk on the way."""
    partial = target.with_suffix(".partial")
    stem, paths = target.name.removesuffix(".conda"), []
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
        with archive.open(f"pkg-{stem}.tar.zst", "w") as raw, _tar(raw) as tar:
            for entry in entries:
                _add(tar, entry)
                kind = "softlink" if entry.link else "hardlink"
                path = {"_path": entry.path, "path_type": kind, "size_in_bytes": entry.size}
                if entry.sha256:
                    path["sha256"] = entry.sha256
                if entry.prefixed:
                    path |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"}
                paths.append(path)
        with archive.open(f"info-{stem}.tar.zst", "w") as raw, _tar(raw) as tar:
            files = "".join(f"{path['_path']}\n" for path in paths)
            for name, text in (
                ("index.json", json.dumps(index)),
                ("paths.json", json.dumps({"paths": paths, "paths_version": 1})),
                ("files", files),
                ("about.json", "{}"),
            ):
                _add(tar, written(f"info/{name}", text.encode()))
    partial.replace(target)


@contextlib.contextmanager
def _tar(raw: IO[bytes]) -> Iterator[tarfile.TarFile]:
    """A zstd-compressed tar stream into an open file."""
    compressor = zstandard.ZstdCompressor(level=LEVEL, threads=-1)
    with compressor.stream_writer(raw, closefd=False) as stream, _stream(stream) as tar:
        yield tar


def _stream(stream: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="w|")


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(entry.path)
    info.mode = 0o775 if entry.executable else 0o664
    if entry.link:
        info.type, info.linkname = tarfile.SYMTYPE, entry.link
        tar.addfile(info)
        return
    info.size = entry.size
    with entry.open() as content:
        tar.addfile(info, content)
