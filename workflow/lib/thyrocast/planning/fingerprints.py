"""Hashes of code and settings, by which Snakemake notices what changed; standard library only."""

import ast
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

WORKFLOW = Path(__file__).resolve().parents[3]
SCRIPTS, LIBRARY = WORKFLOW / "scripts", WORKFLOW / "lib"
# A job's log changes no result, so an edit of it reruns nothing.
_NO_RESULT = {"thyrocast.log"}


@functools.cache
def code_version(script: str) -> str:
    """Hash of an entry script and of every module of this package that it imports, however deep.

    Snakemake notices an edited script, but not an edited module that the script imports: as one of
    a rule's params this hash makes an edit rerun what it touches, and nothing else.
    """
    digest = hashlib.sha256()
    for path in sorted(_sources(SCRIPTS / f"{script}.py")):
        digest.update(f"{path.relative_to(WORKFLOW)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _sources(script: Path) -> set[Path]:
    found: set[Path] = set()
    pending = [script]
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found.add(path)
        if path.suffix != ".py":
            continue
        for module in _imports(path):
            pending += [file for file in _files(module) if file not in found]
    return found


def _imports(path: Path) -> Iterator[str]:
    """Names of the package's modules that a source file imports, at its top or inside a function."""
    root = LIBRARY if path.is_relative_to(LIBRARY) else SCRIPTS
    package = ".".join(path.relative_to(root).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _files(module: str) -> Iterable[Path]:
    """The files that importing a module of this package runs: its own and its packages'."""
    if module in _NO_RESULT or module.split(".")[0] != "thyrocast":
        return []
    place = LIBRARY.joinpath(*module.split("."))
    files = [place.with_suffix(".py"), place / "__init__.py"]
    if place.is_dir() and "." in module:  # a package's data, such as a page's templates
        files += [f for f in place.rglob("*") if f.suffix in {".j2", ".css", ".js", ".json", ".yaml"}]
    return [file for file in files if file.is_file()]


def digest(*values: Any) -> str:
    """Hash of values that JSON can hold."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
