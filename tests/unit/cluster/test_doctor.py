"""The parts of `make doctor` that need no cluster."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from thyrocast.cluster import limits
from thyrocast.cluster.doctor import nodes, requests, scheduler, storage
from thyrocast.cluster.doctor.findings import State


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("30:00", 30), ("2:00:00", 120), ("1-00:00:00", 1440), ("infinite", float("inf"))],
)
def test_time_limits_are_read_as_slurm_writes_them(limit: str, minutes: float) -> None:
    assert limits.minutes(limit) == minutes


def test_a_machine_without_a_scheduler_gets_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = list(scheduler.check(account=False, jobs=100))
    assert [finding.state for finding in found] == [State.FAIL]
    assert "login node" in found[0].text


TRAINING = requests.Request(
    "train_network",
    4,
    (("mem_mb", "8000"), ("runtime", "240"), ("gpu", "1"), ("slurm_partition", "gpu,big")),
)


def test_a_request_is_put_to_sbatch_as_the_executor_does() -> None:
    assert TRAINING.options == [
        "--cpus-per-task=4", "--partition=gpu,big", "--mem=8000", "--time=240", "--gpus=1",
    ]  # fmt: skip
    assert TRAINING.gpu


SNAKEFILE = """
rule all:
    input: "grows", "bounded", "fixed"

rule grows:
    output: "grows"
    resources: mem_mb=lambda wildcards, attempt: 1000 * 2 ** (attempt - 1), runtime=30
    shell: "touch {output}"

rule bounded:
    output: "bounded"
    resources: runtime=lambda wildcards, attempt: min(60 * 2 ** (attempt - 1), 90)
    shell: "touch {output}"

rule fixed:
    output: "fixed"
    resources: runtime=20
    shell: "touch {output}"

"""


def test_requests_of_a_later_attempt_are_those_that_snakemake_would_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    snakemake = [sys.executable, "-m", "snakemake"]
    planned = requests.plan(snakemake, attempt=3).requests
    found = {request.rule: (request.get("mem_mb"), request.get("runtime")) for request in planned}
    assert found["grows"] == ("4000", "30")
    assert found["bounded"][1] == "90"
    assert found["fixed"][1] == "20"


def test_a_limit_of_submitted_jobs_below_the_profile_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "sacctmgr"
    program.write_text("#!/bin/sh\ncase $* in *qos*) echo 40;; *) printf '\\n200\\n';; esac\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (found,) = scheduler._submit_limit(100)
    assert found.state is State.WARN
    assert "`jobs: 40`" in found.text
    assert list(scheduler._submit_limit(40)) == []


def test_the_longest_of_several_partitions_counts() -> None:
    gpu, big = limits.Limits(60), limits.Limits(240)
    assert requests.too_long(TRAINING, {"gpu": gpu, "big": big}) == ""
    assert "more than the 60" in requests.too_long(TRAINING, {"gpu": gpu, "big": gpu})


@pytest.mark.parametrize("home", ["/dev/null/home", "/proc/home"])
def test_a_home_that_cannot_be_written_is_named_with_what_to_do(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (found,) = storage.check_cache()
    assert found.state is State.FAIL
    assert f"{home}/.cache" in found.text
    assert "XDG_CACHE_HOME" in found.text
    done = subprocess.run(  # the probe, as it runs on a node
        [sys.executable, "-c", nodes._PROBE, str(tmp_path / "token"), "", "key"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["cache"] == f"{home}/.cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert list(storage.check_cache()) == []


def test_weights_are_those_of_the_last_config_that_names_some(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("network: {weights: random}")
    second.write_text("network: {weights: resnet.pth}")
    assert storage.weights_file([first]) == ""
    assert storage.weights_file([first, second]).endswith("/resnet.pth")


def test_the_key_is_the_default_one_unless_a_config_names_another(tmp_path: Path) -> None:
    """A node with another home has another default key, which the doctor must notice."""
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("study: a")
    second.write_text("pseudonym_key: /shared/key")
    assert storage.key_file([first]) == "~/.config/thyrocast/pseudonym.key"
    assert storage.key_file([second, first]) == "/shared/key"


@pytest.mark.parametrize(
    ("there", "state"), [("same", State.OK), ("other", State.FAIL), ("", State.FAIL)]
)
def test_the_key_on_a_node_is_compared_with_the_one_here(
    there: str, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node has another home: its key is the same one, another one, or missing."""
    secrets = {"same": "0123456789abcdef0123", "other": "fedcba98765432109876"}
    homes = {name: tmp_path / name for name in ("here", "node")}
    for name, secret in (("here", secrets["same"]), ("node", secrets.get(there, ""))):
        homes[name].mkdir()
        if secret:
            (homes[name] / "key").write_text(f"{secret}\n")
    srun = tmp_path / "bin" / "srun"  # runs the probe in the node's home
    srun.parent.mkdir()
    srun.write_text(
        f'#!/bin/bash\nwhile [[ $1 == -* ]]; do shift; done\nHOME={homes["node"]} exec "$@"\n'
    )
    srun.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(homes["here"]))
    monkeypatch.setenv("PATH", f"{srun.parent}:/usr/bin:/bin")
    request = requests.Request("register_center", 1, ())
    found = [f for f in nodes.check([request], "", "~/key") if "pseudonym key" in f.text]
    assert [finding.state for finding in found] == [state]
    if state is State.FAIL:
        assert "set pseudonym_key to a file on the shared file system" in found[0].text
