"""Decide for every patient of a center's table or images who is in the study, and why not."""

from pathlib import Path
from typing import Any

import library  # noqa: F401
from thyrocast import identity, log
from thyrocast.cohort.registration import NO_IDENTIFIER, register_center, write
from thyrocast.planning import ledger as ledgers


def run(
    clinical: Path,
    dicom: Path,
    center: dict[str, Any],
    settings: dict[str, Any],
    key: Path,
    index: Path,
    ledger: Path,
    threads: int,
    register: Path,
    scans: Path,
) -> None:
    """Write register.csv and the private scans.csv, and let new patients join the ledger."""
    registration = register_center(
        clinical, dicom, center, settings, identity.load_key(key), index, threads
    )
    write(registration, register, scans)
    ledgers.join_ledger(
        ledger,
        [
            row["patient"]
            for row in registration.register
            if row["source"] != "dicom" and row["reason"] != NO_IDENTIFIER
        ],
    )


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        clinical=Path(snakemake.input.clinical),
        dicom=Path(snakemake.params.center["dicom"]),
        center=snakemake.params.center,
        settings=snakemake.params.cohort,
        key=Path(snakemake.params.key),
        index=Path(snakemake.params.index),
        ledger=Path(snakemake.params.ledger),
        threads=snakemake.threads,
        register=Path(snakemake.output.register),
        scans=Path(snakemake.output.scans),
    )
