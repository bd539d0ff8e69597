"""Predictions of one model for one set of patients, and how they are gathered from the splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thyrocast.errors import InputError
from thyrocast.statistics import threshold
from thyrocast.statistics.inputs import Booleans, Floats, Integers

Texts = NDArray[np.str_]
#: The study's own models that see the scintigram; the others are the clinical one and comparators.
IMAGE_MODELS = ("network", "signature", "handcrafted", "combined")
Prediction = Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """One model's predictions of patients with a known outcome; every array is (n,)."""

    design: str
    split: str
    model: str
    set: str
    patient: Texts
    center: Texts
    outcome: Booleans
    probability: Floats
    #: Called cured at the threshold of the split; None where no threshold could be chosen.
    decision: Booleans | None = None
    #: Whether the threshold was chosen on these same patients.
    apparent: bool = False
    #: Outcomes that the conformal set does not exclude, (n, 2): not cured and cured.
    possible: Booleans | None = None
    #: The split that made each prediction, where several are joined.
    origin: Texts | None = None

    @property
    def size(self) -> int:
        """Number of predictions."""
        return int(self.outcome.size)

    @property
    def events(self) -> int:
        """Number of cured among them."""
        return int(self.outcome.sum())

    @property
    def patients(self) -> tuple[int, int]:
        """Number of different patients, and of cured among them."""
        return int(np.unique(self.patient).size), int(np.unique(self.patient[self.outcome]).size)

    @property
    def repeated(self) -> bool:
        """Whether a patient was predicted more than once (repeated designs)."""
        return np.unique(self.patient).size < self.size

    @property
    def cluster(self) -> Texts | None:
        """What counts as one: the patients, where some were predicted more than once."""
        return self.patient if self.repeated else None

    @property
    def prediction(self) -> Texts:
        """Name of each prediction, the same for all models: the patient, and the split if joined."""
        if self.origin is None:
            return self.patient
        return np.array([f"{a}/{b}" for a, b in zip(self.origin, self.patient, strict=True)])

    def among(self, members: Booleans | Integers) -> Sample:
        """Take some of the patients, by mask or by places."""
        return replace(
            self,
            patient=self.patient[members],
            center=self.center[members],
            outcome=self.outcome[members],
            probability=self.probability[members],
            decision=None if self.decision is None else self.decision[members],
            possible=None if self.possible is None else self.possible[members],
            origin=None if self.origin is None else self.origin[members],
        )


def read_sample(rows: Sequence[Prediction]) -> Sample | None:
    """Make a sample of the rows of one design, split, model and set; None if nobody has an outcome.

    Raises
    ------
    InputError
        If a probability is not a number from 0 to 1, an outcome not 1, 0 or empty, or a patient
        stands there twice.
    """
    head = rows[0]
    where = f"predictions of {head['design']}/{head['split']}, model {head['model']}"
    names = [row["patient"] for row in rows]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"{where}: patient {twice} stands there twice, expected one row per patient"
        )
    for row in rows:
        if row["outcome"] not in ("0", "1", ""):
            raise InputError(
                f"{where}: patient {row['patient']} has outcome {row['outcome']!r}, "
                "expected 1, 0 or an empty cell"
            )
        check_probability(row["probability"], f"{where}: patient {row['patient']}")
    known = [row for row in rows if row["outcome"]]
    if not known:
        return None
    return Sample(
        head["design"],
        head["split"],
        head["model"],
        head["set"],
        np.array([row["patient"] for row in known]),
        np.array([row["center"] for row in known]),
        np.array([row["outcome"] == "1" for row in known]),
        np.array([float(row["probability"]) for row in known]),
    )


def check_probability(text: str, where: str) -> float:
    """Read the probability in a cell, or raise an InputError that begins with ``where``."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    # A NaN fails the comparison too.
    if not 0 <= value <= 1:
        raise InputError(f"{where} has probability {text!r}, expected a number from 0 to 1")
    return value


def by_model(rows: Iterable[Prediction]) -> dict[tuple[str, str, str], list[Prediction]]:
    """Rows by split, model and set, in the order of their first appearance."""
    found: dict[tuple[str, str, str], list[Prediction]] = {}
    for row in rows:
        found.setdefault((row["split"], row["model"], row["set"]), []).append(row)
    return found


def with_decisions(sample: Sample, chosen: threshold.Threshold | None, train: bool) -> Sample:
    """Add the decisions at a split's threshold; on the training set they are marked apparent."""
    if chosen is None:
        return sample
    decision = chosen.decide(sample.probability, sample.patient, experiment=train)
    return replace(sample, decision=decision, apparent=train and bool(chosen.patients))


def together(samples: Sequence[Sample]) -> Sample:
    """Test predictions of several splits as one sample, called split ``all``.

    Each patient keeps the decision at the threshold of the split that predicted them.
    """
    decisions = [sample.decision for sample in samples if sample.decision is not None]
    possible = [sample.possible for sample in samples if sample.possible is not None]
    return replace(
        samples[0],
        split="all",
        patient=np.concatenate([sample.patient for sample in samples]),
        center=np.concatenate([sample.center for sample in samples]),
        outcome=np.concatenate([sample.outcome for sample in samples]),
        probability=np.concatenate([sample.probability for sample in samples]),
        decision=np.concatenate(decisions) if len(decisions) == len(samples) else None,
        possible=np.concatenate(possible) if len(possible) == len(samples) else None,
        origin=np.concatenate([np.full(sample.size, sample.split) for sample in samples]),
    )
