"""Verify a locked model, and copy exactly the bytes that were verified."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.errors import InputError
from thyrocast.image import encoder, gland_network
from thyrocast.locked import verify
from thyrocast.planning import fingerprints

if TYPE_CHECKING:
    from snakemake.script import snakemake

logger = logging.getLogger("thyrocast")


def run(model: Path, expected: str, folder: Path) -> None:
    """Copy the model to ``folder``.

    Parameters
    ----------
    model
        Folder or zip archive of the locked model.
    expected
        Hash of the model that the config was read with.
    folder
        Its previous content is deleted.
    """
    manifest = verify.unpack(model, folder)
    if manifest.hash != expected:
        raise InputError(
            f"locked model {model}: was replaced while the workflow runs: run it again"
        )
    used = manifest.preprocessing
    for purpose, theirs, ours in (
        ("finds the gland", used.gland_network, gland_network.WEIGHTS_SHA256),
        ("reads quantities", used.encoder, encoder.WEIGHTS_SHA256),
    ):
        if theirs != ours:
            raise InputError(
                f"locked model {model}: its images were standardized with another network that {purpose} "
                f"({theirs[:12]}, this version has {ours[:12]}): use the version of thyrocast of the "
                f"model, {manifest.thyrocast}"
            )
    if manifest.preprocessing.code != fingerprints.code_version("standardize_images"):
        logger.warning(
            "the code that standardizes images differs from that of the model (thyrocast %s): compare "
            "deployment/patients.csv",
            manifest.thyrocast,
        )
    logger.info("locked model %s, of thyrocast %s", manifest.hash, manifest.thyrocast)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        Path(snakemake.params.model),
        snakemake.params.hash,
        Path(snakemake.output.manifest).parent,
    )
