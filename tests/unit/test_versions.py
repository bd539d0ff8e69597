"""Each job records the versions that it ran with, and they can be read from its log."""

import importlib.metadata
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import thyrocast
from tests.conftest import ROOT
from thyrocast import log, versions
from thyrocast.errors import InputError
from thyrocast.planning import fingerprints


def test_a_job_records_its_versions_in_its_log_and_not_on_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "train_network" / "full.log"
    log.start(file, "train_network", ["full"])
    found = versions.read(file, {"numpy", "sklearn", "os", "thyrocast"})
    assert found == {
        "python": sys.version.split()[0],
        "numpy": importlib.metadata.version("numpy"),
        "scikit-learn": importlib.metadata.version("scikit-learn"),
    }
    assert "scikit-learn" not in capsys.readouterr().err


def test_a_log_without_versions_is_recognized(tmp_path: Path) -> None:
    file = tmp_path / "old.log"
    file.write_text("2026-01-01 00:00:00,000 [train_network] INFO Python 3.11.7 in /usr\n")
    assert versions.read(file, {"numpy"}) is None


def test_versions_that_differ_are_all_named() -> None:
    records = [{"numpy": "2.4.1", "torch": "2.14"}, {"numpy": "2.4.0"}, {"numpy": "2.4.1"}]
    assert versions.merge(records) == {"numpy": "2.4.0 and 2.4.1", "torch": "2.14"}


@pytest.mark.parametrize("script", sorted(file.stem for file in fingerprints.SCRIPTS.glob("*.py")))
def test_every_package_that_a_script_imports_is_recorded(script: str) -> None:
    """Packages that influence no number are the exception."""
    harmless = {"yaml", "markupsafe", "pydantic_core"}
    known = set(sys.stdlib_module_names) | harmless | {"thyrocast", "library", ""}
    imported = {n for n in fingerprints.imported_packages(script) if not n.startswith("snakemake")}
    assert not imported - known - versions.DISTRIBUTIONS.keys()


def test_the_version_of_the_package_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert thyrocast.__version__ == project["version"] == citation["version"]


def test_a_job_whose_input_is_wrong_says_that_another_attempt_is_useless(tmp_path: Path) -> None:
    file = tmp_path / "job.log"
    for error, final in ((InputError("column TRAb is missing"), True), (OSError("disk"), False)):
        log.start(file, "register_center")
        sys.excepthook(type(error), error, None)
        assert log.is_final(file) is final
        assert str(error) in file.read_text()
    assert not log.is_final(tmp_path / "none.log")
