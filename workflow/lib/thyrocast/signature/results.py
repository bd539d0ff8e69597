"""Tables about a fitted signature."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract import io
from thyrocast.contract.names import Design, Model, Set
from thyrocast.contract.splits import FEATURES, PATH, PREDICTIONS
from thyrocast.signature.lasso import CrossValidatedPath
from thyrocast.signature.model import Signature
from thyrocast.signature.split import SplitData


def path(result: CrossValidatedPath | None, chosen: int) -> pd.DataFrame:
    """Rows of `PATH`; none if no path could be fitted."""
    if result is None:
        return io.empty(PATH)
    return io.conform(
        PATH,
        pd.DataFrame(
            {
                "lambda": result.path.penalties,
                "nonzero": result.nonzero,
                "cv_deviance": np.where(np.isfinite(result.deviance), result.deviance, np.nan),
                "cv_se": np.where(np.isfinite(result.error), result.error, np.nan),
                "chosen": np.arange(len(result.path.penalties)) == chosen,
            }
        ),
    )


def features(signature: Signature) -> pd.DataFrame:
    """Rows of `FEATURES`: the selected features, the most important first."""
    table = pd.DataFrame(
        {
            "feature": signature.features,
            "coefficient": signature.coefficients,
            "importance": signature.importances,
        }
    )
    return io.conform(
        FEATURES, table.sort_values(["importance", "feature"], ascending=[False, True])
    )


def predictions(
    data: SplitData,
    probabilities: Mapping[Model, NDArray[np.float64]],
    design: Design,
    split: str,
) -> pd.DataFrame:
    """Rows of `PREDICTIONS`: every model, every patient."""
    patients = data.cohort[["patient", "center", "outcome"]].assign(
        design=design.value,
        split=split,
        set=np.where(data.train, Set.TRAIN.value, Set.TEST.value),
    )
    return io.concat(
        PREDICTIONS,
        [
            patients.assign(model=model.value, probability=probability)
            for model, probability in probabilities.items()
        ],
    )
