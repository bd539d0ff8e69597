"""Enumerations of results that come from, or are about, other sites; standard library only."""

from enum import StrEnum


class ResultSource(StrEnum):
    """Where the pooled results of a center come from."""

    DATA = "data"
    EXCHANGE = "exchange"
    SUMMARY = "summary"


class ModelSource(StrEnum):
    """Whether a center was scored with the same models as the other centers of its design."""

    SAME = "same"
    OWN = "own"
    UNKNOWN = "unknown"
