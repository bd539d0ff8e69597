"""Kinds of scenes, and how often each is drawn in training."""

from enum import StrEnum

import numpy as np

Generator = np.random.Generator


class Kind(StrEnum):
    """Kind of scene."""

    GLAND = "gland"
    HEMIAGENESIS = "hemiagenesis"
    LINGUAL = "lingual"
    RETROSTERNAL = "retrosternal"
    SUPPRESSED = "suppressed lobe"
    NO_GLAND = "no gland"
    SYRINGE = "syringe"
    FLOOD = "flood"
    ORGANS = "other organs"


#: Share of each kind of scene in training.
SHARES = {
    Kind.GLAND: 0.54,
    Kind.HEMIAGENESIS: 0.05,
    Kind.LINGUAL: 0.06,
    Kind.RETROSTERNAL: 0.07,
    Kind.SUPPRESSED: 0.05,
    Kind.NO_GLAND: 0.09,
    Kind.SYRINGE: 0.04,
    Kind.FLOOD: 0.02,
    Kind.ORGANS: 0.08,
}
#: Kinds that show a thyroid.
THYROIDS = (Kind.GLAND, Kind.HEMIAGENESIS, Kind.LINGUAL, Kind.RETROSTERNAL, Kind.SUPPRESSED)


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform between those of `low` and `high`."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
