"""Which splits of a design may be reported."""

from __future__ import annotations

from collections.abc import Sequence

from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.controls.inputs import ControlSplit
from thyrocast.evaluation.reported import Tested
from thyrocast.evaluation.reported import reported as of_design


def reported(splits: Sequence[ControlSplit], least: MinimumCountConfig) -> frozenset[str]:
    """Splits that may be reported, and `ALL_SPLITS` if all together may be.

    Parameters
    ----------
    splits
        All of a design.
    least
        Fewest patients of a reported set.
    """
    tested = [
        Tested(split.split, split.test.patient, split.test.center, split.test.outcome == 1)
        for split in splits
    ]
    return of_design(splits[0].design, tested, least)
