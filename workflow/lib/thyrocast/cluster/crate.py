"""A Workflow Run RO-Crate of a study: what was computed, by which code, on which machine.

See Leo et al. 2024, "Recording provenance of workflow runs with RO-Crate" (PLoS ONE 19:e0309210). The
crate contains aggregate results and the workflow itself. It contains no image, no table with a row
per patient, and of the config only what may leave a site.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from thyrocast import fileio
from thyrocast.cluster.jobs import JobRun
from thyrocast.contract.documents import Provenance
from thyrocast.contract.table import File, Table
from thyrocast.planning import derived

#: What the crate conforms to.
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = {"resourceUsage": "https://w3id.org/ro/terms/workflow-run#resourceUsage"}
SNAKEMAKE = "https://snakemake.github.io"
LICENSE = "https://spdx.org/licenses/MIT"
# Of the project, next to workflow/Snakefile.
SOURCES = ("workflow", "envs")
_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*")


def write(
    folder: Path,
    *,
    study: str,
    project: Path,
    provenance: Provenance,
    tables: Sequence[tuple[Table | File, Path]],
    jobs: Sequence[JobRun],
    environments: Mapping[str, str],
) -> None:
    """Write the crate of a study.

    Parameters
    ----------
    folder
        The crate; an earlier one is replaced.
    study
        Name of the study.
    project
        Folder with ``workflow/`` and ``envs/``.
    provenance
        Record of code, config and versions.
    tables
        Aggregate results with their declarations.
    jobs
        Every job with its machine, time, memory and versions.
    environments
        Environment of each entry script: the name of its file in ``envs/``.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in SOURCES:
        shutil.copytree(project / name, folder / name, ignore=_NOT_COPIED)
    fileio.write_json(folder / "config.json", provenance.config)
    fileio.write_json(folder / "provenance.json", provenance.model_dump(mode="json", by_alias=True))
    crate = ROCrate(version="1.1")  # on which the profiles are based
    crate.metadata.extra_terms.update(TERMS)
    _describe_root(crate, study, provenance, jobs)
    workflow = _add_workflow(crate, folder, provenance)
    config = _add_file(crate, folder / "config.json", "config.json", "Config of the study")
    results = [
        _add_file(crate, path, f"results/{path.name}", declared.meaning)
        for declared, path in tables
    ]
    results.append(
        _add_file(
            crate, folder / "provenance.json", "provenance.json", "Code, versions, hashes of inputs"
        )
    )
    run = _action(
        crate,
        "#run",
        f"Run of study {study}",
        workflow,
        min(j.start for j in jobs).isoformat(),
        max(j.end for j in jobs).isoformat(),
    )
    run["object"] = [config, *_inputs(crate, provenance)]
    run["result"] = results
    crate.root_dataset["mentions"] = [run, *_job_actions(crate, provenance, jobs, environments)]
    crate.write(folder)


def _describe_root(
    crate: ROCrate, study: str, provenance: Provenance, jobs: Sequence[JobRun]
) -> None:
    root = crate.root_dataset
    crate.name = f"thyrocast: study {study}"
    crate.description = (
        "Aggregate results of a study that predicts from thyroid scintigrams whether the first "
        "radioiodine therapy of Graves' disease succeeds, with the workflow that computed them."
    )
    # Of the results, not of this file, so that the same study gives the same crate.
    root["datePublished"] = max(job.end for job in jobs).date().isoformat()
    license_ = {"@type": "CreativeWork", "name": "MIT License", "description": "Of the workflow"}
    root["license"] = crate.add(ContextEntity(crate, LICENSE, properties=license_))
    root["conformsTo"] = [
        crate.add(
            ContextEntity(
                crate,
                address,
                properties={
                    "@type": "CreativeWork",
                    "name": name,
                    "version": address.split("/")[-1],
                },
            )
        )
        for address, name in PROFILES.items()
    ]
    root["version"] = provenance.code


def _add_workflow(crate: ROCrate, folder: Path, provenance: Provenance) -> Any:
    workflow = crate.add_workflow(
        folder / "workflow" / "Snakefile",
        "workflow/Snakefile",
        main=True,
        lang="snakemake",
        lang_version=provenance.versions.get("launcher", {}).get("snakemake"),
        properties={
            "name": f"thyrocast {provenance.thyrocast}",
            "version": provenance.code,
            "encodingFormat": "text/plain",
        },
    )
    workflow["license"] = {"@id": LICENSE}
    for name, meaning in (("workflow", "Rules and Python package"), ("envs", "Conda environments")):
        properties = {"name": name, "description": meaning}
        crate.add_dataset(folder / name, f"{name}/", properties=properties)
    return workflow


def _add_file(crate: ROCrate, path: Path, name: str, meaning: str) -> Any:
    kinds = {".csv": "text/csv", ".json": "application/json", ".html": "text/html"}
    return crate.add_file(
        path,
        name,
        properties={
            "name": path.name,
            "description": meaning,
            "encodingFormat": kinds[path.suffix],
            "contentSize": str(path.stat().st_size),
        },
    )


