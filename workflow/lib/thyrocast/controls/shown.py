"""Which splits of a design may be reported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract.names import ALL_SPLITS, Design, Set
from thyrocast.controls.inputs import ControlSplit
from thyrocast.evaluation import groups
from thyrocast.evaluation.samples import Sample


def reported(splits: Sequence[ControlSplit], least: MinimumCountConfig) -> frozenset[str]:
    """Splits that may be reported, and `ALL_SPLITS` if all together may be.

    Parameters
    ----------
    splits
        All of a design.
    least
        Fewest patients of a reported set.
    """
    origin = np.repeat([split.split for split in splits], [len(s.test.outcome) for s in splits])
    everyone = Sample(
        Design(splits[0].design),
        ALL_SPLITS,
        "",
        Set.TEST,
        patient=np.concatenate([split.test.patient for split in splits]),
        center=np.concatenate([split.test.center for split in splits]),
        outcome=np.concatenate([split.test.outcome for split in splits]) == 1,
        probability=np.zeros(len(origin)),
    )
    if groups.too_small(everyone, least):
        return frozenset()
    divided = groups.divide(everyone, {groups.SPLITS: origin}, least)
    found = [name for (_, name), members in divided.items() if members is not None]
    return frozenset([*found, ALL_SPLITS])
