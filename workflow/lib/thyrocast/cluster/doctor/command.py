"""The command line of the check."""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from snakemake.cli import parse_args

from thyrocast.cluster import doctor
from thyrocast.cluster.doctor import environments, nodes, requests, scheduler, storage
from thyrocast.cluster.doctor.findings import Finding, State


@dataclass(frozen=True)
class Options:
    """Values that the check takes from Snakemake's command line and profile."""

    snakemake: list[str]
    folder: Path
    config_files: list[Path]
    account: bool
    jobs: int
    conda: bool
    attempts: int


def read_options(arguments: list[str]) -> Options:
    """Let Snakemake read its own arguments, profile included."""
    parsed = parse_args(arguments)[1]
    return Options(
        snakemake=[sys.executable, "-m", "snakemake", *arguments],
        folder=Path(parsed.directory or "."),
        config_files=[Path(file) for file in parsed.configfile or []],
        account="slurm_account" in str(parsed.default_resources),
        jobs=_number(parsed.jobs),
        conda="conda" in str(parsed.software_deployment_method).lower(),
        attempts=1 + (parsed.retries or 0),
    )


def _number(jobs: object) -> int:
    """Return Snakemake's `--jobs`, which may be "unlimited"."""
    return int(str(jobs)) if str(jobs).isdigit() else sys.maxsize


def report(findings: Iterable[Finding]) -> bool:
    """Print findings as they arrive; return whether none is a failure."""
    success = True
    for finding in findings:
        print(f"{finding.state.value}  {finding.text}", flush=True)
        success = success and finding.state is not State.FAIL
    return success


def check(options: Options, use_nodes: bool) -> bool:
    """Run all checks and print the findings; return whether a study could be started."""
    weights = storage.weights_file(options.config_files)
    launcher = report(environments.check_launcher())
    reachable = report(scheduler.check(options.account, options.jobs))
    success = launcher and reachable
    success &= report(storage.check_disk(options.folder))
    success &= report(storage.check_cache())
    print("...   planning all jobs twice, as `snakemake --dry-run --forceall` does", flush=True)
    plan = requests.plan(options.snakemake)
    if plan.fault:
        success &= report([Finding(State.FAIL, f"the study cannot be planned:\n{plan.fault}")])
    success &= report(storage.check_weights(weights))
    if options.conda:
        success &= report(environments.check_conda(options.snakemake))
    if reachable:
        last = requests.plan(options.snakemake, options.attempts).requests
        success &= report(requests.check(plan.requests, last))
        if use_nodes:
            key = storage.key_file(options.config_files)
            success &= report(nodes.check(plan.requests, weights, key))
    return success


def main() -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(
        description=(doctor.__doc__ or "").split("\n")[0],
        epilog="All other arguments are passed to snakemake; the default is --profile slurm.",
        allow_abbrev=False,
    )
    parser.add_argument("--no-jobs", action="store_true", help="run nothing on a node")
    own, others = parser.parse_known_args()
    success = check(read_options(others or ["--profile", "slurm"]), use_nodes=not own.no_jobs)
    return 0 if success else 1