def _inputs(crate: ROCrate, provenance: Provenance) -> list[Any]:
    """Return the inputs, which stay where they are: name and SHA-256."""
    return [
        crate.add(
            ContextEntity(
                crate,
                f"#input-{number}",
                properties={
                    "@type": "PropertyValue",
                    "name": name,
                    "value": digest,
                    "description": "SHA-256 of an input that is not part of the crate",
                },
            )
        )
        for number, (name, digest) in enumerate(sorted(provenance.inputs.items()))
    ]


def _tools(
    crate: ROCrate,
    provenance: Provenance,
    jobs: Sequence[JobRun],
    environments: Mapping[str, str],
) -> dict[tuple[str, str], Any]:
    """Add what ran the jobs: each rule, once for each set of package versions that its jobs recorded.

    Its environment and packages are its ``softwareRequirements``.

    Returns
    -------
    dict
        The rule's entity, by rule and versions (`_packages`).
    """
    tools: dict[tuple[str, str], Any] = {}
    for job in jobs:
        identity = (job.rule, _packages(job))
        if identity in tools:
            continue
        number = 1 + sum(rule == job.rule for rule, _ in tools)
        name = f"#rule-{job.rule}{f'-{number}' if number > 1 else ''}"
        tool = _software(crate, name, f"rule {job.rule}", provenance.code, SNAKEMAKE)
        needed = [
            _software(crate, _address(package, version), package, version, _address(package))
            for package, version in sorted(job.versions.items())
        ]
        if environment := environments.get(derived.script_of(job.rule)):
            entity = _software(
                crate, f"#environment-{environment}", environment, provenance.code, SNAKEMAKE
            )
            entity["description"] = f"Environment of the job, defined by envs/{environment}.yaml"
            needed.insert(0, entity)
        if needed:
            tool["softwareRequirements"] = needed
        tools[identity] = tool
    return tools


def _packages(job: JobRun) -> str:
    return " ".join(f"{name}={version}" for name, version in sorted(job.versions.items()))


def _address(package: str, version: str = "") -> str:
    """Return the page of a package or of one of its versions, which identifies it."""
    if package == "python":
        page = "https://www.python.org/downloads"
        return f"{page}/release/python-{version.replace('.', '')}" if version else page
    return f"https://pypi.org/project/{package}/{version}"


def _software(crate: ROCrate, identifier: str, name: str, version: str, url: str) -> Any:
    """Return a program's entity; it is added if there is none of that identifier."""
    properties = {"@type": "SoftwareApplication", "name": name, "url": url, "version": version}
    known = crate.dereference(identifier)
    return known or crate.add(ContextEntity(crate, identifier, properties=properties))


def _job_actions(
    crate: ROCrate,
    provenance: Provenance,
    jobs: Sequence[JobRun],
    environments: Mapping[str, str],
) -> list[Any]:
    tools = _tools(crate, provenance, jobs, environments)
    actions = []
    for job in jobs:
        action = _action(
            crate,
            f"#job-{job.name}",
            job.name,
            tools[job.rule, _packages(job)],
            job.start.isoformat(),
            job.end.isoformat(),
        )
        usage = [_property(crate, job.name, name, value, unit) for name, value, unit in _usage(job)]
        if usage:
            action["resourceUsage"] = usage
        actions.append(action)
    return actions


def _usage(job: JobRun) -> list[tuple[str, str, str]]:
    """Return what is known about a job's machine, time and memory: name, value, unit."""
    numbers = (
        ("wall time", job.seconds, "s"),
        ("processor time", job.cpu_seconds, "s"),
        ("peak memory", job.memory_mb, "MB"),
        ("estimated energy of processor and memory", job.energy_wh, "Wh"),
    )
    words = (("node", job.node), ("SLURM job", job.slurm), ("GPU", job.gpu))
    found = [(name, f"{value:.4g}", unit) for name, value, unit in numbers if value is not None]
    return found + [(name, value, "") for name, value in words if value]


def _property(crate: ROCrate, job: str, name: str, value: str, unit: str) -> Any:
    properties = {"@type": "PropertyValue", "name": name, "value": value}
    if unit:
        properties["unitText"] = unit
    identifier = f"#{job}-{name.replace(' ', '-')}"
    return crate.add(ContextEntity(crate, identifier, properties=properties))


def _action(
    crate: ROCrate, identifier: str, name: str, instrument: Any, start: str, end: str
) -> Any:
    action = crate.add(
        ContextEntity(
            crate,
            identifier,
            properties={
                "@type": "CreateAction",
                "name": name,
                "description": f"{name}, from the first to the last entry of its log",
                "startTime": start,
                "endTime": end,
                "actionStatus": "http://schema.org/CompletedActionStatus",
            },
        )
    )
    action["instrument"] = instrument
    return action
