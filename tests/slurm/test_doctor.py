"""The doctor says beforehand what would fail later."""

import re
import sys

import doctor
import pytest

from tests.conftest import ROOT
from tests.slurm.conftest import PROFILE, Toy


def test_doctor(toy: Toy) -> None:
    command = [sys.executable, str(ROOT / "workflow" / "scripts" / "doctor.py"), *PROFILE]
    output = toy.command(command, {}).finish()
    assert "FAIL" not in output
    assert re.search(r"^ok .*this folder is shared", output, re.M)
    assert re.search(r"^ok .*CUDA_VISIBLE_DEVICES=[01]", output, re.M)

    # a request that no partition can meet, found without running anything
    wrong = ["--set-resources", "train_network:mem_mb=900000000", "--no-jobs"]
    output = toy.command([*command, *wrong], {}).finish(success=False)
    assert re.search(r"^FAIL +train_network .*mem=900000000", output, re.M)


def test_doctor_without_a_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = list(doctor.scheduler(20))
    assert [finding.state for finding in found] == [doctor.FAIL]
    assert "login node" in found[0].what
