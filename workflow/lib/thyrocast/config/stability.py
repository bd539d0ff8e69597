"""Config of the assessment of stability."""

from typing import Annotated

from thyrocast.config.base import Block, Distinct, option
from thyrocast.config.signature import Head
from thyrocast.contract.names import Design

#: Bootstrap samples to which the models are fitted several times, and how often.
REPEATED, FITS = 20, 3
#: Job that fits the models to the training set itself only.
ORIGINAL = "0"


class StabilityConfig(Block):
    """How far predictions, selected features and performance move if the models are fitted again.

    Networks are trained again with other seeds if `network_seeds` asks for it, never with other patients.
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

    network_seeds: int = option(
        "How often the networks of the design are trained again, each time with another seed of their "
        "initial weights, their order of patients and their augmentation. Their variance is then reported, and "
        "what averaging of several trainings gives.",
        0,
        unit="trainings",
        ge=0,
        le=100,
    )
    network_hours: float = option(
        "Largest expected time of these trainings in all; more is refused before one starts. The time of the "
        "study's own trainings is used if they are done, otherwise what their jobs request. Trainings that are "
        "done and need no repetition do not count.",
        24.0,
        unit="hours of a GPU, or of a job without GPU",
        gt=0,
        le=100_000,
    )

    def trainings(self) -> list[str]:
        """Return the names of the trainings with other seeds."""
        return [str(number) for number in range(1, self.network_seeds + 1)]

    def fits(self) -> list[tuple[int, int]]:
        """Return sample and number of each fit; sample 0 is the training set itself."""
        again = [(draw, fit) for fit in range(1, FITS) for draw in range(1, REPEATED + 1)]
        return [(draw, 0) for draw in range(self.resamples + 1)] + again

    def jobs(self) -> list[str]:
        """Return the names of the jobs of a split."""
        count = -(-len(self.fits()) // self.refits_per_job)
        return [str(number) for number in range(1, count + 1)]

    def of_job(self, job: str) -> list[tuple[int, int]]:
        """Return the fits of a job; that of `ORIGINAL` is the one to the training set itself."""
        if job == ORIGINAL:
            return [(0, 0)]
        start = (int(job) - 1) * self.refits_per_job
        return self.fits()[start : start + self.refits_per_job]
