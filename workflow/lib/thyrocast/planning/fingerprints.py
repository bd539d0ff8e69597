"""Hashes of code and settings, by which Snakemake notices changes; standard library only."""

import ast
import functools
import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

WORKFLOW = Path(__file__).resolve().parents[3]
SCRIPTS, LIBRARY = WORKFLOW / "scripts", WORKFLOW / "lib"
# Edits of these change no result and must not rerun anything: a job's log, the version number.
_NO_RESULT = {"thyrocast", "thyrocast.log"}
_CODE = {".py", ".smk", ".yaml", ".j2", ".css", ".js"}


@functools.cache
def code_version(script: str) -> str:
    """Return a hash of an entry script and of this package's modules that it imports, at any depth.

    Snakemake notices an edited script, but not an edited module that the script imports. With this
    hash among the params of a rule, an edit reruns the rules that it affects, and no other.

    Parameters
    ----------
    script
        Name of the entry script without its ending.
    """
    digest = hashlib.sha256()
    for path in sorted(_sources(SCRIPTS / f"{script}.py")):
        digest.update(f"{path.relative_to(WORKFLOW)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def code_versions() -> dict[str, str]:
    """Return the hash of every entry script, by its name."""
    return {file.stem: code_version(file.stem) for file in sorted(SCRIPTS.glob("*.py"))}


def workflow_version() -> str:
    """Return a hash of the whole workflow: rules, entry scripts and package."""
    digest = hashlib.sha256()
    for path in sorted(WORKFLOW.rglob("*")):
        if path.is_file() and (path.suffix in _CODE or path.name == "Snakefile"):
            digest.update(f"{path.relative_to(WORKFLOW)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def commit() -> str:
    """Return the commit of the code, with ``+`` if files were edited since; empty outside of git."""
    try:
        described = subprocess.run(
            ["git", "-C", str(WORKFLOW), "describe", "--always", "--abbrev=12", "--dirty=+"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip()


def imported_packages(script: str) -> set[str]:
    """Return the top-level names of everything that an entry script imports.

    Includes indirect imports, the standard library and this package.
    """
    return {
        name.split(".")[0]
        for path in _sources(SCRIPTS / f"{script}.py")
        if path.suffix == ".py"
        for name in _imports(path)
    }


def _sources(script: Path) -> set[Path]:
    """Return an entry script and the files of this package that it depends on."""
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


@functools.cache
def _imports(path: Path) -> tuple[str, ...]:
    """Return the names of the modules that a source file imports, at its top or in a function."""
    return tuple(_imported_names(path))


def _imported_names(path: Path) -> Iterator[str]:
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
    """Return the files that importing a module of this package runs: its own and its packages'."""
    if module in _NO_RESULT or module.split(".")[0] != "thyrocast":
        return []
    place = LIBRARY.joinpath(*module.split("."))
    files = [place.with_suffix(".py"), place / "__init__.py"]
    if place.is_dir() and "." in module:  # a package's data, such as a page's templates
        files += [
            f for f in place.rglob("*") if f.suffix in {".j2", ".css", ".js", ".json", ".yaml"}
        ]
    return [file for file in files if file.is_file()]


def digest(*values: Any) -> str:
    """Return a hash of values that JSON can represent."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
