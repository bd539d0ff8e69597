"""What a run on SLURM leaves for its jobs and for whoever goes on after it."""

import json
from pathlib import Path

import pytest

from thyrocast.cluster import slurm


def test_a_job_of_another_config_than_its_run_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    slurm.same_config("a")  # no run on SLURM has begun here
    slurm.RECORD.parent.mkdir()
    slurm.RECORD.write_text(json.dumps({"host": "login", "process": 1, "config": "a"}))
    slurm.same_config("a")
    with pytest.raises(RuntimeError, match="edited after this run had begun"):
        slurm.same_config("b")


def test_a_machine_without_slurm_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="squeue is not on the path"):
        slurm.jobs(".")
