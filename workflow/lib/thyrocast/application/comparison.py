"""Comparison of a locked model's predictions with those of the study that made it."""

from collections.abc import Iterator
from pathlib import Path

from thyrocast.contract import io
from thyrocast.contract.names import Set
from thyrocast.contract.splits import PREDICTIONS
from thyrocast.errors import InputError

_FILE = Path("splits/external/all/predictions.csv")


def compare(study: Path, applied: Path) -> int:
    """Return the number of predictions that both made, which are equal to the bit.

    Parameters
    ----------
    study, applied
        Folders ``results/<study>``: of the study that made the model, and of the study that applied it.

    Raises
    ------
    InputError
        If a prediction of the second differs from the first, or is missing there.
    """
    made = dict(_probabilities(study))
    found = dict(_probabilities(applied))
    for patient, model in found.keys() - made.keys():
        raise InputError(
            f"{applied}: patient {patient} is not predicted by model {model} in {study}: compare studies "
            "with the same center and the same pseudonym key"
        )
    differs = {key: abs(value - made[key]) for key, value in found.items() if value != made[key]}
    if differs:
        (patient, model), largest = max(differs.items(), key=lambda item: item[1])
        raise InputError(
            f"{applied}: {len(differs)} of {len(found)} predictions differ from {study}, by up to "
            f"{largest:.2g}, that of patient {patient} by model {model}"
        )
    return len(found)


def _probabilities(results: Path) -> Iterator[tuple[tuple[str, str], float]]:
    """Yield patient, model and probability of test patients."""
    rows = io.read(PREDICTIONS, results / _FILE)
    rows = rows[rows["set"] == Set.TEST]
    columns = (rows[name].to_list() for name in ("patient", "model", "probability"))
    for patient, model, probability in zip(*columns, strict=True):
        yield (patient, model), probability
