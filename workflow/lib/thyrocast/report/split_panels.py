"""Shared by sections with one figure per split: names, and how many splits are shown."""

import hashlib
from collections.abc import Sequence

from thyrocast.report import words
from thyrocast.report.study import SplitResults

#: Most splits shown, so that the page of a study with many repeats stays small.
MOST_SPLITS = 9
# Splits with these names are the only one of their design.
_ONLY = ("1", "all")


def title(split: SplitResults) -> str:
    """Name of a split in words."""
    design = words.design(split.design)
    return design if split.name in _ONLY else f"{design}, {split.name}"


def figure_name(split: SplitResults, kind: str) -> str:
    """Name of a split's figure, unique on the page."""
    # Names of splits may differ only in characters that an id cannot contain.
    return f"{kind}-{split.design}-{hashlib.sha256(split.name.encode()).hexdigest()[:8]}"


def shown_of(shown: Sequence[SplitResults], found: int) -> str:
    """Say that not all splits are shown; empty if they are."""
    if found <= len(shown):
        return ""
    return (
        f"The first {len(shown)} of {found} splits are shown; the others are in the results folder."
    )
