"""Check tables of results that other groups sent, before any job; standard library only."""

from collections.abc import Iterator
from pathlib import Path

from thyrocast.config.evaluation import ExternalPredictionsConfig
from thyrocast.config.study import StudyConfig
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.files import VERSION
from thyrocast.errors import InputError
from thyrocast.tables.external import read_probabilities
from thyrocast.tables.spreadsheet import read_sheet


def faults(study: StudyConfig) -> Iterator[str]:
    """Yield what is wrong with the study's external predictions and summaries of other consortia."""
    for external in study.evaluation.external_predictions:
        yield from _external(external)
    for file in study.evaluation.summaries:
        yield from _summary(file, study)


def _external(external: ExternalPredictionsConfig) -> Iterator[str]:
    where = f"key evaluation.external_predictions, {external.name}"
    try:
        read_probabilities(external.table, external.column, where)
    except InputError as error:
        text = str(error)
        yield text if text.startswith(where) else f"{where}: {text}"


def _summary(file: str, study: StudyConfig) -> Iterator[str]:
    where = f"key evaluation.summaries: {file}"
    if not Path(file).is_file():
        yield f"{where}: there is no such file, expected a table `evaluation/performance.csv`"
        return
    try:
        sheet = read_sheet(file, names=PERFORMANCE.names)
    except InputError as error:
        yield f"{where}: {error}"
        return
    missing = [name for name in PERFORMANCE.names if name not in sheet.header]
    if missing:
        yield (
            f"{where} has no column {missing[0]}: it is no table `evaluation/performance.csv` of this "
            "version of thyrocast"
        )
        return
    for column, expected, key in (
        ("level", study.evaluation.confidence, "evaluation.confidence"),
        ("outcomes", study.outcomes.value, "outcomes"),
        ("simulated", study.simulation is not None, "simulation"),
        ("contract", VERSION, "the version of thyrocast"),
    ):
        found = sorted(set(sheet.column(column)))
        if any(_plain(cell) != _plain(str(expected)) for cell in found):
            yield (
                f"{where}, column {column} is {' and '.join(map(repr, found))}, but this study has "
                f"{expected} ({key}): a table of another kind can't be pooled with it"
            )


def _plain(cell: str) -> float | str:
    """Return a cell as number if it is one; true and false are 1 and 0."""
    try:
        return float({"true": "1", "false": "0"}.get(cell.casefold(), cell))
    except ValueError:
        return cell.casefold()
