"""A locked model as somebody sent it, a folder or a zip archive: reading its files and its manifest.

Nothing here trusts the sender: a name that leads elsewhere, a link, a device, a bomb or JSON that two
readers would understand differently is refused. Standard library and pydantic only.
"""

import contextlib
import hashlib
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from thyrocast.contract import deployment
from thyrocast.contract.deployment import MANIFEST
from thyrocast.contract.manifest import Manifest
from thyrocast.errors import InputError

#: Most files of a bundle, folders in each other, and bytes of a manifest.
MOST_FILES, DEEPEST, LONGEST_MANIFEST = 200, 4, 4_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Bundle:
    """Files of a locked model.

    Attributes
    ----------
    path
        The folder, or the zip archive.
    names
        Path of every file below it.
    """

    path: Path
    names: frozenset[str]
    _open: Callable[[str], "contextlib.AbstractContextManager[IO[bytes]]"]

    def read(self, name: str, most: int) -> bytes:
        """Return the content of a file of at most `most` bytes.

        Raises
        ------
        InputError
            If it is missing, is longer, or cannot be read.
        """
        return b"".join(self.chunks(name, most))

    def chunks(self, name: str, most: int) -> Iterator[bytes]:
        """Yield the content of a file in parts; raises like `read`."""
        if name not in self.names:
            raise InputError(f"locked model {self.path}: {name} is missing")
        left = most
        try:
            with self._open(name) as file:
                while part := file.read(min(_CHUNK, left + 1)):
                    left -= len(part)
                    if left < 0:
                        raise InputError(
                            f"locked model {self.path}: {name} has more than {most} bytes, as many "
                            "as expected"
                        )
                    yield part
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
            # RuntimeError includes NotImplementedError: encrypted or oddly compressed entries.
            raise InputError(
                f"locked model {self.path}: {name} cannot be read ({error})"
            ) from error


def find(path: str | Path) -> Bundle:
    """Find the files of a locked model.

    Parameters
    ----------
    path
        Its folder, the manifest in it, or a zip archive of it.

    Raises
    ------
    InputError
        If there is no locked model, or if it contains anything but plain files.
    """
    place = Path(path).expanduser()
    if place.is_file() and place.name != MANIFEST:
        return _in_archive(place)
    if place.name == MANIFEST:
        place = place.parent
    if not place.is_dir():
        raise InputError(
            f"key model: there is no {place}, expected the folder or the zip archive of a locked model"
        )
    names = frozenset(_walk(place, place))
    _check_names(place, names)
    return Bundle(place, names, lambda name: _open_file(place / name))


def _walk(root: Path, folder: Path) -> Iterator[str]:
    """Yield the path of every file below a folder."""
    depth = len(folder.relative_to(root).parts)
    with os.scandir(folder) as entries:
        for entry in entries:
            name = Path(entry.path).relative_to(root).as_posix()
            mode = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(mode.st_mode):
                if depth >= DEEPEST:
                    raise InputError(f"locked model {root}: {name} is a folder too deep")
                yield from _walk(root, Path(entry.path))
            else:
                _check_plain(root, name, mode)
                yield name


