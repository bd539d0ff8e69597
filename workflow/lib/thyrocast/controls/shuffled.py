"""Shuffled outcomes: the models of a design refitted to permuted outcomes of training patients.

If a model's AUC is not above that of refits to permuted outcomes, the model found nothing in the
training outcomes that is useful for test patients. The embeddings stay as they are, shaped by the
observed outcomes: the test is about what is fitted to them. Networks that were trained on permuted outcomes
are compared in the same way (`trained.null`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.config.controls import ControlsConfig, PermutedModel, Strata
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.controls import PERMUTATIONS, SHUFFLED
from thyrocast.contract.names import ALL_SPLITS, Design, Model, Status
from thyrocast.controls import permuting, refits, shown
from thyrocast.controls.inputs import ControlSplit

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
#: Share of the permutations outside of their range, on each side.
TAIL = 0.025


@dataclass(frozen=True)
class Null:
    """AUCs of a model in one test set, or the mean over several.

    Attributes
    ----------
    observed : float
        Of the fit to the observed outcomes.
    permuted : ndarray, (m,)
        Of the fits to permuted outcomes.
    both : ndarray, (m,)
        Of the same fits, if the outcomes of test patients are permuted as well.
    pairs : float
        Number of pairs of a cured and a not cured test patient.
    """

    observed: float
    permuted: Array
    both: Array
    pairs: float


def run(
    splits: Sequence[ControlSplit],
    config: ControlsConfig,
    signature: SignatureConfig,
    least: MinimumCountConfig,
    seed: int,
    threads: int = 1,
    networks: Mapping[str, Null | None] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Permute training outcomes, refit and score every model.

    Parameters
    ----------
    splits
        All splits of one design.
    config, signature
        Blocks of the config.
    least
        Fewest patients of a reported test set.
    seed : int
        The study's seed.
    threads : int
    networks
        Of every split, the result of the networks that were trained on permuted outcomes, if there are any.

    Returns
    -------
    Tables `SHUFFLED` and `PERMUTATIONS`.
    """
    allowed = shown.reported(splits, least)
    found: dict[str, Mapping[str, Null | None]] = {}
    if networks:
        found[Model.NETWORK.value] = networks
    for model in config.models:
        began = time.monotonic()
        found[model.value] = {
            split.split: null(model, split, config, signature, seed, threads) for split in splits
        }
        seconds = time.monotonic() - began
        logger.info("%s: %d permutations in %.0f s", model, config.permutations, seconds)
    rows: list[dict[str, Any]] = []
    permutations: list[dict[str, Any]] = []
    dependent = _share_patients(splits)
    for name, nulls in found.items():
        count = config.networks.permuted if nulls is networks else config.permutations
        shared = {"model": name, "permutations": count, "strata": config.strata.value}
        known = [one for one in nulls.values() if one is not None]
        joined = _mean(known) if known else None
        if len(splits) > 1:
            rows += [
                shared | _row(split.split, nulls[split.split], [split], allowed) for split in splits
            ]
        name_of_all = ALL_SPLITS if len(splits) > 1 else splits[0].split
        every = _row(name_of_all, joined, splits, allowed)
        if dependent and joined and every["status"] == Status.ESTIMATED.value:
            same = nulls is not networks and _by_center(splits[0], config)
            every |= _combined(known, joined if same else None)
        rows.append(shared | every)
        if joined is not None and ALL_SPLITS in allowed:
            permutations += [
                {"design": splits[0].design, "model": name, "permutation": number, "auc": auc}
                for number, auc in enumerate(joined.permuted, start=1)
            ]
    return io.build(SHUFFLED, rows), io.build(PERMUTATIONS, permutations)


def null(
    model: PermutedModel,
    split: ControlSplit,
    config: ControlsConfig,
    signature: SignatureConfig,
    seed: int,
    threads: int = 1,
) -> Null | None:
    """Observed and permuted AUCs of a model in one split.

    Parameters
    ----------
    model, split, config, signature, seed, threads
        As in `run`.

    Returns
    -------
    Null or None
        None if a set has only one outcome, or the model has no predictor.
    """
    train, test = split.train, split.test
    if len(np.unique(train.outcome)) < 2 or len(np.unique(test.outcome)) < 2:
        return None
    permuted, tested = _permuted(split, config, seed)
    outcomes = np.vstack([train.outcome, permuted])
    fitted_seed = seeds.derive(seed, split.design, split.split, "signature")
    scores = refits.scores(model, split, outcomes, signature, fitted_seed, threads)
    if scores is None:
        return None
    found = permuting.areas(test.outcome, scores)
    both = permuting.areas(tested, scores[1:])
    cured = float(test.outcome.sum())
    return Null(float(found[0]), found[1:], both, cured * (len(test.outcome) - cured))


