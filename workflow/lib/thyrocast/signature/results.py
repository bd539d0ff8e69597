"""Tables about a fitted signature."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract import io
from thyrocast.contract.names import Design, Model, Set
from thyrocast.contract.splits import FEATURES, MEMBER_PREDICTIONS, PATH, PREDICTIONS
from thyrocast.signature import forest
from thyrocast.signature.lasso_forest import LassoForest
from thyrocast.signature.split import SplitData


def path(signatures: Mapping[str, LassoForest]) -> pd.DataFrame:
    """Rows of `PATH`; none of a member for which no path could be fitted."""
    return io.concat(PATH, [_path(name, one) for name, one in signatures.items()])


def _path(member: str, signature: LassoForest) -> pd.DataFrame:
    if signature.path is None:
        return io.empty(PATH)
    result = signature.path
    return io.conform(
        PATH,
        pd.DataFrame(
            {
                "member": member,
                "lambda": result.path.penalties,
                "nonzero": result.nonzero,
                "cv_deviance": np.where(np.isfinite(result.deviance), result.deviance, np.nan),
                "cv_se": np.where(np.isfinite(result.error), result.error, np.nan),
                "chosen": np.arange(len(result.path.penalties)) == signature.chosen,
            }
        ),
    )


def features(signatures: Mapping[str, LassoForest]) -> pd.DataFrame:
    """Rows of `FEATURES`: the selected features of every member, the most important first."""
    return io.concat(FEATURES, [_features(name, one) for name, one in signatures.items()])


def _features(member: str, signature: LassoForest) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "member": member,
            "feature": signature.features,
            "coefficient": signature.coefficients,
            "importance": forest.importances(signature.classifier),
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


def member_predictions(
    data: SplitData,
    odds: Mapping[Model, Mapping[str, NDArray[np.float64]]],
    design: Design,
    split: str,
) -> pd.DataFrame:
    """Rows of `MEMBER_PREDICTIONS`: test patients by all members, training patients by their own."""
    patients = pd.DataFrame(
        {
            "design": design.value,
            "split": split,
            "set": np.where(data.train, Set.TRAIN.value, Set.TEST.value),
            "patient": data.cohort["patient"],
        }
    )
    frames = [
        patients.assign(model=model.value, member=member, logit=values)
        for model, by_member in odds.items()
        for member, values in by_member.items()
    ]
    return io.concat(MEMBER_PREDICTIONS, [frame[frame["logit"].notna()] for frame in frames])
