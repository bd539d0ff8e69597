"""Let training begin if every center is ready, or if the config says so."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.check.approval import approve
from thyrocast.config.check import NotReady
from thyrocast.contract import documents
from thyrocast.contract.check import CenterCheck

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(checks: Sequence[Path], not_ready: NotReady, study: str, approval: Path) -> None:
    """Write ``approval.json``, or stop and name the centers that are not ready."""
    found = [documents.read(CenterCheck, path) for path in checks]
    documents.write(approve(found, not_ready, study), approval)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        checks=[Path(path) for path in snakemake.input.checks],
        not_ready=NotReady(snakemake.params.not_ready),
        study=snakemake.params.study,
        approval=Path(snakemake.output.approval),
    )
