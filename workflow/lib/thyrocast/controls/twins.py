"""Leaky twins: a small honest analysis of the study's own data, and the same with one fault each.

The honest analysis selects 16 features by their correlation with the outcome, as many as the
published study kept, and fits a logistic regression to them, all in the training set. Every twin has
one fault. The difference is how much this fault inflates the result: with the observed outcomes, and
with outcomes that are permuted in training and test set, where an honest AUC is chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.config.controls import ControlsConfig, Strata
from thyrocast.contract import io
from thyrocast.contract.control_names import LeakyTwin
from thyrocast.contract.controls import TWINS
from thyrocast.contract.names import Metric, Status
from thyrocast.controls import permuting, selected
from thyrocast.controls.inputs import ControlSplit
from thyrocast.statistics import discrimination, intervals, partition
from thyrocast.statistics.inputs import NotEstimableError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Features of the honest analysis.
FEATURES = 16
#: Numbers of features among which the tuned twin chooses.
TRIED = (2, 4, 8, 16, 32, 64)
#: Folds by which training patients are predicted without having been fitted.
FOLDS = 5
#: A second image of a patient: the first one's embedding plus this many standard deviations of noise.
SECOND_IMAGE = 0.5


@dataclass(frozen=True)
class Data:
    """A split's patients, training patients first, with many outcomes.

    Attributes
    ----------
    features : ndarray, (n, p)
        Aligned embeddings.
    full : ndarray, (n, p)
        Embeddings by the network of the first member, which has seen training patients.
    train : ndarray of bool, (n,)
    center : ndarray of str, (n,)
    outcomes : ndarray, (m, n)
        The observed ones, then permutations.
    seed : int
    """

    features: Array
    full: Array
    train: Mask
    center: NDArray[np.str_]
    outcomes: Array
    seed: int

    @property
    def known(self) -> Array:
        """Outcomes of training patients (m, n_train)."""
        return self.outcomes[:, self.train]

    def standardized(self, features: Array, by: Mask) -> Array:
        """Features with mean 0 and standard deviation 1 in some patients."""
        mean, scale = features[by].mean(axis=0), features[by].std(axis=0)
        scale = np.where(scale > 1e-10 * np.abs(mean).max(initial=1e-300), scale, np.inf)
        return np.asarray((features - mean) / scale)


@dataclass(frozen=True)
class Pair:
    """Scores of the same patients by the honest analysis and by a twin.

    Attributes
    ----------
    outcomes, honest, faulty : ndarray, (m, t)
    metric
        AUC of the scores, or accuracy of calling those above 0 cured.
    """

    outcomes: Array
    honest: Array
    faulty: Array
    metric: Metric = Metric.AUC

    def values(self, scores: Array) -> Array:
        """The metric of scores (m, t), for each outcome (m,)."""
        if self.metric is Metric.AUC:
            return permuting.areas(self.outcomes, scores)
        return np.asarray(((scores > 0) == (self.outcomes == 1)).mean(axis=1))


def run(split: ControlSplit, config: ControlsConfig, reported: bool, seed: int) -> pd.DataFrame:
    """Compare the honest analysis of a split with each of its leaky twins; return `TWINS`.

    Parameters
    ----------
    split
        Training and test patients.
    config
        The block of the config.
    reported
        Whether the test set may be reported.
    seed : int
        The study's seed.
    """
    data = gather(split, config, seed)
    train = len(split.train.outcome)
    if not reported or not _usable(data.outcomes[:1], data.train)[0]:
        status = Status.NOT_ESTIMABLE if reported else Status.SUPPRESSED
        note = "one outcome only" if reported else "too few test patients"
        return io.build(TWINS, _empty(split, status, note))
    rows = [
        row
        for fault, twin in _TWINS.items()
        for row in _rows(fault, twin(data), train, config.permutations)
    ]
    return io.build(TWINS, [{"design": split.design, "split": split.split, **row} for row in rows])


def gather(split: ControlSplit, config: ControlsConfig, seed: int) -> Data:
    """The data of a split, with observed and permuted outcomes of all patients."""
    sides = (split.train, split.test)
    center = np.concatenate([side.center for side in sides])
    train = np.repeat([True, False], [len(side.outcome) for side in sides])
    own = seeds.derive(seed, split.design, split.split, "twins")
    permuted = []
    for side, name in zip(sides, ("train", "test"), strict=True):
        strata = side.center if config.strata is Strata.CENTER else None
        # Within each set, as a division that is stratified by outcome would.
        drawn = permuting.permute(
            side.outcome, strata, config.permutations, seeds.derive(own, name)
        )
        permuted.append(np.vstack([side.outcome, drawn]))
    return Data(
        features=np.vstack([side.embeddings for side in sides]),
        full=np.vstack([side.full for side in sides]),
        train=train,
        center=center,
        outcomes=np.hstack(permuted),
        seed=own,
    )


def honest(data: Data, number: int = FEATURES) -> Array:
    """Scores (m, t) of test patients by the honest analysis."""
    z = data.standardized(data.features, data.train)
    train, test = z[data.train], z[~data.train]
    chosen = selected.select(train, data.known, number)
    return selected.scores(train, test, data.known, chosen)


def _test(data: Data, faulty: Array) -> Pair:
    return Pair(data.outcomes[:, ~data.train], honest(data), faulty)


def selection(data: Data) -> Pair:
    """Features are selected by the outcomes of all patients, before the division."""
    z = data.standardized(data.features, data.train)
    chosen = selected.select(z, data.outcomes, FEATURES)
    scores = selected.scores(z[data.train], z[~data.train], data.known, chosen)
    return _test(data, scores)


def tuning(data: Data) -> Pair:
    """The number of features is the one with the greatest AUC in the test set."""
    tested = data.outcomes[:, ~data.train]
    tried = np.stack([honest(data, number) for number in TRIED])
    areas = np.stack([permuting.areas(tested, scores) for scores in tried])
    best = tried[areas.argmax(axis=0), np.arange(len(tested))]
    return _test(data, best)


def scaling(data: Data) -> Pair:
    """Mean and standard deviation of the features are those of all patients."""
    return _scaled(data, data.standardized(data.features, np.ones_like(data.train)))


def harmonization(data: Data) -> Pair:
    """Features are standardized within each center, with all of its patients, before the division."""
    z = np.empty_like(data.features)
    for center in np.unique(data.center):
        own = data.center == center
        z[own] = data.standardized(data.features[own], np.ones(int(own.sum()), dtype=bool))
    return _scaled(data, z)


def _scaled(data: Data, z: Array) -> Pair:
    chosen = selected.select(z[data.train], data.known, FEATURES)
    scores = selected.scores(z[data.train], z[~data.train], data.known, chosen)
    return _test(data, scores)


def duplicates(data: Data) -> Pair:
    """A second image of every test patient is among the training images."""
    z = data.standardized(data.features, data.train)
    random = np.random.default_rng(data.seed)
    second = z[~data.train] + SECOND_IMAGE * random.normal(size=z[~data.train].shape)
    train = np.vstack([z[data.train], second])
    outcomes = np.hstack([data.known, data.outcomes[:, ~data.train]])
    chosen = selected.select(train, outcomes, FEATURES)
    return _test(data, selected.scores(train, z[~data.train], outcomes, chosen))


def in_sample(data: Data) -> Pair:
    """Training patients are scored by what was fitted to them, network included.

    The network is that of the first member: it has seen all folds but one.
    """
    z = data.standardized(data.full, data.train)[data.train]
    chosen = selected.select(z, data.known, FEATURES)
    faulty = selected.scores(z, z, data.known, chosen)
    return Pair(data.known, _left_out(data), faulty)


def threshold(data: Data) -> Pair:
    """The threshold of decisions is the one with the greatest accuracy in the test set."""
    tested, scores = data.outcomes[:, ~data.train], honest(data)
    learned = _cut(data.known, _left_out(data))
    tuned = _cut(tested, scores)
    return Pair(tested, scores - learned[:, None], scores - tuned[:, None], Metric.ACCURACY)


def _left_out(data: Data) -> Array:
    """Scores (m, n_train) of training patients by fits without their fold."""
    features, center = data.features[data.train], data.center[data.train]
    folds = partition.deal(center, FOLDS, data.seed)
    result = np.empty_like(data.known)
    for fold in np.unique(folds):
        used = folds != fold
        z = data.standardized(features, used)
        chosen = selected.select(z[used], data.known[:, used], FEATURES)
        result[:, ~used] = selected.scores(z[used], z[~used], data.known[:, used], chosen)
    return result


def _cut(outcomes: Array, scores: Array) -> Array:
    """The score (m,) above which calling patients cured has the greatest accuracy."""
    order = np.argsort(scores, axis=1)
    ranked = np.take_along_axis(scores, order, axis=1)
    cured = np.take_along_axis(outcomes, order, axis=1)
    # With a cut after k patients, those before are called not cured and the others cured.
    right = np.cumsum(1 - cured, axis=1) + (
        cured.sum(axis=1, keepdims=True) - np.cumsum(cured, axis=1)
    )
    right = np.hstack([cured.sum(axis=1, keepdims=True), right])
    edge = np.hstack([ranked[:, :1] - 1, ranked, ranked[:, -1:] + 1])
    middles = (edge[:, 1:] + edge[:, :-1]) / 2
    return np.asarray(np.take_along_axis(middles, right.argmax(axis=1)[:, None], axis=1)[:, 0])


_TWINS: dict[LeakyTwin, Callable[[Data], Pair]] = {
    LeakyTwin.SELECTION: selection,
    LeakyTwin.TUNING: tuning,
    LeakyTwin.THRESHOLD: threshold,
    LeakyTwin.IN_SAMPLE: in_sample,
    LeakyTwin.DUPLICATES: duplicates,
    LeakyTwin.SCALING: scaling,
    LeakyTwin.HARMONIZATION: harmonization,
}


def _usable(outcomes: Array, train: Mask) -> Mask:
    """Outcomes (m,) of which training and test set have both."""
    found = np.ones(len(outcomes), dtype=bool)
    for side in (train, ~train):
        cured = outcomes[:, side].sum(axis=1)
        found &= (cured > 0) & (cured < side.sum())
    return found


def _rows(
    fault: LeakyTwin, pair: Pair, train: int, permutations: int
) -> Iterator[dict[str, object]]:
    """A row for the observed outcomes, and one for the permuted ones."""
    honest_values, faulty_values = pair.values(pair.honest), pair.values(pair.faulty)
    outcome = pair.outcomes[0]
    common: dict[str, object] = {
        "fault": fault.value, "metric": pair.metric.value, "n_train": train, "n": len(outcome),
        "events": int(outcome.sum()), "status": Status.ESTIMATED.value, "note": "",
    }  # fmt: skip
    low, high = _observed_interval(pair)
    yield common | {
        "outcomes": "observed", "honest": float(honest_values[0]), "faulty": float(faulty_values[0]),
        "inflation": float(faulty_values[0] - honest_values[0]), "ci_low": low, "ci_high": high,
        "permutations": 0,
    }  # fmt: skip
    difference = faulty_values[1:] - honest_values[1:]
    margin = intervals.normal_quantile(0.95) * difference.std(ddof=1) / np.sqrt(len(difference))
    yield common | {
        "outcomes": "permuted", "honest": float(honest_values[1:].mean()),
        "faulty": float(faulty_values[1:].mean()), "inflation": float(difference.mean()),
        "ci_low": float(difference.mean() - margin), "ci_high": float(difference.mean() + margin),
        "permutations": permutations,
    }  # fmt: skip


def _observed_interval(pair: Pair) -> tuple[float | None, float | None]:
    """Interval of the inflation of the observed outcomes; None where it cannot be estimated."""
    outcome, honest_scores, faulty_scores = pair.outcomes[0], pair.honest[0], pair.faulty[0]
    if pair.metric is Metric.AUC:
        try:
            found = discrimination.paired_test(outcome, faulty_scores, honest_scores)
        except NotEstimableError:
            return None, None
        return found.low, found.high
    right = [(scores > 0) == (outcome == 1) for scores in (faulty_scores, honest_scores)]
    change = right[0].astype(float) - right[1]
    margin = intervals.normal_quantile(0.95) * change.std(ddof=1) / np.sqrt(len(change))
    return float(change.mean() - margin), float(change.mean() + margin)


def _empty(split: ControlSplit, status: Status, note: str) -> Iterator[dict[str, object]]:
    for fault in _TWINS:
        for outcomes in ("observed", "permuted"):
            yield dict.fromkeys(TWINS.names) | {
                "design": split.design, "split": split.split, "fault": fault.value, "outcomes": outcomes,
                "metric": (Metric.ACCURACY if fault is LeakyTwin.THRESHOLD else Metric.AUC).value,
                "permutations": 0, "status": status.value, "note": note,
            }  # fmt: skip
