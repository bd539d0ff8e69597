"""Read probabilities of cure from a table that somebody else made."""

from collections.abc import Mapping
from pathlib import Path

from thyrocast.errors import InputError
from thyrocast.tables.spreadsheet import read_sheet


def read_probabilities(table: str | Path, column: str, where: str) -> Mapping[str, float]:
    """Return the probability of each patient that has one.

    Parameters
    ----------
    table
        CSV or XLSX file with a column ``patient``.
    column
        The column of the probabilities.
    where
        What the table is, for messages.

    Raises
    ------
    InputError
        If the file or a column is missing, a patient has two rows, a probability is not from 0 to 1,
        or no patient has one.
    """
    file = Path(table).expanduser()
    if not file.is_file():
        raise InputError(f"{where}: there is no file {file}, expected a table of probabilities")
    sheet = read_sheet(file, names=("patient", column))
    for name in ("patient", column):
        if name not in sheet.header:
            raise InputError(
                f"{where}: {file} has no column {name!r}, expected one of "
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
    if not known:
        raise InputError(f"{where}: no patient has a probability, expected at least one")
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
