"""The signature's LASSO itself as a model: its linear predictor, without the forest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.signature import Selection, SignatureConfig
from thyrocast.signature import lasso
from thyrocast.statistics import partition

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def fit(
    embeddings: Array,
    outcome: Array,
    config: SignatureConfig,
    seed: int,
    patient: Integers | None = None,
) -> tuple[float, Array]:
    """Fit intercept and weights (p,) to embeddings (n, p) and outcomes (n,); both outcomes occur.

    Rows of one `patient` (n,) are in one tuning fold.
    """
    lambdas = lasso.penalties(embeddings, outcome, config.penalties, config.smallest_penalty)
    folds = partition.tuning_folds(outcome, config.tuning_folds, seed, patient)
    result = lasso.cross_validate(embeddings, outcome, folds, lambdas)
    chosen = lasso.choose(result, Selection.MINIMUM)
    return float(result.path.intercepts[chosen]), result.path.coefficients[chosen]
