"""Enumerations of results that come from, or are about, other sites; standard library only."""

from enum import StrEnum


class ResultSource(StrEnum):
    """Where the pooled results of a center come from."""

    DATA = "data"
    EXCHANGE = "exchange"


class ModelSource(StrEnum):
    """Whether a center was scored with the same models as the other centers of its design."""

    SAME = "same"
    OWN = "own"
    UNKNOWN = "unknown"


class UpdateStep(StrEnum):
    """Updates of a model at a site, each with more coefficients than the one before."""

    NONE = "none"
    INTERCEPT = "intercept"
    SLOPE = "slope"
    HEAD = "head"


class AucPart(StrEnum):
    """Parts of the difference in AUC between development and a site."""

    DIFFERENCE = "difference"
    CASE_MIX = "case_mix"
    COEFFICIENTS = "coefficients"
    DEVELOPMENT = "development"


class Standing(StrEnum):
    """How a prediction by a locked model and the patient's outcome follow each other."""

    UNFROZEN = "unfrozen"
    BEFORE = "before"
    LATE = "late"
    UNDATED = "undated"
    NEW = "new"
    WITHDRAWN = "withdrawn"


#: Predictions that are scored apart from those that were frozen before the outcome.
APART = (Standing.LATE, Standing.UNDATED, Standing.NEW, Standing.WITHDRAWN)
