"""Whether the scheduler answers, and whether its settings suit the executor's status checks."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from thyrocast.cluster.doctor.findings import Finding, State, call

_PROGRAMS = ("sbatch", "squeue", "scontrol", "scancel")


def check(interval: int, account: bool) -> Iterator[Finding]:
    """Check the scheduler.

    Parameters
    ----------
    interval
        Seconds to the first status check, as the profile says.
    account
        Whether jobs name an account.
    """
    for program in _PROGRAMS:
        if not shutil.which(program):
            yield Finding(
                State.FAIL, f"{program} is not on the path: is this a login node of the cluster?"
            )
            return
    ping = call("scontrol", "ping")
    if not ping.success or " UP" not in ping.text:
        yield Finding(State.FAIL, f"the scheduler does not answer: {ping.text}")
        return
    settings = call("scontrol", "show", "config").text
    version = re.search(r"SLURM_VERSION\s*=\s*(\S+)", settings)
    yield Finding(State.OK, f"SLURM {version[1] if version else '?'} answers")
    yield from _job_age(settings, interval)
    yield from _accounting(settings, account)
    if os.environ.get("SLURM_CONF") and not Path("/etc/slurm/slurm.conf").exists():
        yield Finding(
            State.WARN,
            "SLURM_CONF is set and there is no /etc/slurm/slurm.conf: the executor (2.8) clears "
            "the variable inside jobs, and srun may then not find the cluster",
        )


def _job_age(settings: str, interval: int) -> Iterator[Finding]:
    age = re.search(r"MinJobAge\s*=\s*(\d+)", settings)
    if age and int(age[1]) < 3 * interval:
        yield Finding(
            State.WARN,
            f"MinJobAge is {age[1]} s: squeue forgets jobs before the executor checks twice. Set "
            f"slurm-init-seconds-before-status-checks to {max(1, int(age[1]) // 3)} or less",
        )


def _accounting(settings: str, account: bool) -> Iterator[Finding]:
    storage = re.search(r"AccountingStorageType\s*=\s*(\S+)", settings)
    active = bool(storage and "none" not in storage[1])
    yield Finding(State.OK, f"accounting is {'active' if active else 'not active'}")
    if account and not active:
        yield Finding(State.WARN, "slurm_account is set, but accounting is not active: remove it")
