"""A simulated hospital: its name, its config and the seed of its cohort."""

from dataclasses import dataclass

import numpy as np

from thyrocast import seeds
from thyrocast.config.simulation import SimulatedCenterConfig


@dataclass(frozen=True)
class Site:
    """A simulated hospital.

    Attributes
    ----------
    name
        Name of the center.
    config
        Its config.
    seed
        Seed of the cohort.
    """

    name: str
    config: SimulatedCenterConfig
    seed: int

    def generator(self, *names: object) -> np.random.Generator:
        """Return the generator of the random choices for one purpose at this center."""
        return np.random.default_rng(seeds.derive(self.seed, self.name, *names))
