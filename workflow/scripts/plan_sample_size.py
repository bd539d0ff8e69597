"""Compare the size of the study with Riley's criteria, before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.deployment import APPLIED_PATIENTS
from thyrocast.contract.evaluation import SAMPLE_SIZE
from thyrocast.contract.site_names import APART
from thyrocast.contract.splits import SPLITS
from thyrocast.evaluation import sample_size

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    output: Path,
    config: EvaluationConfig,
    signature: SignatureConfig,
    applied: Path | None = None,
) -> None:
    """Write the table `SAMPLE_SIZE`.

    Parameters
    ----------
    cohort, splits
        Tables `COHORT` and `SPLITS`.
    output
        The table to write.
    config, signature
        Blocks of the config.
    applied
        Table `APPLIED_PATIENTS` of a locked model: whoever is scored apart does not count.
    """
    patients = io.read(COHORT, cohort)
    if applied is not None:
        flagged = io.read(APPLIED_PATIENTS, applied)
        apart = flagged.loc[flagged["standing"].isin(APART), "patient"]
        patients = patients[~patients["patient"].isin(apart)]
    found = sample_size.plan(
        patients,
        io.read(SPLITS, splits),
        config.sample_size,
        config.confidence,
        signature,
    )
    io.write(SAMPLE_SIZE, found, output)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        cohort=Path(snakemake.input.cohort),
        applied=Path(snakemake.input.applied) if snakemake.input.applied else None,
        splits=Path(snakemake.input.splits),
        output=Path(snakemake.output.sample_size),
        config=EvaluationConfig.read(snakemake.params.settings),
        signature=SignatureConfig.read(snakemake.params.signature),
    )
