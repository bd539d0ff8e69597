"""How long the networks that are trained again for the assessment of stability would take."""

import csv
import itertools
import math
from collections.abc import Collection, Sequence
from pathlib import Path

from thyrocast.config.study import StudyConfig
from thyrocast.errors import InputError


def absent(
    folder: Path, splits: Collection[str], trainings: Sequence[str], members: int
) -> list[int]:
    """Return how many networks of each training are not trained: those of splits without embeddings.

    Their weights are deleted, and the models that are fitted to the embeddings may be missing.

    Parameters
    ----------
    folder
        Folder of the design's splits.
    splits, trainings
        Names of the splits and of the trainings.
    members
        Networks of a split.
    """
    return [
        members
        * sum(
            not (folder / split / "retrained" / one / "embeddings.npy").exists() for split in splits
        )
        for one in trainings
    ]


def check(
    study: StudyConfig, absent: Sequence[int], benchmarks: Path, requested_minutes: int
) -> None:
    """Stop if the trainings would take longer than `stability.network_hours`.

    Parameters
    ----------
    study
        The config.
    absent
        Networks that are not trained yet, of each training in the order of their seeds.
    benchmarks
        Folder with the times of the study's own trainings of the same design, if they are done.
    requested_minutes
        What the job of a training requests, if they are not.

    Raises
    ------
    InputError
        With the expected time, and what to change.
    """
    known = measured(benchmarks)
    of_each = known or requested_minutes / 60
    if study.network.gpus:
        of_each *= study.network.gpus
    unit = "GPU hours" if study.network.gpus else "hours"
    networks = sum(absent)
    expected, most = networks * of_each, study.stability.network_hours
    if expected <= most:
        return
    source = "as this study's own trainings took" if known else "as a training requests"
    fitting = sum(total * of_each <= most for total in itertools.accumulate(absent))
    raise InputError(
        f"key stability.network_seeds: {networks} networks of {of_each:.2g} {unit} each, {source}, take "
        f"about {expected:.3g} {unit}, expected at most {most:g} (stability.network_hours): lower "
        f"stability.network_seeds to {fitting}, or raise stability.network_hours to {math.ceil(expected)}"
    )


def measured(benchmarks: Path) -> float | None:
    """Return the mean time of the trainings whose benchmarks are in a folder, hours; None without any."""
    seconds = []
    for path in sorted(benchmarks.rglob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            seconds += [float(row["s"]) for row in csv.DictReader(file, delimiter="\t")]
    return sum(seconds) / len(seconds) / 3600 if seconds else None
