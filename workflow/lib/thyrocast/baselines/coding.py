"""Coding of predictors as standardized numbers, learned from the training patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.baselines.stored import StoredModel

Array = NDArray[np.float64]

# Right-skewed amounts and ratios, whose relative differences matter: their logarithm is used.
LOGARITHMIC = frozenset(
    {
        "gland_mass",
        "uptake_24h",
        "activity",
        "activity_per_gram",
        "retained_per_gram",
        "absorbed_dose",
        "trab",
        "ft4",
        "ft3",
        "q_uptake",
        "q_area_right",
        "q_area_left",
        "q_mass",
        "q_to_background",
        "q_to_salivary",
        "p_mass",
        "p_mass_right",
        "p_mass_left",
        "p_uptake",
        "p_heterogeneity",
        "p_contrast",
    }
)
# Spread of a column relative to its size below which its values differ by rounding alone. Standardized by
# such a spread, an ordinary difference of a new patient would decide the prediction.
ROUNDING = 1e-9
# A text column with more different values than this is free text, not a predictor.
MOST_LEVELS = 6


class Term(StoredModel):
    """One standardized number that is computed from one column.

    Attributes
    ----------
    column
        Name of the column.
    center, scale
        Mean and standard deviation in the training set, by which the number is standardized.
    floor
        Smaller values are set to this one, then the logarithm is taken; None: no logarithm.
    level
        Of a text column: the number is 1 for this level and 0 for the others.
    levels
        Levels that occur in the training set, the most frequent one first.
    """

    column: str
    center: float
    scale: float
    floor: float | None = None
    level: str | None = None
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coding:
    """Coding of the predictors of the training patients, as `learn` returns it.

    Attributes
    ----------
    terms
        Terms in the order of the columns.
    dropped
        Columns without a term, each with the reason in brackets.
    """

    terms: tuple[Term, ...]
    dropped: tuple[str, ...]


def learn(predictors: pd.DataFrame) -> Coding:
    """Learn from the training patients how each predictor becomes a standardized number.

    Parameters
    ----------
    predictors : DataFrame
        Training patients × predictors, as `encode` takes them.
    """
    terms: list[Term] = []
    dropped: list[str] = []
    for column in predictors.columns:
        values = predictors[column]
        different = values.nunique()
        if different > 1 and _same(values):
            different = 1
        if different < 2:
            dropped.append(f"{column} ({'one' if different else 'no'} value)")
        elif pd.api.types.is_numeric_dtype(values.dtype):
            terms.append(_number_term(column, values))
        elif different > MOST_LEVELS:
            dropped.append(f"{column} ({different} different values)")
        else:
            terms.extend(_level_terms(column, values))
    return Coding(tuple(terms), tuple(dropped))


def _same(values: pd.Series[Any]) -> bool:
    """Whether the numbers of a column differ by rounding alone."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return False
    return float(values.max() - values.min()) <= ROUNDING * float(values.abs().max())


def encode(predictors: pd.DataFrame, terms: Sequence[Term]) -> Array:
    """Return the standardized predictors of patients.

    Parameters
    ----------
    predictors : DataFrame
        Patients × predictors: numbers are float64, NaN if missing; text is str, NaN if missing.
    terms
        Terms that `learn` returned for the training patients; at least one.

    Returns
    -------
    ndarray, (n, terms)
        NaN if the value is missing, or a level that does not occur in the training set.
    """
    return np.column_stack(
        [(_raw(predictors[term.column], term) - term.center) / term.scale for term in terms]
    )


def _number_term(column: str, values: pd.Series[Any]) -> Term:
    present = values.to_numpy(dtype=np.float64, na_value=np.nan)
    present = present[~np.isnan(present)]
    floor = None
    if column in LOGARITHMIC and (present >= 0).all():
        # Zero means "below the limit of detection".
        floor = float(present[present > 0].min() / 2)
    return _standardized(Term(column=column, center=0, scale=1, floor=floor), values)


def _level_terms(column: str, values: pd.Series[Any]) -> Iterator[Term]:
    """A term for every level but the most frequent one, which is the reference."""
    counts = values.value_counts()
    levels = tuple(sorted(counts.index, key=lambda level: (-counts[level], level)))
    for level in levels[1:]:
        term = Term(column=column, center=0, scale=1, level=level, levels=levels)
        yield _standardized(term, values)


def _standardized(term: Term, values: pd.Series[Any]) -> Term:
    raw = _raw(values, term)
    present = raw[~np.isnan(raw)]
    return term.model_copy(
        update={"center": float(present.mean()), "scale": float(present.std()) or 1.0}
    )


def _raw(values: pd.Series[Any], term: Term) -> Array:
    """Numbers (n,) of a term's column before they are standardized."""
    if term.level is not None:
        indicator = (values == term.level).to_numpy(dtype=np.float64, na_value=0.0)
        return np.where(values.isin(term.levels), indicator, np.nan)
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers if term.floor is None else np.log(np.maximum(numbers, term.floor))