def _permuted(split: ControlSplit, config: ControlsConfig, seed: int) -> tuple[Array, Array]:
    """Permuted outcomes of training and test patients, (permutations, n) each."""
    sides = split.train, split.test
    if _by_center(split, config):
        own = seeds.derive(seed, split.design, "permutations")
        train, test = (
            permuting.permute_by_center(side.outcome, side.center, config.permutations, own)
            for side in sides
        )
        return train, test
    train, test = (
        permuting.permute(
            side.outcome,
            side.center if config.strata is Strata.CENTER else None,
            config.permutations,
            seeds.derive(seed, split.design, split.split, "permutations", name),
        )
        for side, name in zip(sides, ("train", "test"), strict=True)
    )
    return train, test


def _by_center(split: ControlSplit, config: ControlsConfig) -> bool:
    """Whether a center, which is never divided, has the same permutations in all splits of the design."""
    return split.design == Design.LOCO and config.strata is Strata.CENTER


def _share_patients(splits: Sequence[ControlSplit]) -> bool:
    """Whether a patient is in several splits, in training or test."""
    everyone = np.concatenate([side.patient for one in splits for side in (one.train, one.test)])
    return len(np.unique(everyone)) < len(everyone)


def _combined(nulls: Sequence[Null], joined: Null | None) -> dict[str, Any]:
    """P values and range over splits that share patients: twice the mean of the splits' p values, at most 1.

    The AUCs of such splits depend on each other more than those of their permutations do, whose mean varies too little.
    Twice the mean is valid for any dependence (Vovk and Wang, Biometrika 2020;107:791), and so is the mean of the
    splits' expected shortfalls as a range.

    Parameters
    ----------
    nulls
        Of the splits.
    joined
        Their mean, if every patient has the same permuted outcomes in all splits. It then has a `p_value_both` of
        its own, which is exact if predictors do not depend on outcomes, as embeddings do.
    """
    each = [
        [permuting.p_value(one.observed, values) for values in (one.permuted, one.both)]
        for one in nulls
    ]
    first, both = np.minimum(2 * np.mean(each, axis=0), 1.0)
    note = "splits share patients: p is twice the mean of theirs"
    if joined is not None:
        both = permuting.p_value(joined.observed, joined.both)
        note = "splits share patients: p_value is twice the mean of theirs"
    ends = np.array([permuting.outer_means(one.permuted, TAIL) for one in nulls])
    low, high = _shares(nulls) @ ends
    return {
        "null_low": float(low),
        "null_high": float(high),
        "p_value": float(first),
        "p_value_both": float(both),
        "note": note,
    }


def _mean(nulls: Sequence[Null]) -> Null:
    """The mean over splits, weighted by their pairs of patients; permutations in their order."""
    share = _shares(nulls)
    return Null(
        float(share @ [one.observed for one in nulls]),
        share @ np.stack([one.permuted for one in nulls]),
        share @ np.stack([one.both for one in nulls]),
        float(sum(one.pairs for one in nulls)),
    )


def _shares(nulls: Sequence[Null]) -> Array:
    """Weight of each split: its share of the pairs of patients."""
    pairs = np.array([one.pairs for one in nulls])
    return np.asarray(pairs / pairs.sum())


def _row(
    name: str, found: Null | None, splits: Sequence[ControlSplit], allowed: frozenset[str]
) -> dict[str, Any]:
    """A row of `SHUFFLED`, without what is the same for all rows of a model."""
    outcome = np.concatenate([split.test.outcome for split in splits])
    row: dict[str, Any] = {
        "design": splits[0].design,
        "split": name,
        **dict.fromkeys(
            ("auc", "null_mean", "null_low", "null_high", "p_value", "p_value_both", "n", "events")
        ),
        "status": Status.NOT_ESTIMABLE.value,
        "note": "one outcome only in the training or the test set, or no predictor",
    }
    if name not in allowed:
        note = "too few patients, or a test set with too few could be derived"
        return row | {"status": Status.SUPPRESSED.value, "note": note}
    row |= {"n": len(outcome), "events": int(outcome.sum())}
    if found is None:
        return row
    low, high = np.quantile(found.permuted, [TAIL, 1 - TAIL])
    return row | {
        "auc": found.observed,
        "null_mean": float(found.permuted.mean()),
        "null_low": float(low),
        "null_high": float(high),
        "p_value": permuting.p_value(found.observed, found.permuted),
        "p_value_both": permuting.p_value(found.observed, found.both),
        "status": Status.ESTIMATED.value,
        "note": "",
    }
