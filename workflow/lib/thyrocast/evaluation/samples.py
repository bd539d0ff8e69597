"""Samples: the predictions of one model for one set of patients."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract.names import ALL_SPLITS, Design, GroupKind, Set
from thyrocast.statistics.inputs import Booleans, Floats, Integers

Texts = NDArray[np.str_]
#: Split and model.
Key = tuple[str, str]


@dataclass(frozen=True)
class Group:
    """A group of patients: all, a center, or a subgroup.

    Attributes
    ----------
    kind
        What kind of group it is.
    variable
        Column of the cohort that defines a subgroup; empty otherwise.
    name
        Center or subgroup; empty for all patients.
    """

    kind: GroupKind
    variable: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """Text that identifies the group. It seeds random numbers: changing it changes results."""
        if self.kind is GroupKind.POOLED:
            return "pooled"
        if self.kind is GroupKind.CENTER:
            return f"center:{self.name}"
        return f"subgroup:{self.variable}={self.name}"


POOLED = Group(GroupKind.POOLED)


@dataclass(frozen=True, eq=False)
class Sample:
    """Predictions of one model for patients with a known outcome.

    Attributes
    ----------
    design, split, model, set
        As in the tables.
    patient, center : ndarray of str, (n,)
        Pseudonym and center of each prediction.
    outcome : ndarray of bool, (n,)
        True = cured.
    probability : ndarray of float, (n,)
        Predicted probability of cure.
    group
        The group of patients that it contains.
    decision : ndarray of bool, (n,), or None
        Called cured at the threshold of the split; None if no threshold could be chosen.
    apparent
        Whether the threshold was chosen on these same patients.
    youden : ndarray of bool, (n,), or None
        Called cured at Youden's threshold, if that is not the threshold of the config.
    possible : ndarray of bool, (n, 2), or None
        Outcomes in the conformal prediction set: not cured, cured; None without sets.
    origin : ndarray of str, (n,), or None
        Split of each prediction if several splits are joined.
    signals
        For each split, whether the model ranks its training patients better than chance; empty if
        that is not known.
    """

    design: Design
    split: str
    model: str
    set: Set
    patient: Texts
    center: Texts
    outcome: Booleans
    probability: Floats
    group: Group = POOLED
    decision: Booleans | None = None
    apparent: bool = False
    possible: Booleans | None = None
    youden: Booleans | None = None
    origin: Texts | None = None
    signals: tuple[bool, ...] = ()

    @property
    def size(self) -> int:
        """Number of predictions."""
        return int(self.outcome.size)

    @functools.cached_property
    def patients(self) -> int:
        """Number of different patients."""
        return int(np.unique(self.patient).size)

    @functools.cached_property
    def events(self) -> int:
        """Number of different cured patients."""
        return int(np.unique(self.patient[self.outcome]).size)

    @property
    def repeated(self) -> bool:
        """Whether some patients were predicted more than once (repeated designs)."""
        return self.patients < self.size

    @property
    def cluster(self) -> Texts | None:
        """Patient of each prediction if some were predicted more than once, otherwise None."""
        return self.patient if self.repeated else None

    @property
    def prediction(self) -> Texts:
        """Name of each prediction, the same for all models: the patient, with the split if joined."""
        if self.origin is None:
            return self.patient
        return np.array([f"{a}/{b}" for a, b in zip(self.origin, self.patient, strict=True)])

    def among(self, members: Booleans | Integers, group: Group | None = None) -> Sample:
        """Select predictions by mask, (n,) of bool, or by index, (m,)."""
        return replace(
            self,
            patient=self.patient[members],
            center=self.center[members],
            outcome=self.outcome[members],
            probability=self.probability[members],
            group=group or self.group,
            decision=None if self.decision is None else self.decision[members],
            possible=None if self.possible is None else self.possible[members],
            youden=None if self.youden is None else self.youden[members],
            origin=None if self.origin is None else self.origin[members],
        )

    def keys(self) -> dict[str, str]:
        """Values of the columns that name a sample in the tables of curves."""
        return {
            "design": self.design,
            "split": self.split,
            "model": self.model,
            "set": self.set,
            "group_kind": self.group.kind,
            "group": self.group.name,
        }


@dataclass(frozen=True)
class Samples:
    """Samples of one design by split and model, in the order of the predictions."""

    train: Mapping[Key, Sample]
    test: Mapping[Key, Sample]

    @property
    def keys(self) -> list[Key]:
        """Splits and models with a sample."""
        return list(dict.fromkeys((*self.train, *self.test)))

    @property
    def splits(self) -> list[str]:
        """Splits with a sample."""
        return list(dict.fromkeys(split for split, _ in (*self.train, *self.test)))

    def of_split(self, split: str, side: Set) -> list[Sample]:
        """Samples of a split and set, one per model."""
        samples = self.train if side is Set.TRAIN else self.test
        return [sample for (name, _), sample in samples.items() if name == split]

    def whole(self) -> list[Sample]:
        """Test predictions of each model in all splits."""
        models = dict.fromkeys(model for _, model in self.test)
        by_model = [[s for (_, name), s in self.test.items() if name == model] for model in models]
        return [found[0] if len(self.splits) == 1 else join(found) for found in by_model]


def read(predictions: pd.DataFrame) -> Samples:
    """Make samples from predictions; patients without an outcome are left out.

    Parameters
    ----------
    predictions
        Table `PREDICTIONS` of one design.
    """
    found: dict[Set, dict[Key, Sample]] = {Set.TRAIN: {}, Set.TEST: {}}
    known = predictions[predictions["outcome"].notna()]
    for key, rows in known.groupby(["design", "split", "model", "set"], sort=False):
        design, split, model, side = (str(name) for name in key)
        found[Set(side)][split, model] = Sample(
            Design(design),
            split,
            model,
            Set(side),
            patient=rows["patient"].to_numpy(dtype=np.str_),
            center=rows["center"].to_numpy(dtype=np.str_),
            outcome=rows["outcome"].to_numpy(dtype=np.int64) == 1,
            probability=rows["probability"].to_numpy(dtype=np.float64),
        )
    return Samples(found[Set.TRAIN], found[Set.TEST])


def join(samples: Sequence[Sample]) -> Sample:
    """Join test predictions of several splits as split `ALL_SPLITS`.

    Each prediction keeps the decision at the threshold of its own split.
    """
    decisions = [sample.decision for sample in samples if sample.decision is not None]
    possible = [sample.possible for sample in samples if sample.possible is not None]
    youden = [sample.youden for sample in samples if sample.youden is not None]
    return replace(
        samples[0],
        split=ALL_SPLITS,
        patient=np.concatenate([sample.patient for sample in samples]),
        center=np.concatenate([sample.center for sample in samples]),
        outcome=np.concatenate([sample.outcome for sample in samples]),
        probability=np.concatenate([sample.probability for sample in samples]),
        decision=np.concatenate(decisions) if len(decisions) == len(samples) else None,
        possible=np.concatenate(possible) if len(possible) == len(samples) else None,
        youden=np.concatenate(youden) if len(youden) == len(samples) else None,
        origin=np.concatenate([np.full(sample.size, sample.split) for sample in samples]),
        signals=tuple(itertools.chain.from_iterable(sample.signals for sample in samples)),
    )
