"""Config of the assessment of stability."""

from typing import Annotated

from thyrocast.config.base import Block, Distinct, option
from thyrocast.config.signature import Head
from thyrocast.contract.names import Design

#: Bootstrap samples to which the models are fitted several times, and how often.
REPEATED, FITS = 20, 3


class StabilityConfig(Block):
    """How far predictions, selected features and performance move if the models are fitted again.

    Networks are not trained again.
    """

    run: bool = option(
        "Whether every run assesses stability. Without it, `snakemake stability` does, and the "
        "report shows it from then on.",
        False,
    )
    design: Design | None = option(
        "Design whose splits are used; by default that with the strongest evidence which the study "
        "runs: external, loco, temporal, kfold, holdout.",
        None,
    )
    resamples: int = option(
        "Bootstrap samples of the training patients; at least 200 are recommended. The models are "
        f"fitted once to each, and {FITS} times to {REPEATED} of them, which separates the effect of the seed.",
        200,
        unit="samples",
        ge=20,
        le=10_000,
    )
    refits_per_job: int = option(
        "Bootstrap samples of a job. All models of a split take 8 to 12 CPU seconds for each with "
        "150 training patients.",
        60,
        unit="refits",
        ge=1,
        le=10_000,
    )
    heads: Annotated[tuple[Head, ...], Distinct] = option(
        "Heads that are fitted again; those that `signature.heads` does not name are left out. "
        "`lasso` and `elastic_net` together add half of the time.",
        (Head.RIDGE,),
    )

    def fits(self) -> list[tuple[int, int]]:
        """Return sample and number of each fit; sample 0 is the training set itself."""
        again = [(draw, fit) for fit in range(1, FITS) for draw in range(1, REPEATED + 1)]
        return [(draw, 0) for draw in range(self.resamples + 1)] + again

    def jobs(self) -> list[str]:
        """Return the names of the jobs of a split."""
        count = -(-len(self.fits()) // self.refits_per_job)
        return [str(number) for number in range(1, count + 1)]

    def of_job(self, job: str) -> list[tuple[int, int]]:
        """Return the fits of a job."""
        start = (int(job) - 1) * self.refits_per_job
        return self.fits()[start : start + self.refits_per_job]
