"""Programs of SLURM that answer what a test says."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the programs of SLURM print what a test says."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(**bodies: str) -> None:
        for program, body in bodies.items():
            (folder / program).write_text(f"#!/bin/sh\n{body}\n")
            (folder / program).chmod(0o755)

    write(scontrol="echo MinJobAge = 600 sec", squeue="exit 0", sacct="exit 1", scancel="exit 1")
    return write
