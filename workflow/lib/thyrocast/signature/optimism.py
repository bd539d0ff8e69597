"""How much of the signature's apparent performance is optimism, by the bootstrap."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.signature.fitting import fit_stage
from thyrocast.statistics import discrimination, optimism

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]

COLUMNS = ("metric", "apparent", "optimism", "corrected", "resamples")


def _brier(outcome: NDArray[np.bool_], probability: Array) -> float:
    return float(np.mean((probability - outcome) ** 2))


METRICS = {"auc": discrimination.auc, "brier": _brier}


def rows(
    places: Array, outcome: Array, settings: Mapping[str, Any], seed: int, threads: int = 1
) -> Iterator[tuple[object, ...]]:
    """Rows of optimism.csv; none where no resamples are asked for or one outcome has one patient.

    LASSO, penalty and forest are fitted anew to every resample. The networks are not: their part of
    the optimism is what cross-fitting removes.

    Parameters
    ----------
    places : (n, 2048)
        Training patients' embeddings as LASSO and forest see them.
    outcome : (n,) of 0 and 1
    settings
        The ``signature`` block of the config.
    seed, threads
    """
    resamples = int(settings["optimism_resamples"])
    if resamples == 0 or min(outcome.sum(), (1 - outcome).sum()) < 2:
        return
    done = 0

    def learn(drawn: NDArray[np.integer[Any]], new: NDArray[np.integer[Any]]) -> Array:
        nonlocal done
        stage = fit_stage(
            places[drawn],
            outcome[drawn],
            settings,
            seeds.derive(seed, "optimism", str(done)),
            threads,
            people=drawn.astype(np.int64),
        )
        done += 1
        if done % 10 == 1:
            logger.info("optimism: %d of %d resamples", done - 1, resamples)
        return stage.predict(places[new])

    random = np.random.default_rng(seeds.derive(seed, "optimism"))
    found = optimism.correct(outcome, learn, METRICS, resamples, random)
    for name, result in found.items():
        yield (name, *map(float, result), resamples)
