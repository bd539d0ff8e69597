"""Predictors that are strongly correlated: if one of them is permuted, the others hide what it contributes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csgraph

#: Predictors with at least this rank correlation, positive or negative, are also permuted together.
CUTOFF = 0.8
#: Fewest patients with both predictors from whom their correlation is computed.
LEAST = 10


def sets(values: pd.DataFrame) -> list[list[str]]:
    """Sets of at least two predictors, so that predictors of different sets are not strongly correlated.

    Parameters
    ----------
    values : DataFrame
        Patients × predictors; NaN if missing. Predictors that are no numbers are in no set.

    Returns
    -------
    list of list of str
        Each in the order of the columns. Predictors of a set are connected by strong correlations, but two
        of them may be correlated less.
    """
    numbers = values.select_dtypes("number")
    # Pandas computes the ranks among the patients who have both predictors.
    found = numbers.corr("spearman", min_periods=LEAST).abs().to_numpy()
    _, label = csgraph.connected_components(np.nan_to_num(found) >= CUTOFF, directed=False)
    names = np.array(numbers.columns, dtype=object)
    groups: Sequence[list[str]] = [list(names[label == one]) for one in dict.fromkeys(label)]
    return [group for group in groups if len(group) > 1]
