"""Which code, data, settings and environments a study's results came from."""

import platform
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import thyrocast
from thyrocast import versions
from thyrocast.config.study import StudyConfig
from thyrocast.contract import files
from thyrocast.contract.documents import Provenance
from thyrocast.planning import derived, fingerprints

LAUNCHER = ("snakemake", "snakemake-executor-plugin-slurm")
#: Entry scripts that only run in a study with several definitions of the outcome.
OF_DEFINITIONS = ("apply_definitions", "evaluate_definition", "compare_definitions")
#: Those that do not run if a locked model is applied.
OF_TRAINING = ("train_network", "fit_signature")
#: The report is rendered and the model is locked after provenance is written or at the same time, so
#: their logs may be those of an earlier run. The others are targets of their own, or run for some patients or
#: one design only; so are all derived rules. The log of a pretraining is next to its file, which several studies
#: may share.
LATER = (
    "render_report", "lock_model", "write_crate", "run_controls", "refit_models", "assess_stability",
    "measure_learning_curve", "measure_importance", "write_exchange", "lock_update", "write_sheets",
    "write_dicom", "score_apart", "pretrain_network", "permute_outcomes", "hide_part",
    *derived.SCRIPTS,
)  # fmt: skip


@dataclass(frozen=True)
class StudyPlan:
    """The jobs of a study, so that logs of earlier plans can be recognized.

    Attributes
    ----------
    environments
        Environment (``imaging``, ``deep``, ``stats``, ``explain``, ``report``) of each entry script that the
        study runs: see `planned`.
    centers
        Names of the centers.
    splits
        Splits of each design.
    """

    environments: Mapping[str, str]
    centers: Collection[str]
    splits: Mapping[str, Collection[str]]

    def includes(self, job: str) -> bool:
        """Return whether a job, named by its log's path without suffix, is part of the plan."""
        script, *wildcards = job.split("/")
        if script not in self.environments:
            return False
        if not wildcards or wildcards[0] in self.centers:
            return True
        design, *rest = wildcards
        return design in self.splits and (not rest or rest[0] in self.splits[design])


@dataclass(frozen=True)
class JobRecord:
    """Content of a job's log; without versions if the job ran before these were recorded."""

    job: str
    script: str
    slurm: str
    versions: Mapping[str, str] | None


def planned(environments: Mapping[str, str], config: StudyConfig) -> dict[str, str]:
    """Return the environments of the entry scripts that a study runs, of those of the whole workflow."""
    unused: set[str] = set()
    if config.outcomes != "observed" or len(config.definitions()) < 2:
        unused.update(OF_DEFINITIONS)
    if config.model is not None:
        unused.update(OF_TRAINING)
    if not config.names("external"):
        unused.add("update_model")
    return {script: name for script, name in environments.items() if script not in unused}


def records(logs: Path, plan: StudyPlan) -> list[JobRecord]:
    """Read the log of every job of the plan; a job without a log has a record without versions.

    Parameters
    ----------
    logs
        The study's folder of logs.
    plan
        Jobs that count; other logs are of an earlier plan of the study.
    """
    found = list(_records(logs, plan))
    known = {record.job for record in found}
    absent = [job for job in _expected(known, plan) if job not in known]
    return found + [JobRecord(job, job.partition("/")[0], "", None) for job in absent]


def _expected(known: Collection[str], plan: StudyPlan) -> Iterator[str]:
    """Jobs of the plan, as far as the logs of others show what a script's logs are named after."""
    for script in sorted(set(plan.environments) - set(LATER)):
        wildcards = [job.split("/")[1:] for job in known if job.startswith(f"{script}/")]
        below = {(len(parts), parts[0] in plan.centers) for parts in wildcards}
        if (1, True) in below:
            yield from (f"{script}/{center}" for center in sorted(plan.centers))
        if (1, False) in below:
            yield from (f"{script}/{design}" for design in sorted(plan.splits))
        ends = {"/".join(parts[2:]) for parts in wildcards if parts[0] in plan.splits}
        if below & {(2, False), (3, False)}:
            for design, splits in sorted(plan.splits.items()):
                yield from (
                    f"{script}/{design}/{s}/{end}".rstrip("/") for s in splits for end in ends
                )
        if not wildcards and script not in known:
            yield script


def _records(logs: Path, plan: StudyPlan) -> Iterator[JobRecord]:
    imports: dict[str, set[str]] = {}
    for file in sorted(logs.rglob("*.log")):
        job = str(file.relative_to(logs).with_suffix(""))
        script = job.partition("/")[0]
        if script in LATER or not plan.includes(job):
            continue
        if script not in imports:
            imports[script] = fingerprints.imported_packages(script)
        with file.open(encoding="utf-8", errors="replace") as lines:
            slurm = re.search(r"SLURM job (\d+)", lines.read(500))
        recorded = versions.read(file, imports[script])
        yield JobRecord(job, script, slurm[1] if slurm else "", recorded)


def by_environment(jobs: list[JobRecord], plan: StudyPlan) -> dict[str, dict[str, str]]:
    """Return the versions in each environment; where jobs differ, all of them (``1.0 and 1.1``)."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for record in jobs:
        if record.versions:
            found.setdefault(plan.environments[record.script], []).append(record.versions)
    return {name: versions.merge(several) for name, several in sorted(found.items())}


def conflicts(jobs: list[JobRecord]) -> dict[str, dict[str, list[str]]]:
    """Return the packages of which the study's jobs used several versions, with the rules of each."""
    rules: dict[str, dict[str, set[str]]] = {}
    for record in jobs:
        for package, version in (record.versions or {}).items():
            rules.setdefault(package, {}).setdefault(version, set()).add(record.script)
    return {
        package: {version: sorted(names) for version, names in sorted(found.items())}
        for package, found in sorted(rules.items())
        if len(found) > 1
    }


def describe(
    *, config: Mapping[str, Any], seed: int, inputs: Mapping[str, str], logs: Path, plan: StudyPlan
) -> Provenance:
    """Return the content of ``provenance.json``.

    Parameters
    ----------
    config
        The config without what must stay at the centers.
    seed
        The study's seed.
    inputs
        Hash of each input file.
    logs
        Folder of the jobs' logs, which name versions and SLURM jobs.
    plan
        Which jobs the study consists of.
    """
    jobs = records(logs, plan)
    launcher = versions.installed(LAUNCHER)
    launcher.pop("python")  # that of this job's environment
    return Provenance(
        thyrocast=thyrocast.__version__,
        contract=files.VERSION,
        code=fingerprints.workflow_version(),
        commit=fingerprints.commit(),
        config=dict(config),
        inputs=dict(inputs),
        seed=seed,
        slurm_jobs={record.job: record.slurm for record in jobs if record.slurm},
        system=platform.platform(),
        versions=by_environment(jobs, plan) | {"launcher": launcher},
        version_conflicts=conflicts(jobs),
        jobs_without_versions=[record.job for record in jobs if record.versions is None],
    )
