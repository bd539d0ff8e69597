"""Optimism of the signature's apparent performance, by the bootstrap."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.names import Metric
from thyrocast.contract.splits import OPTIMISM
from thyrocast.signature import lasso_forest
from thyrocast.statistics import discrimination, losses, optimism
from thyrocast.statistics.inputs import Booleans, Integers

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]


def _brier(outcome: Booleans, probability: Array) -> float:
    return float(losses.squared_errors(outcome, probability).mean())


METRICS: Mapping[str, Callable[[Booleans, Array], float]] = {
    Metric.AUC: discrimination.auc,
    Metric.BRIER: _brier,
}


def correct(
    members: Sequence[tuple[Array, Array]], config: SignatureConfig, seed: int, threads: int = 1
) -> pd.DataFrame:
    """Correct the signature's apparent performance for optimism.

    LASSO, penalty and forest are fitted again to every resample. The networks are not: their part of
    the optimism is removed by cross-fitting. The resamples are divided among the members, whose
    results are averaged.

    Parameters
    ----------
    members : sequence of (ndarray, (n, p), ndarray, (n,))
        Embeddings and outcomes (1 cured, 0 not cured) to which each member was fitted.
    config
    seed : int
    threads : int

    Returns
    -------
    DataFrame
        Rows of `OPTIMISM`; none if no resamples are asked for, or fewer than two patients of a member
        have one of the outcomes.
    """
    resamples = config.optimism_resamples
    rare = min(min(outcome.sum(), (1 - outcome).sum()) for _, outcome in members)
    if resamples == 0 or rare < 2:
        return io.empty(OPTIMISM)
    own = math.ceil(resamples / len(members))
    done = 0
    random = np.random.default_rng(seeds.derive(seed, "optimism"))
    found = []
    for aligned, outcome in members:

        def learn(
            drawn: Integers, new: Integers, aligned: Array = aligned, outcome: Array = outcome
        ) -> Array:
            nonlocal done
            fitted = lasso_forest.fit(
                aligned[drawn],
                outcome[drawn],
                config,
                seeds.derive(seed, "optimism", str(done)),
                threads,
                patient=drawn.astype(np.int64),
            )
            done += 1
            if done % 10 == 1:
                logger.info("optimism: %d of %d resamples", done - 1, own * len(members))
            return fitted.predict(aligned[new])

        found.append(optimism.correct(outcome, learn, METRICS, own, random))
    return io.build(
        OPTIMISM,
        [
            {
                "metric": metric,
                **{
                    name: float(np.mean([getattr(one[metric], name) for one in found]))
                    for name in ("apparent", "optimism", "corrected")
                },
                "resamples": own * len(members),
            }
            for metric in METRICS
        ],
    )
