"""`make doctor` reports beforehand what would fail later."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.slurm.cluster import Cluster
from tests.slurm.conftest import PROFILE, Toy, furnished


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
    # one that the cluster accepts and never starts
    wrong = ["--set-resources", "train_network:runtime=3000", "--no-jobs"]
    wrong += ["--default-resources", "mem_mb=600", "runtime=30", "slurm_account=mine"]
    output = toy.command([*command, *wrong], {}).finish(success=False)
    assert re.search(r"^FAIL +train_network .*more than the 1440 of partition", output, re.M)
    assert re.search(r"^warn +slurm_account is set, but accounting is not active", output, re.M)


@pytest.fixture
def spaced(tmp_path: Path, cluster: Cluster) -> Iterator[Toy]:
    """The miniature study in a folder whose path has spaces."""
    yield from furnished(tmp_path / "Graves study 1", cluster)


def test_a_path_with_spaces_is_checked_and_works(spaced: Toy) -> None:
    command = [sys.executable, str(ROOT / "workflow" / "scripts" / "doctor.py"), *PROFILE]
    output = spaced.command(command, {}).finish()
    assert "FAIL" not in output
    assert re.search(r"^ok .*this folder is shared", output, re.M)
    spaced.start("results/east.csv").finish()
    assert (spaced.folder / "results" / "east.csv").read_text() == "center\neast\n"
