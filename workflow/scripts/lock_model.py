"""Bundle the model of all development patients, with a hash of every file."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.cluster import provenance
from thyrocast.planning import fingerprints


def run(
    cohort: Path,
    splits: Path,
    weights: Mapping[str, Path],
    signature: Path,
    thresholds: Path,
    config: Mapping[str, Any],
    files: Path,
    manifest: Path,
) -> None:
    """Copy what prediction needs into ``files`` and describe it in ``manifest``."""
    shutil.rmtree(files, ignore_errors=True)
    shutil.copytree(signature, files / "signature")
    for member, source in weights.items():
        (files / "network" / member).mkdir(parents=True)
        shutil.copyfile(source, files / "network" / member / source.name)
    shutil.copyfile(thresholds, files / thresholds.name)
    trained = {
        row["patient"]
        for row in fileio.read_csv(splits)
        if row["design"] == "external" and row["set"] == "train"
    }
    patients = [row for row in fileio.read_csv(cohort) if row["patient"] in trained]
    fileio.write_json(
        manifest,
        {
            "files": {
                str(file.relative_to(files)): fingerprints.file_hash(file)
                for file in sorted(files.rglob("*"))
                if file.is_file()
            },
            "config": provenance.public(config),
            "training_cohort": {
                center: _summary([row for row in patients if row["center"] == center])
                for center in sorted({row["center"] for row in patients})
            },
            "commit": provenance.commit(Path(__file__).parent),
            "versions": provenance.versions(("torch", "torchvision", "scikit-learn", "skops")),
        },
    )


def _summary(rows: Sequence[Mapping[str, str]]) -> dict[str, int]:
    return {"patients": len(rows), "cured": sum(row["outcome"] == "1" for row in rows)}


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        weights=dict(
            zip(snakemake.params.members, map(Path, snakemake.input.weights), strict=True)
        ),
        signature=Path(snakemake.input.signature),
        thresholds=Path(snakemake.input.thresholds),
        config=snakemake.params.config,
        files=Path(snakemake.output.files),
        manifest=Path(snakemake.output.manifest),
    )
