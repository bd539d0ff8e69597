"""Config of the learning curve."""

from enum import StrEnum
from typing import Annotated

from thyrocast.config.base import Block, Distinct, option


class CurveModel(StrEnum):
    """Models that are fitted again to fewer patients, by the names of their results."""

    SIGNATURE = "signature"
    SIMULATED = "simulated"
    HANDCRAFTED = "handcrafted"
    CLINICAL = "clinical"
    RIDGE = "ridge"
    LASSO = "lasso"
    ELASTIC_NET = "elastic_net"


class LearningCurveConfig(Block):
    """Learning curve: the AUC at 40 to 100 % of the development patients, extrapolated to more patients.

    Networks are not trained again: they have seen all patients of the other folds at every size.
    """

    run: bool = option(
        "Whether every run measures the curve. Without it, `snakemake learning_curve` does, and the "
        "report shows it from then on.",
        False,
    )
    repeats: int = option("Random subsamples of each size.", 10, unit="subsamples", ge=2, le=1000)
    models: Annotated[tuple[CurveModel, ...], Distinct] = option(
        "Models whose curve is measured. `signature`, `lasso` and `elastic_net` take about 0.5 to 1.5 s "
        "for each subsample, size and fold of 200 patients (5 minutes each with the defaults); the others "
        "take seconds.",
        (
            CurveModel.SIGNATURE,
            CurveModel.RIDGE,
            CurveModel.SIMULATED,
            CurveModel.HANDCRAFTED,
            CurveModel.CLINICAL,
        ),
        min_length=1,
    )
