"""Config of the negative and positive controls."""

from enum import StrEnum
from typing import Annotated

from thyrocast.config.base import Block, Distinct, option
from thyrocast.contract.names import Design


class PermutedModel(StrEnum):
    """Models that can be refitted to permuted outcomes, by the names of their results."""

    SIGNATURE = "signature"
    SIMULATED = "simulated"
    HANDCRAFTED = "handcrafted"
    CLINICAL = "clinical"
    RIDGE = "ridge"
    LASSO = "lasso"
    ELASTIC_NET = "elastic_net"


class Strata(StrEnum):
    """Among which patients outcomes are permuted."""

    CENTER = "center"
    NONE = "none"


class ControlsConfig(Block):
    """Negative and positive controls: what the study's methods find where nothing is, and where a known effect is.

    Networks are not trained again.
    """

    run: bool = option(
        "Whether every run computes the controls. Without it, `snakemake controls` does, and the "
        "report shows them from then on.",
        False,
    )
    design: Design | None = option(
        "Design whose splits are used; by default that with the strongest evidence which the study "
        "runs: external, loco, temporal, kfold, holdout.",
        None,
    )
    permutations: int = option(
        "Permutations of the training outcomes; the smallest possible p value is 1 / (1 + this).",
        200,
        unit="permutations",
        ge=19,
        le=100_000,
    )
    strata: Strata = option(
        "Whether outcomes are permuted within each `center`, so that the centers' cure rates stay "
        "as they are, or among all patients (`none`).",
        Strata.CENTER,
    )
    models: Annotated[tuple[PermutedModel, ...], Distinct] = option(
        "Models that are refitted to every permutation; not `dose`, of whose only predictor a permutation "
        "can change nothing but the sign. `ridge` and the baselines take seconds; "
        "`lasso`, `elastic_net` and `signature` take about 0.5 to 1.5 s for each permutation and "
        "split of 200 patients.",
        (
            PermutedModel.RIDGE,
            PermutedModel.SIMULATED,
            PermutedModel.HANDCRAFTED,
            PermutedModel.CLINICAL,
        ),
        min_length=1,
    )
