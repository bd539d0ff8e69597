"""Whether the scheduler answers, and whether its settings suit the executor's status checks."""

import getpass
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from thyrocast.cluster.doctor.findings import Finding, State, call

_PROGRAMS = ("sbatch", "squeue", "scontrol", "scancel")


def check(account: bool, jobs: int) -> Iterator[Finding]:
    """Check the scheduler.

    Parameters
    ----------
    account
        Whether jobs name an account.
    jobs
        Jobs in the queue at a time, as the profile says.
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
    yield from _accounting(settings, account)
    yield from _submit_limit(jobs)
    if os.environ.get("SLURM_CONF") and not Path("/etc/slurm/slurm.conf").exists():
        yield Finding(
            State.WARN,
            "SLURM_CONF is set and there is no /etc/slurm/slurm.conf: the executor (2.8) clears "
            "the variable inside jobs, and srun may then not find the cluster",
        )


def _accounting(settings: str, account: bool) -> Iterator[Finding]:
    storage = re.search(r"AccountingStorageType\s*=\s*(\S+)", settings)
    active = bool(storage and "none" not in storage[1])
    yield Finding(State.OK, f"accounting is {'active' if active else 'not active'}")
    if account and not active:
        yield Finding(State.WARN, "slurm_account is set, but accounting is not active: remove it")


def _submit_limit(jobs: int) -> Iterator[Finding]:
    """Compare the profile's `jobs` with the least number of jobs that the user may submit."""
    user = f"user={getpass.getuser()}"
    answers = (
        call("sacctmgr", "-nP", "show", "assoc", user, "format=MaxSubmitJobs"),
        call("sacctmgr", "-nP", "show", "qos", "format=MaxSubmitJobsPerUser"),
    )
    limits = [
        int(line)
        for answer in answers
        if answer.success
        for line in answer.text.split()
        if line.isdigit()
    ]
    if limits and min(limits) < jobs:
        yield Finding(
            State.WARN,
            f"the profile allows {jobs} jobs in the queue, the cluster {min(limits)} for one of the "
            f"accounts or QOS: SLURM refuses the others, which wait for room. Set `jobs: {min(limits)}`",
        )
