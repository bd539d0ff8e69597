"""Hashes of code and settings, by which Snakemake notices changes; standard library only."""

import functools
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from thyrocast.planning import imports

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
        digest.update(imports.content(path))
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
    """Return the commit of the code, with ``+`` if files were edited since; empty outside of git.

    Empty as well if the code lies in a repository that does not contain it.
    """
    try:
        _git("ls-files", "--error-unmatch", "Snakefile")
        return _git("describe", "--always", "--abbrev=12", "--dirty=+")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(WORKFLOW), *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout.strip()


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


def _imports(path: Path) -> tuple[str, ...]:
    """Return the names of the modules that a source file imports, at its top or in a function."""
    root = LIBRARY if path.is_relative_to(LIBRARY) else SCRIPTS
    return imports.imports(path, ".".join(path.relative_to(root).parent.parts))


@functools.cache
def _files(module: str) -> tuple[Path, ...]:
    """Return the files that importing a module of this package runs: its own and its packages'."""
    if module in _NO_RESULT or module.split(".")[0] != "thyrocast":
        return ()
    place = LIBRARY.joinpath(*module.split("."))
    files = [place.with_suffix(".py"), place / "__init__.py"]
    if place.is_dir() and "." in module:  # a package's data, such as a page's templates
        files += [
            f for f in place.rglob("*") if f.suffix in {".j2", ".css", ".js", ".json", ".yaml"}
        ]
    return tuple(file for file in files if file.is_file())


def forget() -> None:
    """Read the code again; this process has kept what it read."""
    imports.forget()
    code_version.cache_clear()
    _files.cache_clear()


def digest(*values: Any) -> str:
    """Return a hash of values that JSON can represent."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
