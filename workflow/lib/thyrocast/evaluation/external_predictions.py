"""Anyone's probabilities, put beside the study's own predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from thyrocast import fileio
from thyrocast.errors import InputError
from thyrocast.evaluation.sample import Prediction, check_probability


def rows(predictions: Sequence[Prediction], comparator: Mapping[str, Any]) -> Iterator[Prediction]:
    """Predictions of a comparator, for the patients of each split and set whom it knows.

    Parameters
    ----------
    predictions
        The study's own, which say who is in which set.
    comparator
        ``name``, ``table`` and ``column``, as in the config.

    Raises
    ------
    InputError
        If a column is missing, a patient stands twice, a probability is not from 0 to 1, or no
        patient of the study is in the table.
    """
    file = Path(comparator["table"])
    where = f"comparator {comparator['name']}, table {file}"
    known: dict[str, str] = {}
    if not file.is_file():
        raise InputError(f"{where}: there is no such file, expected a CSV table")
    for row in fileio.read_csv(file):
        for column in ("patient", comparator["column"]):
            if column not in row:
                raise InputError(
                    f"{where} has no column {column!r}, expected one of {', '.join(map(repr, row))}"
                )
        patient, text = row["patient"].strip(), row[comparator["column"]].strip()
        if patient in known:
            raise InputError(f"{where}: patient {patient} stands there twice, expected one row")
        if text:
            check_probability(text, f"{where}: patient {patient}")
            known[patient] = text
    places = {(row["design"], row["split"], row["set"], row["patient"]): row for row in predictions}
    if not any(row["patient"] in known for row in places.values()):
        raise InputError(
            f"{where}: none of its {len(known)} patients is in the study, expected pseudonyms as in "
            "cohort.csv"
        )
    for place in places.values():
        if place["patient"] in known:
            yield {**place, "model": comparator["name"], "probability": known[place["patient"]]}
