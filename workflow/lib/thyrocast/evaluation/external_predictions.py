"""External predictions: somebody else's probabilities for the patients of the study."""

from __future__ import annotations

import pandas as pd

from thyrocast.config.evaluation import ExternalPredictionsConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import PREDICTIONS
from thyrocast.errors import InputError
from thyrocast.tables.external import read_probabilities


def read(config: ExternalPredictionsConfig, predictions: pd.DataFrame) -> pd.DataFrame:
    """Read external predictions for the patients of each split and set.

    Parameters
    ----------
    config
        Name, table and column of the probabilities.
    predictions
        Table `PREDICTIONS` of the study, which says who is in which set.

    Returns
    -------
    DataFrame
        Table `PREDICTIONS` of the patients who are in both tables.

    Raises
    ------
    InputError
        If the file or a column is missing, a patient has two rows, a probability is not from 0 to 1,
        or no patient of the study is in the table.
    """
    where = f"external predictions {config.name}, table {config.table}"
    known = read_probabilities(config.table, config.column, where)
    places = predictions.drop_duplicates(["design", "split", "set", "patient"])
    found = places[places["patient"].isin(known)]
    if found.empty:
        raise InputError(
            f"{where}: none of its {len(known)} patients is in the study, expected pseudonyms as in "
            "cohort.csv"
        )
    return io.conform(
        PREDICTIONS, found.assign(model=config.name, probability=found["patient"].map(known))
    )
