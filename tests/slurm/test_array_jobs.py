"""Why the profile does not use array jobs: once this test passes, they may be used."""

import re
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.conftest import Toy

SNAKEFILE = """
PARTS = ["one", "two", "three"]

rule all:
    input: expand("results/{part}.txt", part=PARTS)

rule part:
    output: "results/{part}.txt"
    log: "logs/{part}.log"
    resources: runtime=1
    shell: "exec 2> {log}; until test {wildcards.part} != one -o -e noticed; do sleep 0.2; done; "
        "test {wildcards.part} != two; echo {wildcards.part} > {output}"
"""


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="plugin 2.8.0 does not distinguish the tasks of an array: docs/hpc.md",
)
def test_each_task_of_an_array_is_itself(toy: Toy, tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    run = toy.start("--slurm-array-jobs=all", "--retries=0")
    # task one runs until Snakemake has noticed how one of the others ended
    run.until(lambda: re.search("Error in rule part|Finished jobid", run.output))
    (tmp_path / "noticed").touch()
    output = run.finish(success=False)
    # task two fails, one (slow) and three succeed
    assert "2 of 4 steps" in output
    assert set(toy.results) == {"one.txt", "three.txt"}
