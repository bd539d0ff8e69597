"""Jobs in SLURM's queue and the Snakemake that controls them."""

import os
import socket
from pathlib import Path

import pytest

from thyrocast.cluster import slurm
from thyrocast.planning import controller


def test_a_machine_without_slurm_is_reported_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="squeue is not on the path"):
        slurm.jobs(".")


def test_jobs_of_other_studies_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "squeue"
    lines = [
        f"7|RUNNING|thyrocast_abc|rule_train_network_wildcards_full|{tmp_path}",
        f"8|PENDING|other_abc|rule_train_network|{tmp_path}",
        "9|RUNNING|thyrocast_abc|rule_train_network|/elsewhere",
    ]
    program.write_text("#!/bin/sh\ncat <<END\n" + "\n".join(lines) + "\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert slurm.jobs(tmp_path) == [slurm.Job("7", "RUNNING", "abc", "train_network full")]
    assert slurm.listed(slurm.jobs(tmp_path) * 9, most=2).endswith(" and 7 more")


def test_a_controller_elsewhere_may_be_alive_and_one_that_ended_here_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert slurm.living_controller() == ""
    controller.write("config")
    assert slurm.living_controller() == ""  # this process is not Snakemake
    record = controller.RECORD.read_text()
    controller.RECORD.write_text(record.replace(socket.gethostname(), "elsewhere"))
    assert "elsewhere, which cannot be seen from here" in slurm.living_controller()
