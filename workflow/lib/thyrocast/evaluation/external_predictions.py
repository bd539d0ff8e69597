"""External predictions: somebody else's probabilities for the patients of the study."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from thyrocast.config.evaluation import ExternalPredictionsConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import PREDICTIONS
from thyrocast.errors import InputError
from thyrocast.tables.spreadsheet import read_sheet


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
    known = _probabilities(Path(config.table), config.column, where)
    places = predictions.drop_duplicates(["design", "split", "set", "patient"])
    found = places[places["patient"].isin(known)]
    if not known:
        raise InputError(f"{where}: no patient has a probability, expected at least one")
    if found.empty:
        raise InputError(
            f"{where}: none of its {len(known)} patients is in the study, expected pseudonyms as in "
            "cohort.csv"
        )
    return io.conform(
        PREDICTIONS, found.assign(model=config.name, probability=found["patient"].map(known))
    )


def _probabilities(file: Path, column: str, where: str) -> dict[str, float]:
    """Probability of each patient that has one."""
    if not file.is_file():
        raise InputError(f"{where}: there is no such file, expected a table (CSV or XLSX)")
    sheet = read_sheet(file)
    for name in ("patient", column):
        if name not in sheet.header:
            raise InputError(
                f"{where} has no column {name!r}, expected one of "
                f"{', '.join(map(repr, sheet.header))}"
            )
    known: dict[str, float] = {}
    seen: set[str] = set()
    for patient, text in zip(sheet.column("patient"), sheet.column(column), strict=True):
        if patient in seen:
            raise InputError(f"{where}: patient {patient} has two rows, expected one")
        seen.add(patient)
        if text:
            known[patient] = _probability(text, f"{where}: patient {patient}")
    return known


def _probability(text: str, where: str) -> float:
    try:
        value = float(text.replace("_", "?"))  # Python reads 0.1_5 as 0.15
    except ValueError:
        value = -1.0
    # The comparison is false for NaN as well.
    if not 0 <= value <= 1:
        raise InputError(f"{where} has probability {text!r}, expected a number from 0 to 1")
    return value
