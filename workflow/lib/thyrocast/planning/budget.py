"""How long the networks that are trained again, for stability and controls, would take."""

import csv
import itertools
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from thyrocast.config.study import StudyConfig
from thyrocast.errors import InputError


@dataclass(frozen=True)
class Budget:
    """Networks that are trained again, and how much time they may take.

    Attributes
    ----------
    key, hours_key
        Keys of the config for their number and for their time.
    hours
        Largest expected time.
    networks
        Networks to train of each unit that `key` counts, in their order.
    others
        Further networks, on which `key` has no influence.
    """

    key: str
    hours_key: str
    hours: float
    networks: Sequence[int]
    others: int = 0


def of_stability(study: StudyConfig, networks: Sequence[int]) -> Budget:
    """Return the budget of trainings with other seeds, whose numbers of networks are given."""
    hours = study.stability.network_hours
    return Budget("stability.network_seeds", "stability.network_hours", hours, networks)


def of_controls(study: StudyConfig, networks: Sequence[int], others: int) -> Budget:
    """Return the budget of trainings on permuted outcomes and, as `others`, on parts of the images."""
    hours = study.controls.networks.hours
    return Budget("controls.networks.permuted", "controls.networks.hours", hours, networks, others)


def absent(folder: Path, splits: Collection[str], names: Sequence[str], members: int) -> list[int]:
    """Return how many networks of each training are not trained: those of splits without a result.

    Their weights are deleted, and the models that are fitted to the embeddings may be missing. What is kept of
    every training are the log-odds.

    Parameters
    ----------
    folder
        Folder of the design's splits.
    splits, names
        Names of the splits, and of the trainings: their folders in that of a split.
    members
        Networks of a split.
    """
    return [
        members * sum(not (folder / split / name / "network.csv").exists() for split in splits)
        for name in names
    ]


def planned(weights: Iterable[str], folder: Path, names: Sequence[str]) -> list[int]:
    """Return how many networks of each training a run would train.

    Parameters
    ----------
    weights
        The outputs of all jobs of the run.
    folder, names
        As in `absent`.
    """
    found = [
        path.relative_to(folder)
        for path in map(Path, weights)
        if path.name == "weights.safetensors" and path.is_relative_to(folder)
    ]
    # SPLIT / name / network / member / weights.safetensors, and a name is a path of its own.
    trained = ["/".join(path.parts[1:-3]) for path in found]
    return [trained.count(name) for name in names]


def check(study: StudyConfig, asked: Budget, benchmarks: Path, requested_minutes: int) -> None:
    """Stop if trainings would take longer than their budget.

    Parameters
    ----------
    study
        The config.
    asked
        What is to be trained.
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
    networks = sum(asked.networks) + asked.others
    expected, most = networks * of_each, asked.hours
    if expected <= most:
        return
    source = "as this study's own trainings took" if known else "as a training requests"
    totals = (asked.others + total for total in itertools.accumulate(asked.networks))
    fitting = sum(total * of_each <= most for total in totals)
    key, advice = asked.key, f"lower {asked.key} to {fitting}"
    if asked.others * of_each > most:
        key, advice = "controls.networks.parts", "ask for fewer parts"
    raise InputError(
        f"key {key}: {networks} networks of {of_each:.2g} {unit} each, {source}, take "
        f"about {expected:.3g} {unit}, expected at most {most:g} ({asked.hours_key}): {advice}, "
        f"or raise {asked.hours_key} to {math.ceil(expected)}"
    )


def measured(benchmarks: Path) -> float | None:
    """Return the mean time of the trainings whose benchmarks are in a folder, hours; None without any."""
    seconds = []
    for path in sorted(benchmarks.rglob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            seconds += [float(row["s"]) for row in csv.DictReader(file, delimiter="\t")]
    return sum(seconds) / len(seconds) / 3600 if seconds else None
