"""What intervals, tests and prediction sets did in simulations of known truth.

The figures are those of ``benchmarks/validity.py``, which writes them here and into docs/statistics.md.
"""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import NamedTuple

SOURCE = "benchmarks/validity.py"
_FILE = Path(__file__).with_name("validity.json")


class Range(NamedTuple):
    """Lowest and highest value over the simulated settings, in percent."""

    low: float
    high: float

    @property
    def text(self) -> str:
        """Whole percents that contain the range: ``92 to 97 %``."""
        low, high = math.floor(self.low), math.ceil(self.high)
        return f"{low} %" if low == high else f"{low} to {high} %"


@functools.cache
def _stored() -> dict[str, Range]:
    ranges = json.loads(_FILE.read_text(encoding="utf-8"))["ranges"]
    return {key: Range(*ends) for key, ends in ranges.items()}


def measured(*keys: str) -> Range | None:
    """Range over the simulated settings; None if nothing was measured.

    Parameters
    ----------
    keys
        One or more of: ``metric:method`` (coverage of nominal 95 % intervals), ``metric:new_center``,
        ``metric:few_values``, ``...:rejections`` (of true null hypotheses at 5 %), ``power:centers``,
        ``sets:mean``, ``sets:80``, ``sets:90``. Several are joined.
    """
    found = [_stored()[key] for key in keys if key in _stored()]
    if not found:
        return None
    return Range(min(one.low for one in found), max(one.high for one in found))
