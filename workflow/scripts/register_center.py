"""Include or exclude, with the reason, every patient of a center's table or images."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import identity, log
from thyrocast.cohort import registration
from thyrocast.cohort.eligibility import NO_IDENTIFIER
from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.contract.names import Source
from thyrocast.planning.ledger import join_ledger

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    center: CenterConfig,
    cohort: CohortConfig,
    key: Path,
    index: Path,
    ledger: Path,
    threads: int,
    register: Path,
    private: Path,
) -> None:
    """Write register.csv and the private tables, and add new patients to the ledger."""
    secret = identity.read_key(key)
    found = registration.register_center(center, cohort, secret, index, threads)
    registration.write(found, register, private)
    table = found.register
    joined = table[(table["source"] != Source.DICOM) & (table["reason"] != NO_IDENTIFIER)]
    join_ledger(ledger, joined["patient"])


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        center=CenterConfig.read(snakemake.params.center),
        cohort=CohortConfig.read(snakemake.params.cohort),
        key=Path(snakemake.params.key),
        index=Path(snakemake.params.index),
        ledger=Path(snakemake.params.ledger),
        threads=snakemake.threads,
        register=Path(snakemake.output.register),
        private=Path(snakemake.output.scans).parent,
    )
