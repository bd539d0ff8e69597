"""Config of the negative and positive controls."""

from enum import StrEnum
from typing import Annotated

from thyrocast.config.base import Block, Distinct, block, option
from thyrocast.contract.control_names import ImagePart
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


class NetworkControlsConfig(Block):
    """Networks that are trained for the controls, on permuted outcomes or on parts of the images; none by default."""

    permuted: int = option(
        "Networks that are trained on permuted outcomes in every split: the first member, again and again. The smallest "
        "possible p value is 1 / (1 + this), or twice as much over splits that share patients; 19 give one of 0.05, or 0.1.",
        0,
        unit="trainings",
        ge=0,
        le=1000,
    )
    parts: Annotated[tuple[ImagePart, ...], Distinct] = option(
        "Parts of the images on each of which all networks of the design are trained again.",
        (),
    )
    hours: float = option(
        "Largest expected time of all these trainings; more is refused before one starts. The time of the study's "
        "own trainings is used if they are done, otherwise what their jobs request.",
        24.0,
        unit="hours of a GPU, or of a job without GPU",
        gt=0,
        le=100_000,
    )

    def permutations(self) -> list[str]:
        """Return the names of the permutations on which networks are trained."""
        return [str(number) for number in range(1, self.permuted + 1)]


class ControlsConfig(Block):
    """Negative and positive controls: what the study's methods find where nothing is, and where a known effect is.

    Networks are trained again only if `networks` asks for it.
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
        "Permutations of the training outcomes; the smallest possible p value of a split is 1 / (1 + this).",
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
    networks: NetworkControlsConfig = block(NetworkControlsConfig)
