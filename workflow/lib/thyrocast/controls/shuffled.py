"""Shuffled outcomes: the models of a design refitted to permuted outcomes of training patients.

If a model's AUC is not above that of refits to permuted outcomes, the model found nothing in the
training outcomes that is useful for test patients. The networks are not trained again, so their
embeddings have been shaped by the observed outcomes: the test is about what is fitted to them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
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
from thyrocast.contract.names import ALL_SPLITS, Status
from thyrocast.controls import permuting, refits, shown
from thyrocast.controls.inputs import ControlSplit

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]


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

    Returns
    -------
    Tables `SHUFFLED` and `PERMUTATIONS`.
    """
    allowed = shown.reported(splits, least)
    rows: list[dict[str, Any]] = []
    permutations: list[dict[str, Any]] = []
    for model in config.models:
        began = time.monotonic()
        nulls = {
            split.split: null(model, split, config, signature, seed, threads) for split in splits
        }
        seconds = time.monotonic() - began
        logger.info("%s: %d permutations in %.0f s", model, config.permutations, seconds)
        found = [one for one in nulls.values() if one is not None]
        joined = _mean(found) if found else None
        if len(splits) > 1:
            rows += [
                _row(model, split.split, nulls[split.split], [split], config, allowed)
                for split in splits
            ]
            rows.append(_row(model, ALL_SPLITS, joined, splits, config, allowed))
        else:
            only = splits[0].split
            rows.append(_row(model, only, joined, splits, config, allowed))
        if joined is not None and ALL_SPLITS in allowed:
            permutations += [
                {"design": splits[0].design, "model": model.value, "permutation": n, "auc": auc}
                for n, auc in enumerate(joined.permuted, start=1)
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
    permuted, tested = (
        permuting.permute(
            side.outcome,
            side.center if config.strata is Strata.CENTER else None,
            config.permutations,
            seeds.derive(seed, split.design, split.split, "permutations", name),
        )
        for side, name in ((train, "train"), (test, "test"))
    )
    outcomes = np.vstack([train.outcome, permuted])
    fitted_seed = seeds.derive(seed, split.design, split.split, "signature")
    scores = refits.scores(model, split, outcomes, signature, fitted_seed, threads)
    if scores is None:
        return None
    found = permuting.areas(test.outcome, scores)
    both = permuting.areas(tested, scores[1:])
    cured = float(test.outcome.sum())
    return Null(float(found[0]), found[1:], both, cured * (len(test.outcome) - cured))


def _mean(nulls: Sequence[Null]) -> Null:
    """The mean over splits, weighted by their pairs of patients; permutations in their order."""
    pairs = np.array([one.pairs for one in nulls])
    share = pairs / pairs.sum()
    return Null(
        float(share @ [one.observed for one in nulls]),
        share @ np.stack([one.permuted for one in nulls]),
        share @ np.stack([one.both for one in nulls]),
        float(pairs.sum()),
    )


def _row(
    model: PermutedModel,
    name: str,
    found: Null | None,
    splits: Sequence[ControlSplit],
    config: ControlsConfig,
    allowed: frozenset[str],
) -> dict[str, Any]:
    """A row of `SHUFFLED`."""
    outcome = np.concatenate([split.test.outcome for split in splits])
    row: dict[str, Any] = {
        "design": splits[0].design,
        "split": name,
        "model": model.value,
        **dict.fromkeys(
            ("auc", "null_mean", "null_low", "null_high", "p_value", "p_value_both", "n", "events")
        ),
        "permutations": config.permutations,
        "strata": config.strata.value,
        "status": Status.NOT_ESTIMABLE.value,
        "note": "one outcome only in the training or the test set, or no predictor",
    }
    if name not in allowed:
        note = "too few patients, or a test set with too few could be derived"
        return row | {"status": Status.SUPPRESSED.value, "note": note}
    row |= {"n": len(outcome), "events": int(outcome.sum())}
    if found is None:
        return row
    low, high = np.quantile(found.permuted, [0.025, 0.975])
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
