"""Write down code, config, versions, seeds and the fingerprints of what went in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.cluster import provenance
from thyrocast.planning import fingerprints

PACKAGES = (
    "snakemake",
    "snakemake-executor-plugin-slurm",
    "torch",
    "torchvision",
    "scikit-learn",
    "pydicom",
    "pandas",
    "numpy",
    "scipy",
    "grad-cam",
    "matplotlib",
)


def run(inputs: Mapping[str, Path], config: dict[str, Any], logs: Path, output: Path) -> None:
    """Write ``provenance.json``; the fingerprints of the inputs are SHA-256."""
    fileio.write_json(
        output,
        provenance.describe(
            config=provenance.public(config),
            inputs={name: fingerprints.file_hash(file) for name, file in inputs.items()},
            logs=logs,
            packages=PACKAGES,
        ),
    )


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    centers = [center["name"] for center in snakemake.params.config["centers"]]
    tables_in = {
        f"clinical table of {center}": Path(file)
        for center, file in zip(centers, snakemake.input.clinical, strict=True)
    }
    cohort_files = {Path(file).name: Path(file) for file in snakemake.input.cohort}
    run(
        inputs=tables_in | cohort_files,
        config=snakemake.params.config,
        logs=Path(snakemake.params.logs),
        output=Path(snakemake.output.provenance),
    )