def _check_plain(root: Path, name: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        what = "a link" if stat.S_ISLNK(status.st_mode) else "no plain file"
        raise InputError(f"locked model {root}: {name} is {what}, expected plain files only")
    if status.st_nlink > 1:
        raise InputError(
            f"locked model {root}: {name} has a second name (a hard link), by which it could change "
            "unnoticed: copy the folder and use the copy"
        )


@contextlib.contextmanager
def _open_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a plain file, even if it was replaced by a link or a pipe a moment ago."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError(f"locked model: {path} is no plain file")
        yield file


def _in_archive(path: Path) -> Bundle:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise InputError(
            f"key model: {path} is not a zip archive ({error}), expected the folder or the zip "
            "archive of a locked model"
        ) from error
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise InputError(f"locked model {path}: {entry.filename} is a link or no plain file")
    listed = [entry.filename for entry in entries if not entry.is_dir()]
    if len(listed) > len(set(listed)):
        twice = next(name for name in listed if listed.count(name) > 1)
        raise InputError(f"locked model {path}: {twice} is in the archive twice")
    # An archive of the folder has the folder's name before all others.
    tops = {name.partition("/")[0] for name in listed}
    top = f"{tops.pop()}/" if MANIFEST not in listed and len(tops) == 1 else ""
    names = frozenset(name.removeprefix(top) for name in listed)
    _check_names(path, names)

    @contextlib.contextmanager
    def opened(name: str) -> Iterator[IO[bytes]]:
        with zipfile.ZipFile(path) as archive, archive.open(top + name) as file:
            yield file

    return Bundle(path, names, opened)


def _check_names(path: Path, names: frozenset[str]) -> None:
    if len(names) > MOST_FILES:
        raise InputError(f"locked model {path}: contains {len(names)} files, expected few")
    for name in sorted(names):
        if not _NAME.fullmatch(name) or name.count("/") > DEEPEST:
            raise InputError(
                f"locked model {path}: a file has the name {name!r}, expected a path below the model "
                "of letters, digits, dots and hyphens"
            )
    if MANIFEST not in names:
        raise InputError(f"locked model {path}: {MANIFEST} is missing")


def strict_json(data: bytes, where: str) -> Any:
    """Return the value of JSON that every reader understands in the same way.

    Raises
    ------
    InputError
        If it is no JSON, contains a key twice, or a number that is not finite.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise InputError(f"{where}: a key occurs twice")
        return found

    def refuse(constant: str) -> Any:
        raise InputError(f"{where}: contains {constant}, expected finite numbers")

    def number(text: str) -> float:
        value = float(text)
        return value if abs(value) != float("inf") else refuse(text)

    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=once,
            parse_constant=refuse,
            parse_float=number,
        )
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is not valid JSON ({error})") from error


def whole_hash(manifest: dict[str, Any]) -> str:
    """Return the hash of a locked model from its manifest: that of all keys but ``hash``.

    The manifest has the hash of every file, so this is the hash of the whole. It is the SHA-256 of
    the JSON with sorted keys, without spaces, in UTF-8.
    """
    rest = {key: value for key, value in manifest.items() if key != "hash"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_manifest(bundle: Bundle) -> Manifest:
    """Return the manifest of a locked model; its files are not read.

    Raises
    ------
    InputError
        If it was changed, was written by another version, or names other files than there are.
    """
    where = f"locked model {bundle.path}, {MANIFEST}"
    data = bundle.read(MANIFEST, LONGEST_MANIFEST)
    plain = strict_json(data, where)
    manifest = _validated(data, where)
    if whole_hash(plain) != manifest.hash:
        raise InputError(
            f"{where}: its content does not have the hash that it states: it was changed"
        )
    expected = deployment.contents(manifest.members, updated=manifest.parent is not None)
    for name in sorted(expected - manifest.files.keys()):
        raise InputError(f"{where}: does not list {name}, which this model has to contain")
    for name in sorted(manifest.files.keys() - expected):
        raise InputError(f"{where}: lists {name}, which no locked model contains")
    for name in sorted(manifest.files.keys() - bundle.names):
        raise InputError(f"locked model {bundle.path}: {name} is missing")
    for name in sorted(bundle.names - manifest.files.keys() - {MANIFEST}):
        raise InputError(
            f"locked model {bundle.path}: {name} is not in the manifest: it was added to the model"
        )
    _check_parent(bundle, manifest)
    return manifest


def _validated(data: bytes, where: str) -> Manifest:
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{where}, key {key}: {first['msg']}, expected the manifest of a locked model; was it written by "
            "another version of thyrocast?"
        ) from None


def _check_parent(bundle: Bundle, manifest: Manifest) -> None:
    """Refuse an updated model that differs from its parent in more than it states."""
    where = f"locked model {bundle.path}"
    if (manifest.parent is None) != (manifest.update is None):
        raise InputError(f"{where}, {MANIFEST}: names a parent or an update, expected both or none")
    if manifest.parent is None or manifest.update is None:
        return
    data = bundle.read(deployment.PARENT, LONGEST_MANIFEST)
    plain = strict_json(data, f"{where}, {deployment.PARENT}")
    if (
        not isinstance(plain, dict)
        or plain.get("hash") != manifest.parent
        or whole_hash(plain) != manifest.parent
    ):
        raise InputError(
            f"{where}: {deployment.PARENT} is not the manifest of the parent {manifest.parent[:12]}: it was "
            "changed or replaced"
        )
    parent = _validated(data, f"{where}, {deployment.PARENT}")
    if parent.parent is not None:
        raise InputError(f"{where}: its parent is an update itself, expected a trained model")
    same = (
        "config",
        "members",
        "outcomes",
        "preprocessing",
        "simulated",
        "training_cohort",
        "versions",
    )
    for key in same:
        if getattr(manifest, key) != getattr(parent, key):
            raise InputError(f"{where}, {MANIFEST}: {key} differs from that of its parent")
    for name in sorted(parent.files.keys() - set(deployment.CHANGED)):
        if manifest.files.get(name) != parent.files[name]:
            raise InputError(
                f"{where}: {name} differs from that of its parent, expected an update to change only its "
                f"manifest, {' and '.join(deployment.CHANGED)}"
            )
    if manifest.update.member not in manifest.members:
        raise InputError(
            f"{where}, {MANIFEST}: updates by the network {manifest.update.member}, which the model does not "
            "contain"
        )
