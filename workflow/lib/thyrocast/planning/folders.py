"""Every file of an export, through links to folders too, each once; standard library only."""

import collections
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOOP = "a link to a folder that contains the export"
REPEATED = "a link to a folder that is already read"


@dataclass(frozen=True)
class Entry:
    """A file below a folder.

    Attributes
    ----------
    name
        Path below the folder, with ``/`` between parts.
    size, mtime
        Bytes, and time of modification in ns.
    reason
        Why it can't be read; "" if it is a regular file.
    """

    name: str
    size: int = 0
    mtime: int = 0
    reason: str = ""

    @property
    def stamp(self) -> str:
        """Size and time as text, by which a change is noticed."""
        return "unreadable" if self.reason else f"{self.size}-{self.mtime}"


def walk(root: Path) -> Iterator[Entry]:
    """Yield every file below a folder.

    Folders are recognized by device and inode, so that each is read once. A link is followed after
    all folders that are not links, unless it leads to a folder that contains `root`: such a
    link is a loop, and would lead to files of other centers.
    """
    above = {_identity(os.stat(folder)) for folder in (root.resolve(), *root.resolve().parents)}
    read = set(above)
    folders, links = [""], collections.deque[str]()
    while folders or links:
        linked = not folders
        below = links.popleft() if linked else folders.pop()
        try:
            if below and (found := _identity(os.stat(root / below))) in read:
                if linked:
                    yield Entry(below, reason=LOOP if found in above else REPEATED)
                continue
            if below:
                read.add(found)
            with os.scandir(root / below) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    name = f"{below}/{entry.name}" if below else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(name)
                    elif entry.is_symlink() and _is_folder(entry):
                        links.append(name)
                    else:
                        yield _entry(entry, name)
        except OSError:
            yield Entry(below or ".", reason="unreadable folder")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_folder(link: "os.DirEntry[str]") -> bool:
    try:
        return link.is_dir()
    except OSError:  # a link to itself
        return False


def _entry(entry: "os.DirEntry[str]", name: str) -> Entry:
    try:
        status = entry.stat()
    except OSError:
        return Entry(name, reason="a broken link")
    if not stat.S_ISREG(status.st_mode):
        return Entry(name, reason="not a regular file")
    return Entry(name, status.st_size, status.st_mtime_ns)
