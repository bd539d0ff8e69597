"""Permutation importance of what the models of a design predict from, in its test patients."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import columns, io
from thyrocast.contract.explanation import IMPORTANCE, Permuted
from thyrocast.contract.names import ALL_SPLITS, Model, Status
from thyrocast.evaluation.reported import Tested as Counted
from thyrocast.evaluation.reported import reported
from thyrocast.explanation import correlated
from thyrocast.explanation.swapping import ODDS, Tested
from thyrocast.statistics import discrimination
from thyrocast.statistics import importance as formula
from thyrocast.statistics.importance import Loss

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Parts of `combined`: what comes from the scintigram, and what the clinical table says.
PARTS = {
    "image": (*columns.QUANTITIES, *columns.READING_PREDICTORS, *ODDS),
    "clinical": columns.CLINICAL,
}
_NUMBERS = ("auc_loss", "auc_low", "auc_high", "brier_loss", "brier_low", "brier_high")


@dataclass(frozen=True)
class Split:
    """A split whose test patients have both outcomes, with their donors.

    Attributes
    ----------
    tested
    donors : ndarray of int, (r, n)
        The same for all models and predictors.
    number : ndarray of int, (n,)
        Number of each patient; the same in all splits.
    """

    tested: Tested
    donors: Indices
    number: Indices


@dataclass(frozen=True)
class Unit:
    """What is permuted together.

    Attributes
    ----------
    kind, name, size
        Kind, name and number of predictors.
    names
        The predictors.
    connected
        Name of the set of strongly correlated predictors that it is in, or is; empty if there is none.
    """

    kind: Permuted
    name: str
    size: int
    names: tuple[Any, ...]
    connected: str = ""


def run(
    design: str,
    tested: Sequence[Tested],
    permutations: int,
    least: MinimumCountConfig,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Return the table `IMPORTANCE` of a design.

    Parameters
    ----------
    design
        Its name.
    tested
        Its splits.
    permutations : int
        Most permutations; 0: the table is empty.
    least
        Fewest patients of a reported set.
    confidence : float
    seed : int
        The study's seed.
    """
    known = [one for one in tested if len(one.outcome)]
    if not permutations or not known:
        return io.empty(IMPORTANCE)
    counted = [
        Counted(one.split, _text(one, "patient"), _text(one, "center"), one.outcome)
        for one in known
    ]
    allowed = reported(design, counted, least)
    usable = [one for one in known if one.outcome.any() and not one.outcome.all()]
    numbers = {
        name: n for n, name in enumerate(dict.fromkeys(np.concatenate([_text(one, "patient") for one in known])))
    }  # fmt: skip
    splits = [
        Split(
            one,
            formula.deal(
                len(one.outcome),
                permutations,
                np.random.default_rng(seeds.derive(seed, "importance", design, one.split)),
            ),
            np.array([numbers[name] for name in _text(one, "patient")]),
        )
        for one in usable
    ]
    writer = _Writer(design, known, allowed, confidence)
    rows = [*_signatures(splits, writer)]
    for name in known[0].baselines:
        rows += _baseline(name, splits, writer)
        logger.info("%s: importance of its predictors computed", name)
    return io.build(IMPORTANCE, rows)


def _text(one: Tested, name: str) -> NDArray[np.str_]:
    return one.cohort[name].to_numpy(dtype=np.str_)


@dataclass(frozen=True)
class _Writer:
    """Makes rows of `IMPORTANCE`; those that may not be reported have no numbers."""

    design: str
    known: Sequence[Tested]
    allowed: frozenset[str]
    confidence: float

    def row(
        self,
        model: Model,
        unit: Unit,
        splits: Sequence[Split],
        losses: Sequence[Loss],
        scores: Sequence[Array],
        member: str = "",
    ) -> dict[str, Any]:
        """A row about the splits of a design, or about one member of a split."""
        every = not member
        of = [one for one in self.known if every or one.split == splits[0].tested.split]
        name = ALL_SPLITS if every and len(self.known) > 1 else of[0].split
        row: dict[str, Any] = dict.fromkeys((*_NUMBERS, "auc", "n", "events")) | {
            "design": self.design, "split": name, "model": model.value, "member": member,
            "kind": unit.kind.value, "predictor": unit.name, "predictors": unit.size,
            "connected": unit.connected, "permutations": 0,
            "status": Status.SUPPRESSED.value,
            "note": "too few patients, or a test set with too few could be derived",
        }  # fmt: skip
        if (ALL_SPLITS if every else name) not in self.allowed:
            return row
        outcome = np.concatenate([one.outcome for one in of])
        row |= {"n": len(outcome), "events": int(outcome.sum())}
        if not losses:
            reason = (
                "the same value in all test patients"
                if splits
                else "one outcome only in the test set"
            )
            return row | {"status": Status.NOT_ESTIMABLE.value, "note": reason}
        auc, brier = formula.join(losses, [one.number for one in splits], self.confidence)
        areas = [
            discrimination.auc(one.tested.outcome, score)
            for one, score in zip(splits, scores, strict=True)
        ]
        found = (auc.estimate, auc.low, auc.high, brier.estimate, brier.low, brier.high)
        return row | dict(zip(_NUMBERS, found, strict=True)) | {
            "auc": float(np.mean(areas)), "permutations": min(len(one.donors) for one in splits),
            "status": Status.ESTIMATED.value, "note": "",
        }  # fmt: skip


