"""Names that source files import, kept from one process to the next; standard library only.

Every job on a cluster parses the workflow, and with it some two hundred source files of this package.
What a file imports follows from its content alone, so it is kept by the hash of the content: a kept
entry cannot be that of another content.
"""

import ast
import functools
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from thyrocast import fileio

#: Written when a run starts (`save`), read by its jobs.
KEPT = Path(".snakemake/thyrocast/imports.json")
# More than the source files of several versions of this package; beyond that, the file starts again.
_MOST = 2000
_found: dict[str, tuple[str, ...]] = {}


@functools.cache
def content(path: Path) -> bytes:
    """Return a source file's content as this process first read it."""
    return path.read_bytes()


@functools.cache
def imports(path: Path, package: str) -> tuple[str, ...]:
    """Return the names of the modules that a source file imports, at its top or in a function.

    Parameters
    ----------
    path
        The file.
    package
        Its package, to which relative imports refer; empty for a script.
    """
    key = f"{package} {hashlib.sha256(content(path)).hexdigest()}"
    names = _kept().get(key)
    _found[key] = tuple(_imported_names(content(path), package)) if names is None else names
    return _found[key]


def _imported_names(source: bytes, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _reader() -> str:
    """Return a hash of what turns content into names: this module and Python's grammar."""
    return hashlib.sha256(Path(__file__).read_bytes() + sys.version.encode()).hexdigest()


@functools.cache
def _kept() -> dict[str, tuple[str, ...]]:
    """Return what was kept; nothing if it is missing, damaged or of another version."""
    try:
        stored = json.loads(KEPT.read_text(encoding="utf-8"))
        if stored["reader"] != _reader():
            return {}
        return {str(key): tuple(map(str, names)) for key, names in stored["imports"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def save() -> None:
    """Keep what this process found, if some of it is new; jobs of the run then need not parse it."""
    kept = _kept()
    if _found.keys() <= kept.keys():
        return
    joined = _found if len(kept) > _MOST else kept | _found
    try:
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        fileio.write_json(KEPT, {"reader": _reader(), "imports": joined})
    except OSError:
        return  # it only saves time


def forget() -> None:
    """Read files again that were read by this process."""
    for function in (content, imports, _kept):
        function.cache_clear()
    _found.clear()
