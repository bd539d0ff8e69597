"""What is concluded from SLURM's reports about a job."""

import os
from pathlib import Path

import pytest

from thyrocast.cluster.queue import NO_ANSWER, Seen
from thyrocast.cluster.watch import LOOKS, REPEAT_S, Decision, Verdict, Watch, silence


def unknown(number: str) -> Seen | None:
    return None


def no() -> bool:
    return False


def looks(watch: Watch, seen: Seen | None, ended: bool = False) -> list[Decision]:
    """Decisions about one job in as many looks as it takes."""
    return [watch.decide("7", seen, lambda: ended) for _ in range(LOOKS)]


@pytest.mark.parametrize("state", ["PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED"])
def test_a_job_that_waits_or_runs_is_active(state: str) -> None:
    found = looks(Watch(unknown), Seen(state, "Priority"))
    assert {decision.verdict for decision in found} == {Verdict.ACTIVE}
    assert not any(decision.note for decision in found)


@pytest.mark.parametrize(
    "state", ["FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"]
)
def test_a_failed_job_has_failed_at_the_first_look(state: str) -> None:
    decision = Watch(unknown).decide("7", Seen(state), no)
    assert decision.verdict is Verdict.FAILED
    assert f"SLURM status is: '{state}'" in decision.reason


@pytest.mark.parametrize("state", ["PREEMPTED", "NODE_FAIL"])
def test_a_preempted_job_may_be_requeued_and_has_failed_otherwise(state: str) -> None:
    watch = Watch(unknown)
    first, second, third = looks(watch, Seen(state))
    assert first.verdict is second.verdict is Verdict.ACTIVE
    assert third.verdict is Verdict.FAILED
    assert state in third.reason

    watch = Watch(unknown)
    for _ in range(3):  # preempted three times, and queued again each time
        assert watch.decide("7", Seen(state), no).verdict is Verdict.ACTIVE
        again = watch.decide("7", Seen("PENDING", "BeginTime"), no)
        assert again.verdict is Verdict.ACTIVE
        assert "put job 7 back into the queue" in again.note
    watch.decide("8", Seen("RUNNING"), no)  # nobody looked while it was not
    assert "put job 8 back" in watch.decide("8", Seen("PENDING", "BeginTime"), no).note
    assert watch.decide("8", Seen("PENDING", "BeginTime"), no).note == ""


def test_a_job_that_nobody_knows_succeeded_if_it_marked_its_end() -> None:
    *before, last = looks(Watch(unknown), None, ended=True)
    assert {decision.verdict for decision in before} == {Verdict.ACTIVE}
    assert last.verdict is Verdict.SUCCEEDED
    assert "marked its successful end" in last.note

    last = looks(Watch(unknown), None, ended=False)[-1]
    assert last.verdict is Verdict.FAILED
    assert "did not mark a successful end" in last.reason


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("COMPLETED", Verdict.SUCCEEDED),
        ("TIMEOUT", Verdict.FAILED),
        ("NODE_FAIL", Verdict.FAILED),
        ("RUNNING", Verdict.ACTIVE),
    ],
)
def test_a_job_missing_from_the_list_is_asked_about(state: str, verdict: Verdict) -> None:
    found = looks(Watch(lambda number: Seen(state)), None)
    assert found[-1].verdict is verdict
    if verdict is Verdict.ACTIVE:
        assert "waiting for it" in found[-1].note


def test_a_missing_job_is_not_decided_about_while_the_scheduler_does_not_answer() -> None:
    watch = Watch(lambda number: NO_ANSWER)
    found = looks(watch, None, ended=True) + looks(watch, None, ended=False)
    assert {decision.verdict for decision in found} == {Verdict.ACTIVE}
    assert sum("asking again" in decision.note for decision in found) == 1


@pytest.mark.parametrize(
    "reason",
    [
        "PartitionTimeLimit",
        "QOSMaxWallDurationPerJobLimit",
        "AssocMaxMemoryPerJob",
        "BadConstraints",
    ],
)
def test_a_job_that_never_starts_is_useless(reason: str) -> None:
    *before, last = looks(Watch(unknown), Seen("PENDING", reason))
    assert {decision.verdict for decision in before} == {Verdict.ACTIVE}
    assert last.verdict is Verdict.USELESS
    assert reason in last.reason
    assert "set-resources" in last.reason


@pytest.mark.parametrize(
    "seen",
    [
        Seen("SUSPENDED"),
        Seen("PENDING", "JobHeldUser"),
        # after `scontrol requeuehold`, as squeue writes it
        Seen("PENDING", "job requeued in held state"),
        Seen("PENDING", "launch failed requeued held"),
        Seen("SPECIAL_EXIT", "job requeued in held state"),
    ],
)
def test_a_job_that_somebody_holds_is_named_every_five_minutes(seen: Seen) -> None:
    clock = [0.0]
    watch = Watch(unknown, now=lambda: clock[0])
    assert "SLURM job 7" in watch.decide("7", seen, no).note
    assert watch.decide("7", seen, no).note == ""
    clock[0] += REPEAT_S
    assert "SLURM job 7" in watch.decide("7", seen, no).note


def test_silence_is_that_of_the_last_log_written(tmp_path: Path) -> None:
    old, new = tmp_path / "old.log", tmp_path / "new.log"
    assert silence([old, new], now=0) == 0
    for file, when in ((old, 0), (new, 600)):
        file.touch()
        os.utime(file, (when, when))
    assert silence([old, new], now=1200) == pytest.approx(10)