def _losses(
    splits: Sequence[Split],
    scores: Sequence[Array],
    permuted: Callable[[Split], Array | None],
) -> list[Loss]:
    """The loss in each split: zero where it is not used or does not vary, empty if that is so in all."""
    found = []
    values = [permuted(split) for split in splits]
    if all(changed is None for changed in values):
        return []
    for split, score, changed in zip(splits, scores, values, strict=True):
        if changed is None:
            nothing = np.zeros(len(score))
            found.append(Loss(0.0, 0.0, nothing, nothing))
        else:
            found.append(formula.loss(split.tested.outcome, score, changed, split.donors))
    return found


def _own(split: Split) -> Indices:
    """Every patient as the own donor, (1, n)."""
    return np.arange(len(split.tested.outcome))[None]


def _baseline(name: Model, splits: Sequence[Split], writer: _Writer) -> Iterator[dict[str, Any]]:
    used = {split.tested.split: split.tested.sources(name) for split in splits}
    sources = list(dict.fromkeys(source for found in used.values() for source in found))
    if not splits:
        yield writer.row(name, Unit(Permuted.ALL, "all", 0, ()), [], [], [])
        return
    scores = [split.tested.baseline(name, (), _own(split))[0] for split in splits]
    values = pd.concat([split.tested.values(sources) for split in splits], ignore_index=True)
    for unit in _units(sources, values, PARTS if name is Model.COMBINED else {}):

        def permuted(split: Split, names: tuple[str, ...] = unit.names) -> Array | None:
            own = [one for one in names if one in used[split.tested.split]]
            varies = own and len(split.tested.values(own).drop_duplicates()) > 1
            return split.tested.baseline(name, own, split.donors) if varies else None

        yield writer.row(name, unit, splits, _losses(splits, scores, permuted), scores)


def _units(
    sources: Sequence[str], values: pd.DataFrame, parts: Mapping[str, Sequence[str]]
) -> Iterator[Unit]:
    """Parts first, then every predictor, then the sets of strongly correlated ones."""
    for name, columns_of in parts.items():
        own = tuple(source for source in sources if source in columns_of)
        if own:
            yield Unit(Permuted.PART, name, len(own), own)
    sets = correlated.sets(values)
    connected = {source: found[0] for found in sets for source in found}
    for source in sources:
        yield Unit(Permuted.PREDICTOR, source, 1, (source,), connected.get(source, ""))
    for found in sets:
        yield Unit(Permuted.CORRELATED, found[0], len(found), tuple(found), found[0])


def _signatures(splits: Sequence[Split], writer: _Writer) -> Iterator[dict[str, Any]]:
    """All features of an image together, and the features of each member of each split."""
    model = Model.SIGNATURE
    scores = [split.tested.signature(_own(split))[0] for split in splits]
    size = max((len(f) for s in splits for f in s.tested.features.values()), default=0)
    every = Unit(Permuted.ALL, "all", size, ())
    losses = _losses(splits, scores, lambda split: split.tested.signature(split.donors))
    yield writer.row(model, every, splits, losses, scores)
    for split in splits:
        for member, values in split.tested.features.items():
            indices = split.tested.model.members[member].signature.features
            own = split.tested.member_signature(member, (), _own(split))[0]
            table = pd.DataFrame(values, columns=[str(index) for index in indices])
            place = {name: n for n, name in enumerate(table.columns)}
            for unit in _units(list(table.columns), table, {}):
                places = [place[one] for one in unit.names]
                changed = split.tested.member_signature(member, places, split.donors)
                loss = formula.loss(split.tested.outcome, own, changed, split.donors)
                yield writer.row(model, unit, [split], [loss], [own], member)
