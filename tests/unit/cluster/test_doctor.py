"""The parts of `make doctor` that need no cluster."""

from pathlib import Path

import pytest

from thyrocast.cluster.doctor import requests, scheduler, storage
from thyrocast.cluster.doctor.findings import State


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("30:00", 30), ("2:00:00", 120), ("1-00:00:00", 1440), ("infinite", float("inf"))],
)
def test_time_limits_are_read_as_slurm_writes_them(limit: str, minutes: float) -> None:
    assert requests.minutes(limit) == minutes


def test_a_machine_without_a_scheduler_gets_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = list(scheduler.check(20, account=False))
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


def test_memory_and_time_double_with_each_attempt() -> None:
    last = TRAINING.at_attempt(3)
    assert (last.get("mem_mb"), last.get("runtime"), last.get("gpu")) == ("32000", "960", "1")
    assert TRAINING.at_attempt(1) == TRAINING


def test_the_longest_of_several_partitions_counts() -> None:
    assert requests.too_long(TRAINING, {"gpu": 60, "big": 240}) == ""
    assert "more than the 100" in requests.too_long(TRAINING, {"gpu": 60, "big": 100})


def test_weights_are_those_of_the_last_config_that_names_some(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("network: {weights: random}")
    second.write_text("network: {weights: resnet.pth}")
    assert storage.weights_file([first]) == ""
    assert storage.weights_file([first, second]).endswith("/resnet.pth")
