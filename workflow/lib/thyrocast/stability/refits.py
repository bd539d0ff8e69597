"""A split's models fitted again to bootstrap samples of its training patients.

Everything that is fitted to the embeddings and the columns is fitted again, by the code that fitted the
models of the study: alignment of the members' embeddings, LASSO with its penalty, forest with its
leaf, heads, imputation and penalties of the baselines, scales, recalibration, threshold. The
networks are not trained again: embeddings and log-odds of each member stay as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thyrocast import fileio, seeds
from thyrocast.config.evaluation import ThresholdConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract.names import Model
from thyrocast.signature import fitting
from thyrocast.signature.fitting import SignatureFit
from thyrocast.signature.split import SplitData
from thyrocast.statistics import threshold
from thyrocast.statistics.inputs import NotEstimableError

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Fitted:
    """What b fits of a split's models gave.

    Attributes
    ----------
    draw : ndarray of int, (b,)
        Bootstrap sample of each fit; 0: the training set itself.
    probability : dict of ndarray, (b, t)
        Probability of cure of the split's t test patients, by model.
    cut : dict of ndarray, (b,)
        Decision threshold; NaN if none can be chosen.
    selected : dict of ndarray of bool, (b, p)
        Whether the LASSO selected each feature, by member.
    members : dict of ndarray, (m, t)
        Log-odds of test patients by each member, by model, of the fit to the training set itself; empty if
        that is not among the fits.
    """

    draw: Integers
    probability: dict[Model, Array]
    cut: dict[Model, Array]
    selected: dict[str, NDArray[np.bool_]]
    members: dict[Model, Array] = field(default_factory=dict)


def run(
    data: SplitData,
    embeddings: NDArray[np.float32],
    logits: Mapping[str, Array],
    fits: Sequence[tuple[int, int]],
    config: SignatureConfig,
    rule: ThresholdConfig,
    seed: int,
    threads: int = 1,
) -> Fitted:
    """Fit a split's models to bootstrap samples.

    Parameters
    ----------
    data, embeddings, logits
        As in `signature.fitting.fit`.
    fits
        Sample and number of each fit. Fits of one sample differ in their seed only: in tuning folds
        and forests. Sample 0, fit 0 gives the predictions of the study.
    config
        The signature's block of the config.
    rule
        How the decision threshold is chosen, in the training patients of each sample.
    seed : int
        Seed of the split's signature.
    threads : int
    """
    found, members = [], {}
    for draw, number in fits:
        rows = sample(data, draw, seed)
        own = seed if not (draw or number) else seeds.derive(seed, "stability", draw, number)
        again = SplitData(
            data.cohort.iloc[rows].reset_index(drop=True),
            data.train[rows],
            data.fold[rows],
            data.outcome[rows],
        )
        fitted = fitting.fit(
            again,
            embeddings[:, rows],
            {name: odds[rows] for name, odds in logits.items()},
            config,
            own,
            threads,
            patient=rows,
        )
        if not (draw or number):
            members = {
                name: np.stack([values[~again.train] for values in odds.values()])
                for name, odds in fitted.odds.items()
            }
        found.append(_one(fitted, again, embeddings.shape[2], rule))
        logger.info("fit %d of %d: sample %d, seed %d", len(found), len(fits), draw, number)
    return replace(_joined([draw for draw, _ in fits], found), members=members)


def sample(data: SplitData, draw: int, seed: int) -> Integers:
    """Rows of a bootstrap sample: training patients, with replacement, and all test patients.

    Patients are drawn within the folds, so that every member has patients; those of sample 0 are the
    training set itself.
    """
    rows = np.arange(len(data.train))
    if draw == 0:
        return rows
    random = np.random.default_rng(seeds.derive(seed, "stability", "sample", draw))
    for fold in np.unique(data.fold[data.train]):
        members = np.flatnonzero(data.train & (data.fold == fold))
        rows[members] = random.choice(members, len(members))
    return rows


_One = tuple[dict[Model, Array], dict[Model, float], dict[str, NDArray[np.bool_]]]


def _one(fitted: SignatureFit, data: SplitData, features: int, rule: ThresholdConfig) -> _One:
    """Probabilities of test patients, thresholds and selected features of a fit."""
    train = data.train
    probability = {name: values[~train] for name, values in fitted.probabilities.items()}
    cuts = {
        name: _threshold(data.outcome[train], values[train], rule)
        for name, values in fitted.probabilities.items()
    }
    selected = {}
    for member, models in fitted.images.items():
        selected[member] = np.zeros(features, dtype=np.bool_)
        selected[member][models.fitted.features] = True
    return probability, cuts, selected


def _threshold(outcome: Array, probability: Array, rule: ThresholdConfig) -> float:
    names = np.arange(len(outcome)).astype(np.str_)
    try:
        return threshold.choose(outcome, probability, names, rule.rule, rule.target).value
    except NotEstimableError:
        return np.nan


def _joined(draws: Sequence[int], found: Sequence[_One]) -> Fitted:
    """Fits of a job; a model that a sample does not determine (no predictor) predicts nothing: NaN."""
    models = list(dict.fromkeys(name for probability, _, _ in found for name in probability))
    tested = len(next(iter(found[0][0].values())))
    missing = np.full(tested, np.nan)
    return Fitted(
        np.array(draws, dtype=np.int64),
        {name: np.stack([one[0].get(name, missing) for one in found]) for name in models},
        {name: np.array([one[1].get(name, np.nan) for one in found]) for name in models},
        {member: np.stack([one[2][member] for one in found]) for member in found[0][2]},
    )


def write(fitted: Fitted, path: Path) -> None:
    """Write the fits of a job as arrays."""
    arrays: dict[str, NDArray[np.generic]] = {"draw": fitted.draw}
    arrays |= {f"probability/{name.value}": found for name, found in fitted.probability.items()}
    arrays |= {f"threshold/{name.value}": found for name, found in fitted.cut.items()}
    arrays |= {f"selected/{name}": found for name, found in fitted.selected.items()}
    arrays |= {f"members/{name.value}": found for name, found in fitted.members.items()}
    with fileio.atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read(paths: Sequence[Path]) -> Fitted:
    """Read the fits of all jobs of a split."""
    parts = [_read(path) for path in paths]
    models = list(dict.fromkeys(name for part in parts for name in part.probability))
    tested = next(iter(parts[0].probability.values())).shape[1]

    def of(part: Fitted, name: Model) -> tuple[Array, Array]:
        number = len(part.draw)
        missing = np.full((number, tested), np.nan)
        return part.probability.get(name, missing), part.cut.get(name, missing[:, 0])

    return Fitted(
        np.concatenate([part.draw for part in parts]),
        {name: np.concatenate([of(part, name)[0] for part in parts]) for name in models},
        {name: np.concatenate([of(part, name)[1] for part in parts]) for name in models},
        {
            member: np.concatenate([part.selected[member] for part in parts])
            for member in parts[0].selected
        },
        next((part.members for part in parts if part.members), {}),
    )


def _read(path: Path) -> Fitted:
    with np.load(path, allow_pickle=False) as arrays:

        def under(folder: str) -> dict[str, NDArray[np.generic]]:
            names = [name for name in arrays.files if name.startswith(f"{folder}/")]
            return {name.removeprefix(f"{folder}/"): arrays[name] for name in names}

        return Fitted(
            arrays["draw"].astype(np.int64),
            {Model(name): found.astype(np.float64) for name, found in under("probability").items()},
            {Model(name): found.astype(np.float64) for name, found in under("threshold").items()},
            {name: found.astype(np.bool_) for name, found in under("selected").items()},
            {Model(name): found.astype(np.float64) for name, found in under("members").items()},
        )
