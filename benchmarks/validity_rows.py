"""Rows of the table of `benchmarks/validity.py`, and their summary over settings."""

import math
from typing import NamedTuple

import numpy as np

from thyrocast.statistics.inputs import NotEstimableError


class Row(NamedTuple):
    """What was measured in one setting.

    Attributes
    ----------
    label
        What is measured; it ends with ``%`` if values are shares.
    setting
        Patients, centers and differences between them.
    value, error, studies
        Mean over the studies, its Monte Carlo error, and their number.
    before
        Whether the method is one that the present one replaced.
    key
        Name under which the report reads the range; empty if it does not show it.
    least, most
        Bounds of the promise, on the scale of the value.
    """

    label: str
    setting: str
    value: float
    error: float
    studies: int
    before: bool
    key: str
    least: float | None
    most: float | None


def row(label, setting, values, before=False, key="", least=None, most=None):
    """Mean of the values that are not None."""
    known = np.asarray([v for v in values if v is not None], dtype=float)
    percent = 100.0 if label.endswith("%") else 1.0
    value = percent * float(known.mean()) if known.size else math.nan
    error = percent * float(known.std() / math.sqrt(max(known.size, 1)))
    return Row(label, setting, value, error, int(known.size), before, key, least, most)


def coverage(label, setting, hits, before=False, key=""):
    """Share of intervals that contain the true value; 93 to 97 % are wanted."""
    return row(label, setting, hits, before, key, 93.0, 97.0)


def rejections(label, setting, rejected, before=False, key="", least=3.0):
    """Share of true null hypotheses that a test at 5 % rejects."""
    return row(label, setting, rejected, before, key, least, 7.0)


def attempt(function):
    """Value of a function; None if it cannot be estimated."""
    try:
        return function()
    except NotEstimableError:
        return None


def _range(rows):
    values = [one.value for one in rows if one.studies]
    return [min(values), max(values)] if values else None


def summary(rows):
    """Ranges over the settings, (label, promise, before, after, outside), in the order of the rows."""
    found = []
    for label in dict.fromkeys(one.label for one in rows):
        same = [one for one in rows if one.label == label]
        before = _range([one for one in same if one.before])
        after = _range([one for one in same if not one.before])
        least, most = same[0].least, same[0].most
        outside = []
        if after and least is not None and after[0] < least:
            outside.append("below")
        if after and most is not None and after[1] > most:
            outside.append("above")
        found.append(
            {"label": label, "least": least, "most": most, "before": before, "after": after,
             "outside": " and ".join(outside)}
        )  # fmt: skip
    return found


def ranges(rows):
    """Lowest and highest value of every key that the report reads."""
    keys = sorted({one.key for one in rows if one.key})
    return {key: [round(v, 1) for v in _range([r for r in rows if r.key == key])] for key in keys}


def _shown(label, values):
    if values is None:
        return ""
    digits = 1 if label.endswith("%") else 4
    low, high = (f"{value:.{digits}f}" for value in values)
    return low if low == high else f"{low} to {high}"


def markdown(found):
    """Table for docs/statistics.md."""
    lines = ["| measured | promise | before | now | outside |", "| --- | --- | --- | --- | --- |"]
    for one in found:
        ends = ("" if v is None else f"{v:g}" for v in (one["least"], one["most"]))
        promise = " to ".join(ends).strip()
        if promise.startswith("to "):
            promise = f"at most {promise[3:]}"
        elif promise.endswith(" to"):
            promise = f"at least {promise[:-3]}"
        cells = (one["label"], "" if promise == "to" else promise, _shown(one["label"], one["before"]),
                 _shown(one["label"], one["after"]), one["outside"])  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
