"""Train one member: a network that learns P(cured) from its training patients' scintigrams."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.network import NetworkConfig
from thyrocast.network import member as members
from thyrocast.network import parallel

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    *,
    cohort: Path,
    images: Path,
    masks: Path,
    splits: Path,
    weights: Path,
    history: Path,
    design: str,
    split: str,
    member: str,
    settings: NetworkConfig,
    seed: int,
    state: Path,
    threads: int,
    pretrained: Path | None = None,
    job: tuple[str, str, tuple[str, ...]] | None = None,
) -> None:
    """Train the member (`members.fit`) on its GPUs, with one process for each, or on the CPU."""
    work = partial(
        members.fit,
        cohort=cohort,
        images=images,
        masks=masks,
        splits=splits,
        weights=weights,
        history=history,
        design=design,
        split=split,
        member=member,
        settings=settings,
        seed=seed,
        state=state,
        threads=threads,
        pretrained=pretrained,
    )
    parallel.launch(max(1, settings.gpus), work, job or ())


if "snakemake" in globals():
    job = (snakemake.log[0], snakemake.rule, tuple(snakemake.wildcards))
    log.start(*job)
    run(
        cohort=Path(snakemake.input.cohort),
        images=Path(snakemake.input.images),
        masks=Path(snakemake.input.masks),
        splits=Path(snakemake.input.splits),
        weights=Path(snakemake.output.weights),
        history=Path(snakemake.output.history),
        design=snakemake.wildcards.design,
        split=snakemake.wildcards.split,
        member=snakemake.wildcards.member,
        settings=NetworkConfig.read(snakemake.params.settings),
        seed=snakemake.params.seed,
        state=Path(snakemake.params.state),
        threads=snakemake.threads,
        pretrained=Path(snakemake.input.pretrained) if snakemake.input.pretrained else None,
        job=job,
    )
