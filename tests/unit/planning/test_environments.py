"""Every environment file holds what its rules import, nothing else, in the versions of the pip lock."""

import ast
import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "workflow" / "scripts"
LIBRARY = ROOT / "workflow" / "lib"
# Modules of the entry scripts' own folder.
OWN = {"library"}
FAMILIES = {"imaging", "deep", "stats", "explain", "report"}
# Found by their host when it runs, never imported by name: what pydicom decodes compressed frames with.
PLUGINS = {
    "pydicom": {"pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pyjpegls"},
}

with (ROOT / "tests" / "conda" / "names.csv").open(encoding="utf-8") as _file:
    NAMES = list(csv.DictReader(_file))
PIP = {row["conda"]: row["pip"] for row in NAMES}
CONDA = {row["import"]: row["conda"] for row in NAMES}


def environment(family: str) -> dict[str, str]:
    """Packages of an environment file and their pins, less Python itself."""
    listed = yaml.safe_load((ROOT / "envs" / f"{family}.yaml").read_text(encoding="utf-8"))
    pins = dict(dependency.split(" ") for dependency in listed["dependencies"])
    pins.pop("python")
    return pins


def lock() -> dict[str, str]:
    """Packages and versions of the pip lock."""
    text = (ROOT / "requirements" / "local.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.\-]+)==([^\s;\\]+)", text, re.MULTILINE))


def rules() -> dict[str, tuple[str, str]]:
    """Script and environment of every rule that runs a script."""
    found = {}
    workflows = [ROOT / "workflow" / "Snakefile", *sorted((ROOT / "workflow").rglob("*.smk"))]
    for text in (path.read_text(encoding="utf-8") for path in workflows):
        for name, body in re.findall(
            r"^rule (\w+):\n((?:(?:[ \t].*)?\n)*)", text + "\n", re.MULTILINE
        ):
            script = re.search(r'^    script:\s+"(?:.*/)?(\w+)\.py"', body, re.MULTILINE)
            conda = re.search(r'^    conda:\s+"(?:.*/)?envs/(\w+)\.yaml"', body, re.MULTILINE)
            if script:
                found[name] = (script[1], conda[1] if conda else "")
    return found


def imports(source: str, package: tuple[str, ...] = ()) -> Iterator[str]:
    """Dotted names that a source file imports when it runs, at its top or inside a function."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        waiting += ast.iter_child_nodes(node)


def needs(script: Path) -> dict[str, str]:
    """Third-party modules that a script imports, however deep, and the file that imports each."""
    found: dict[str, str] = {}
    seen, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        package = path.relative_to(LIBRARY).parent.parts if path.is_relative_to(LIBRARY) else ()
        for name in imports(path.read_text(encoding="utf-8"), package):
            top, *_ = parts = name.split(".")
            if top == "thyrocast":
                for depth in range(1, len(parts) + 1):
                    place = LIBRARY.joinpath(*parts[:depth])
                    waiting += [place.with_suffix(".py"), place / "__init__.py"]
            elif top not in sys.stdlib_module_names | OWN:
                found.setdefault(top, str(path))
    return found


RULES = rules()


def test_one_file_for_each_family():
    assert {path.stem for path in (ROOT / "envs").glob("*")} == FAMILIES
    assert {path.suffix for path in (ROOT / "envs").glob("*")} == {".yaml"}


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_channel_python_and_pins(family):
    listed = yaml.safe_load((ROOT / "envs" / f"{family}.yaml").read_text(encoding="utf-8"))
    # `nodefaults` is no channel any more: conda 26 takes it for one and fails.
    assert listed["channels"] == ["conda-forge"]
    assert listed["dependencies"][0] == "python =3.11"
    for dependency in listed["dependencies"]:
        assert re.fullmatch(r"[a-z0-9.\-]+ =\d+\.\d+", dependency), dependency


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_versions_are_those_of_the_pip_lock(family):
    locked = lock()
    for package, pin in environment(family).items():
        version = locked[PIP[package]]
        assert f"{version}.".startswith(f"{pin[1:]}."), f"{package} {pin}, but pip locks {version}"


def test_pip_knows_no_package_that_no_environment_holds():
    text = (ROOT / "requirements" / "local.in").read_text(encoding="utf-8")
    asked = set(re.findall(r"^([a-z][\w\-]*)", text, re.MULTILINE))
    held = {PIP[package] for family in FAMILIES for package in environment(family)}
    assert asked <= held, f"in requirements/local.in, but in no envs/*.yaml: {asked - held}"


def test_rules_are_read():
    assert {"register_center", "train_network", "render_report"} <= RULES.keys()


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_names_an_environment(rule):
    assert RULES[rule][1] in FAMILIES


@pytest.mark.parametrize("rule", sorted(RULES))
def test_environment_holds_what_the_rule_imports(rule):
    script, family = RULES[rule]
    assert (SCRIPTS / f"{script}.py").is_file()
    held = environment(family)
    for module, importer in needs(SCRIPTS / f"{script}.py").items():
        assert module in CONDA, f"{importer} imports {module}: tests/conda/names.csv lacks it"
        package = CONDA[module]
        assert package in held, f"{importer} imports {module}: envs/{family}.yaml lacks {package}"
        missing = PLUGINS.get(package, set()) - held.keys()
        assert not missing, f"{package} decodes with {missing}, which envs/{family}.yaml lacks"


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_environment_holds_nothing_else(family):
    used: set[str] = set()
    for script, environment_of_rule in RULES.values():
        if environment_of_rule == family:
            used |= {CONDA[module] for module in needs(SCRIPTS / f"{script}.py")}
    used |= {plugin for host in used for plugin in PLUGINS.get(host, ())}
    idle = environment(family).keys() - used
    assert not idle, f"no script of the family imports {idle}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import numpy as np", {"numpy"}),
        ("from scipy import special", {"scipy", "scipy.special"}),
        ("def f():\n    import torch", {"torch"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas", {"typing", "typing.TYPE_CHECKING"}),
        ("from . import words", {"thyrocast.report", "thyrocast.report.words"}),
    ],
)  # fmt: skip
def test_imports_are_found(source, expected):
    assert set(imports(source, ("thyrocast", "report"))) == expected


def test_a_removed_dependency_is_noticed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from thyrocast.statistics import inputs\n")
    assert needs(script) == {"numpy": str(LIBRARY / "thyrocast" / "statistics" / "inputs.py")}


def test_rules_with_pytorch_also_name_a_module_that_a_site_may_provide() -> None:
    named = set()
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        named |= set(
            re.findall(
                r'envs/(\w+)\.yaml"\n    envmodules:\n        "thyrocast/(\w+)"', path.read_text()
            )
        )
    assert named == {("deep", "deep"), ("explain", "explain")}
