"""Config of the pretraining of a network on simulated scintigrams."""

from typing import Self

from pydantic import model_validator

from thyrocast.config.base import Block, FaultsError, FilePath, option


class SimulationConfig(Block):
    """How a network learns to read physical quantities, for which thyrocast ships no weights.

    The rule `pretrain_network` draws a new phantom for every image; none is seen twice. Its result is a file
    whose name contains a hash of the code, of these settings and of the images' size and field of view.
    """

    phantoms: int = option(
        "Simulated scintigrams that the network sees, each once.",
        200_000,
        unit="phantoms",
        ge=16,
        le=100_000_000,
    )
    batch_size: int = option("Phantoms per optimization step.", 64, unit="phantoms", ge=2, le=4096)
    learning_rate: float = option(
        "Highest learning rate of AdamW, after a warm-up of 5 % of the steps; decreases as a cosine.",
        0.001,
        gt=0,
        le=1,
    )
    seed: int = option("Seed of the phantoms and of the initial weights.", 11, ge=0)
    folder: FilePath = option(
        "Folder of pretrained networks and of the states of unfinished pretrainings. Studies with the same "
        "folder share them.",
        "pretrained",
        min_length=1,
    )

    @model_validator(mode="after")
    def _has_a_step(self) -> Self:
        if self.phantoms < self.batch_size:
            text = (
                f"{self.phantoms}, expected at least batch_size ({self.batch_size}): with fewer, there is "
                "no optimization step"
            )
            raise FaultsError([(("phantoms",), text)])
        return self
