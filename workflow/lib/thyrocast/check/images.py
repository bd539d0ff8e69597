"""How the chosen images were acquired, and which of their values are assumed."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thyrocast.check import flags
from thyrocast.check.center import Center
from thyrocast.contract.names import ScanKind, ValueSource, ViewSource
from thyrocast.pages import numbers

#: Most values of a property that are listed; the rest are counted together.
MOST_VALUES = 12
UNKNOWN = "not stated"
REST = "other values"


@dataclass(frozen=True)
class Property:
    """A property of the images.

    Attributes
    ----------
    name, title
        Our name and in words.
    values
        Number of patients with each value, the most frequent first.
    note
        What to know about it; "" if nothing.
    """

    name: str
    title: str
    values: Mapping[str, int]
    note: str = ""


@dataclass(frozen=True)
class Assumed:
    """A value that comes from the config because the header does not state it."""

    what: str
    key: str
    patients: int


_KINDS = {
    ScanKind.STATIC: "static image",
    ScanKind.DYNAMIC: "frames of a dynamic study",
    ScanKind.CAPTURE: "captured picture, no counts",
}


def properties(center: Center) -> list[Property]:
    """Return the properties of the images that were chosen and standardized."""
    used = center.used
    matrix = used["matrix"].map(lambda size: f"{int(size)}", na_action="ignore")
    return [
        _listed("kind", "Kind", used["kind"].map(lambda kind: _KINDS.get(kind, kind))),
        _listed("view_evidence", "View", _views(used)),
        _listed("camera", "Camera", _joined(used["vendor"], used["camera"])),
        _listed("collimator", "Collimator", used["collimator"]),
        _listed("matrix", "Matrix (columns)", matrix),
        _listed("pixel_mm", "Pixel size, mm", _rounded(used["pixel_mm"])),
        _ranged("duration_s", "Duration, s", used["duration_s"], (60, 120, 180, 300, 600, 900)),
        _ranged(
            "tc_activity_mbq", "Injected Tc-99m, MBq", used["tc_activity_mbq"],
            (20, 37, 74, 111, 185, 370),
        ),
        _ranged("delay_min", "Injection to image, min", used["delay_min"], (5, 10, 15, 20, 30, 60)),
    ]  # fmt: skip


def _views(used: pd.DataFrame) -> "pd.Series[Any]":
    return pd.Series([flags.view(row) for row in used.to_dict("records")], dtype=object)


def _joined(vendor: "pd.Series[Any]", camera: "pd.Series[Any]") -> "pd.Series[Any]":
    both = vendor.fillna("").astype(str) + " " + camera.fillna("").astype(str)
    return both.str.strip().str.replace("_", " ").replace("", None)


def _rounded(values: "pd.Series[Any]") -> "pd.Series[Any]":
    return values.map(lambda value: numbers.significant(value), na_action="ignore")


def _listed(name: str, title: str, values: "pd.Series[Any]") -> Property:
    counts = values.fillna(UNKNOWN).value_counts()
    ordered = sorted(counts.index, key=lambda value: (-int(counts[value]), str(value)))
    listed = {str(value): int(counts[value]) for value in ordered[:MOST_VALUES]}
    if rest := sum(int(counts[value]) for value in ordered[MOST_VALUES:]):
        listed[REST] = rest
    return Property(name, title, listed)


def _ranged(name: str, title: str, values: "pd.Series[Any]", limits: Sequence[float]) -> Property:
    """Count values by range; the order is that of the ranges."""
    known = values.dropna().astype(float)
    found: dict[str, int] = {}
    edges = [float("-inf"), *limits, float("inf")]
    for low, high in itertools.pairwise(edges):
        count = int(((known >= low) & (known < high)).sum())
        if count:
            found[_range(low, high)] = count
    if len(values) > len(known):
        found[UNKNOWN] = len(values) - len(known)
    note = ""
    if len(known):
        note = f"median {numbers.significant(known.median())}, "
        note += f"from {numbers.significant(known.min())} to {numbers.significant(known.max())}"
    return Property(name, title, found, note)


def _range(low: float, high: float) -> str:
    if low == float("-inf"):
        return f"below {high:g}"
    return f"{low:g} or more" if high == float("inf") else f"{low:g} to below {high:g}"


def assumed(center: Center) -> list[Assumed]:
    """Return what is taken from the config's fallbacks, with the number of patients."""
    used = center.used
    found = [
        Assumed(what, f"fallbacks.{key}", int((used[column] == ValueSource.CONFIG).sum()))
        for column, what, key in (
            ("spacing_by", "pixel size", "pixel_mm"),
            ("duration_by", "duration", "duration_s"),
            ("activity_by", "injected activity", "tc_activity_mbq"),
        )
    ]
    views = int((used["view_by"] == ViewSource.FALLBACK).sum())
    found.append(Assumed("anterior view", "fallbacks.view", views))
    return [one for one in found if one.patients]


def sensitivity(center: Center, limits: Sequence[float]) -> list[tuple[float, int]]:
    """Return how many images each value of `image.min_counts` would leave.

    Parameters
    ----------
    center
        The center.
    limits
        Numbers of counts in the gland.
    """
    counts = center.used["q_counts"].dropna()
    return [(limit, int((counts >= limit).sum())) for limit in limits]
