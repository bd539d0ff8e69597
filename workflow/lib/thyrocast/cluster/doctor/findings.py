"""Findings, which every check reports, and calls of programs."""

import subprocess
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How serious a finding is; the value is printed."""

    OK = "ok  "
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """One line of the check's output."""

    state: State
    text: str


@dataclass(frozen=True)
class Answer:
    """Whether a program succeeded, and what it printed on both streams."""

    success: bool
    text: str


def ok_if(condition: bool, text: str, otherwise: State = State.FAIL) -> Finding:
    """Return a finding that is good if the condition is true."""
    return Finding(State.OK if condition else otherwise, text)


def call(*words: str, seconds: float = 120) -> Answer:
    """Run a program; one that is missing or too slow counts as failed."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(False, str(error))
    return Answer(done.returncode == 0, (done.stdout + done.stderr).strip())
