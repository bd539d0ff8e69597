"""Check tables of results that other groups sent, before any job; standard library only."""

from collections.abc import Iterator

from thyrocast.config.evaluation import ExternalPredictionsConfig
from thyrocast.config.study import StudyConfig
from thyrocast.errors import InputError
from thyrocast.tables.external import read_probabilities


def faults(study: StudyConfig) -> Iterator[str]:
    """Yield what is wrong with the study's external predictions."""
    for external in study.evaluation.external_predictions:
        yield from _external(external)


def _external(external: ExternalPredictionsConfig) -> Iterator[str]:
    where = f"key evaluation.external_predictions, {external.name}"
    try:
        read_probabilities(external.table, external.column, where)
    except InputError as error:
        text = str(error)
        yield text if text.startswith(where) else f"{where}: {text}"
