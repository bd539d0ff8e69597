"""Config of the signature and of the baselines."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from thyrocast.config.base import Block, Distinct, block, option


class Embeddings(StrEnum):
    """Which network embeds a training patient."""

    CROSS_FITTED = "cross_fitted"
    IN_SAMPLE = "in_sample"


class Selection(StrEnum):
    """Which penalty of the LASSO path is selected."""

    MINIMUM = "minimum"
    ONE_STANDARD_ERROR = "one_standard_error"
    COUNT = "count"


class RecalibrationMethod(StrEnum):
    """How probabilities are recalibrated on the training set."""

    LOGISTIC = "logistic"
    NONE = "none"


class Head(StrEnum):
    """Linear models on the embeddings, by the names of their results."""

    RIDGE = "ridge"
    LASSO = "lasso"
    ELASTIC_NET = "elastic_net"


class ForestConfig(Block):
    """The random forest on the selected features."""

    trees: int = option("Trees in the forest.", 300, unit="trees", ge=10, le=10_000)
    smallest_leaf: Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], Distinct] = option(
        "Patients in the smallest leaf of a tree; of several candidates the one with the best "
        "out-of-bag Brier score is selected.",
        (3, 5, 10),
        unit="patients",
        min_length=1,
        max_length=10,
    )


class SignatureConfig(Block):
    """From the network's pooled features to a probability.

    LASSO, random forest, and the baselines with which they are compared. All are fitted inside
    the training set.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "removed": {"imputations": "missing predictors are now imputed once, by regression"}
        }
    )

    embeddings: Embeddings = option(
        "Which network embeds a training patient: `cross_fitted`, a network that was not trained "
        "on the patient (one network for each fold); or `in_sample`, as published, the network "
        "that was trained on the patient, so that training results are apparent performance.",
        Embeddings.CROSS_FITTED,
    )
    selection: Selection = option(
        "Penalty on the LASSO path: `minimum` of the cross-validated deviance; "
        "`one_standard_error`, the largest penalty within one standard error of it; `count`, as "
        "many features as `features` (or the nearest number on the path, fewer rather than more).",
        Selection.MINIMUM,
    )
    features: int = option(
        "Features kept if `selection` is `count`; the published study kept 16.",
        16,
        unit="features",
        ge=1,
        le=2048,
    )
    penalties: int = option(
        "Penalties on the LASSO path, evenly spaced on a logarithmic scale.",
        60,
        unit="penalties",
        ge=5,
        le=1000,
    )
    smallest_penalty: float = option(
        "The path's smallest penalty, as a share of the smallest penalty that selects no feature.",
        0.05,
        unit="share",
        ge=0.0001,
        le=0.9,
    )
    tuning_folds: int = option(
        "Folds of the cross-validation that selects the penalty of the LASSO and of the baselines; "
        "they divide the patients used to fit a model, stratified by outcome.",
        10,
        unit="folds",
        ge=2,
        le=100,
    )
    forest: ForestConfig = block(ForestConfig)
    recalibration: RecalibrationMethod = option(
        "Whether the log-odds of all models are recalibrated by `logistic` regression on "
        "cross-fitted training patients, or not (`none`, as published). With `in_sample` they "
        "are never recalibrated.",
        RecalibrationMethod.LOGISTIC,
    )
    optimism_resamples: int = option(
        "Bootstrap samples in which LASSO, penalty and forest are fitted again, to correct the "
        "signature's apparent AUC and Brier score for optimism (200 are usual; each takes about a "
        "second for 300 patients). 0 for no correction, since cross-fitting and the designs "
        "already test on patients who were not used in training.",
        0,
        unit="resamples",
        ge=0,
        le=10_000,
    )
    heads: Annotated[tuple[Head, ...], Distinct] = option(
        "Linear models on the embeddings that are compared with the signature: `ridge`, `lasso` "
        "(the signature's LASSO without the forest), `elastic_net`. They take seconds.",
        (Head.RIDGE, Head.LASSO, Head.ELASTIC_NET),
    )
    splines: bool = option(
        "Whether a continuous clinical predictor may have a bend in the baselines `clinical` and "
        "`combined`: a restricted cubic spline with three knots instead of a straight line.",
        True,
    )
    missing_indicators: bool = option(
        "Whether the baselines have a predictor for each value that is missing in some patients. It "
        "helps if what is missing is informative and stays so in new hospitals, and harms if the "
        "outcome influences what is missing, as in tables that are completed afterwards.",
        False,
    )
