"""What a run leaves for others: a Workflow Run RO-Crate, and the page of `snakemake --report`."""

import importlib.resources
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Study, require

VALIDATOR = ROOT / ".cache" / "roc-validator" / "bin" / "rocrate-validator"


def context() -> dict[str, Any]:
    """The context of RO-Crate 1.1, which the validator would read from the web.

    The library has that of 1.3; bioschemas' types had another address in 1.1.
    """
    text = (importlib.resources.files("rocrate") / "data" / "ro-crate.jsonld").read_text()
    return {
        name: value.replace("bioschemas.org/terms/", "bioschemas.org/")
        for name, value in json.loads(text)["@context"].items()
        if isinstance(value, str)
    }


def test_the_crate_conforms_to_its_profile(smoke_study: Study, tmp_path: Path) -> None:
    require(
        VALIDATOR.is_file(), "needs roc-validator: make .cache/roc-validator/bin/rocrate-validator"
    )
    crate = shutil.copytree(smoke_study.results / "crate", tmp_path / "crate")
    metadata = crate / "ro-crate-metadata.json"
    content = json.loads(metadata.read_text())
    first, *others = content["@context"]
    assert first == "https://w3id.org/ro/crate/1.1/context"
    content["@context"] = [context(), *others]
    metadata.write_text(json.dumps(content))
    found = tmp_path / "found.json"
    command = [VALIDATOR, "validate", "--skip-availability-check", "--no-paging", "--no-cache"]
    command += ["-p", "workflow-run-crate-0.5", "-l", "required", "-f", "json", "-o", found, crate]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert found.is_file(), done.stdout + done.stderr
    report = json.loads(found.read_text())
    assert report["passed"], [issue["message"] for issue in report["issues"]]
    assert report["statistics"]["total_checks"] > 50


def test_snakemakes_report_needs_no_network_and_contains_the_page(
    smoke_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    page = tmp_path / "report.html"
    smoke_study.snakemake("--nolock", "--report", str(page))
    text = page.read_text(encoding="utf-8")
    for name in ("report/report.html", "evaluation/performance.csv", "provenance.json"):
        assert f"results/smoke/{name}" in text
