"""The doctor says beforehand what would fail later."""

import re
import sys

import pytest

import doctor
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
    # one that waits for ever, though the cluster takes it
    wrong = ["--set-resources", "train_network:runtime=3000", "--no-jobs"]
    wrong += ["--default-resources", "mem_mb=600", "runtime=30", "slurm_account=mine"]
    output = toy.command([*command, *wrong], {}).finish(success=False)
    assert re.search(r"^FAIL +train_network .*more than the 1440 of partition", output, re.M)
    assert re.search(r"^warn +slurm_account is set, but no accounting is kept", output, re.M)


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("30:00", 30), ("2:00:00", 120), ("1-00:00:00", 1440), ("infinite", float("inf"))],
)
def test_time_limits_as_slurm_writes_them(limit: str, minutes: float) -> None:
    assert doctor.minutes(limit) == minutes


def test_doctor_without_a_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = list(doctor.scheduler(20, False))
    assert [finding.state for finding in found] == [doctor.FAIL]
    assert "login node" in found[0].what
