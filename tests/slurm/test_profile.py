"""The profile and its examples say what the executor understands."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.slurm.conftest import Toy


def planned(toy: Toy, *arguments: str) -> dict[str, str]:
    """The resources of a training as Snakemake would ask for them."""
    output = toy.start("--dry-run", *arguments).finish()
    body = re.search(r"^rule train_network:\n(?: {4}.*\n)+", output, re.M)
    assert body, output
    text = re.search(r"resources: (.*)", body[0])
    return dict(re.findall(r"(\w+)=(.*?)(?=, \w+=|$)", text[1] if text else ""))


@pytest.mark.parametrize(
    ("site", "wanted"),
    [
        ("one-partition", {"slurm_partition": "batch", "gpu": "1"}),
        ("cpu-and-gpu", {"slurm_partition": "gpu", "gpu_model": "a100", "mem_mb": "8000"}),
        ("gres-only", {"slurm_partition": "gpu", "gres": "gpu:1", "gpu": "0"}),
    ],
)
def test_site_examples(toy: Toy, site: str, wanted: dict[str, str]) -> None:
    file = ROOT / "profiles" / "slurm" / "sites" / f"{site}.yaml"
    found = planned(toy, "--profile", str(file))
    assert wanted.items() <= found.items()
    assert found["slurm_extra"] == "--signal=TERM@120"


def test_partitions_are_picked_and_gres_is_honoured(toy: Toy, tmp_path: Path) -> None:
    partitions = tmp_path / "partitions.yaml"
    partitions.write_text(
        "partitions:\n  cpu: {max_runtime: 1d}\n  gpu: {max_runtime: 1d, max_gpu: 2}\n"
    )
    site = tmp_path / "site.yaml"
    site.write_text(
        "default-resources: {mem_mb: 600, runtime: 5}\n"
        'set-resources: {train_network: {gpu: 0, gres: "gpu:1"}}\n'
    )
    run = toy.start(
        "--profile", str(site), f"--slurm-partition-config={partitions}", "results/full/weights.txt"
    )
    assert "Auto-selected partition 'gpu' for job train_network" in run.finish()
    assert "Auto-selected partition 'cpu' for job standardize_images" in run.output
    log = (toy.folder / "logs/train_network/full.log").read_text()
    assert re.search(r"^gpu [01]$", log, re.M), "CUDA_VISIBLE_DEVICES was not set"


def test_profile_is_commented_key_by_key() -> None:
    """No key without a comment above it, in the project's own profiles."""
    for name in ("slurm", "default"):
        lines = (ROOT / "profiles" / name / "config.yaml").read_text().splitlines()
        for above, line in pairwise(lines):
            if re.match(r"[a-z][\w-]*:", line):
                assert above.lstrip().startswith("#"), f"{name}: {line}"


def test_no_rule_retries_by_itself() -> None:
    """A rule's own retries are obeyed by the Snakemakes inside a job, too, in the same memory and time."""
    rules = [file.read_text() for file in (ROOT / "workflow").rglob("*.smk")]
    assert rules
    assert not any(re.search(r"^ +retries:", text, re.M) for text in rules)
    profile = (ROOT / "profiles" / "slurm" / "config.yaml").read_text()
    assert re.search(r"^retries: 2$", profile, re.M)
