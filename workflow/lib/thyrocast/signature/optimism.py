"""Optimism of the signature's apparent performance, by the bootstrap."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

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
    aligned: Array, outcome: Array, config: SignatureConfig, seed: int, threads: int = 1
) -> pd.DataFrame:
    """Correct the signature's apparent performance for optimism.

    LASSO, penalty and forest are fitted again to every resample. The networks are not: their part of
    the optimism is removed by cross-fitting.

    Parameters
    ----------
    aligned : ndarray, (n, 2048)
        Training patients' embeddings as LASSO and forest use them.
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    config
    seed : int
    threads : int

    Returns
    -------
    DataFrame
        Rows of `OPTIMISM`; none if no resamples are asked for, or fewer than two patients have one of
        the outcomes.
    """
    resamples = config.optimism_resamples
    if resamples == 0 or min(outcome.sum(), (1 - outcome).sum()) < 2:
        return io.empty(OPTIMISM)
    done = 0

    def learn(drawn: Integers, new: Integers) -> Array:
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
            logger.info("optimism: %d of %d resamples", done - 1, resamples)
        return fitted.predict(aligned[new])

    random = np.random.default_rng(seeds.derive(seed, "optimism"))
    corrected = optimism.correct(outcome, learn, METRICS, resamples, random)
    return io.build(
        OPTIMISM,
        [
            {"metric": metric, **result._asdict(), "resamples": resamples}
            for metric, result in corrected.items()
        ],
    )
