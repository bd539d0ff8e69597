"""Which splits of a design may be reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract.names import ALL_SPLITS, Design, Set
from thyrocast.evaluation import groups
from thyrocast.evaluation.samples import Sample, Texts
from thyrocast.statistics.inputs import Booleans


class Tested(NamedTuple):
    """Test patients of a split with an outcome: pseudonym, center and outcome (n,)."""

    split: str
    patient: Texts
    center: Texts
    outcome: Booleans


def reported(design: str, splits: Sequence[Tested], least: MinimumCountConfig) -> frozenset[str]:
    """Splits that may be reported, and `ALL_SPLITS` if all together may be.

    Parameters
    ----------
    design
        The design.
    splits
        All of its splits.
    least
        Fewest patients of a reported set.
    """
    origin = np.repeat([one.split for one in splits], [len(one.outcome) for one in splits])
    everyone = Sample(
        Design(design),
        ALL_SPLITS,
        "",
        Set.TEST,
        patient=np.concatenate([one.patient for one in splits]),
        center=np.concatenate([one.center for one in splits]),
        outcome=np.concatenate([one.outcome for one in splits]),
        probability=np.zeros(len(origin)),
    )
    if groups.too_small(everyone, least):
        return frozenset()
    divided = groups.divide(everyone, {groups.SPLITS: origin}, least)
    found = [name for (_, name), members in divided.items() if members is not None]
    return frozenset([*found, ALL_SPLITS])
