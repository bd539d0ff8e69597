"""Variance of a test AUC, and of a patient's log-odds, by source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thyrocast.contract.names import ALL_SPLITS, Status
from thyrocast.contract.stability import VARIANCE, VarianceSource
from thyrocast.statistics import discrimination, inputs, stability
from thyrocast.statistics.inputs import NotEstimableError

Array = NDArray[np.float64]

#: Fewest splits between which a variance is estimated.
FEWEST_SPLITS = 3
NOT_RETRAINED = "networks were not trained again: no interval of the report contains this source"
#: Sources of the AUC without which those of the splits are not complete.
NEEDED = (VarianceSource.TEST_PATIENTS, VarianceSource.TRAINING_PATIENTS, VarianceSource.SEED)


def of_split(
    head: Mapping[str, Any],
    draw: NDArray[np.int64],
    refitted: Array,
    area: Array,
    observed: tuple[NDArray[np.bool_], Array],
    between_trainings: Mapping[str, float],
    visible: bool,
) -> Iterator[dict[str, Any]]:
    """Rows of `VARIANCE` of a model in one split.

    Parameters
    ----------
    head
        Design, split and model.
    draw : ndarray of int, (b,)
        Bootstrap sample of each fit.
    refitted : ndarray, (b, n)
        Probabilities of test patients by each fit.
    area : ndarray, (1 + b,)
        AUC of the study's model, and of each fit.
    observed
        Outcomes and the study's probabilities (n,).
    between_trainings
        Variance of each quantity between trainings of the networks; empty if there is one only.
    visible
        Whether the test set may be reported.
    """
    row = dict.fromkeys(VARIANCE.names) | dict(head)
    if not visible:
        note = "too few patients, or a test set with too few could be derived"
        for quantity, sources in _SOURCES.items():
            for source in sources:
                yield row | {
                    "quantity": quantity, "source": source.value,
                    "status": Status.SUPPRESSED.value, "note": note,
                }  # fmt: skip
        return
    quantities = {"auc": area[1:, None], "log_odds": inputs.logit(refitted)}
    for quantity, sources in _SOURCES.items():
        found = _components(quantities[quantity], draw)
        if quantity in between_trainings:
            found[VarianceSource.NETWORK_SEED] = between_trainings[quantity]
        if quantity == "auc":
            found[VarianceSource.TEST_PATIENTS] = _of_test_patients(*observed)
        for source in sources:
            yield _row(row | {"quantity": quantity, "source": source.value}, found.get(source))


_SOURCES = {
    "auc": (
        VarianceSource.TEST_PATIENTS,
        VarianceSource.TRAINING_PATIENTS,
        VarianceSource.SEED,
        VarianceSource.NETWORK_SEED,
    ),
    "log_odds": (
        VarianceSource.TRAINING_PATIENTS,
        VarianceSource.SEED,
        VarianceSource.NETWORK_SEED,
    ),
}


def of_network(
    head: Mapping[str, Any],
    observed: tuple[NDArray[np.bool_], Array],
    between_trainings: Mapping[str, float],
) -> Iterator[dict[str, Any]]:
    """Rows of `VARIANCE` of the network itself, which is trained with other seeds only.

    Parameters
    ----------
    head
        Design, split and model.
    observed
        Outcomes and the study's probabilities (n,).
    between_trainings
        Variance of each quantity between trainings.
    """
    row = dict.fromkeys(VARIANCE.names) | dict(head)
    test = row | {"quantity": "auc", "source": VarianceSource.TEST_PATIENTS.value}
    yield _row(test, _of_test_patients(*observed))
    for quantity in _SOURCES:
        source = {"quantity": quantity, "source": VarianceSource.NETWORK_SEED.value}
        yield _row(row | source, between_trainings.get(quantity))


def _row(row: dict[str, Any], value: float | None) -> dict[str, Any]:
    if value is None:
        of_seed = row["source"] == VarianceSource.NETWORK_SEED
        note = NOT_RETRAINED if of_seed else "cannot be estimated"
        return row | {"status": Status.NOT_ESTIMABLE.value, "note": note}
    return row | {
        "variance": value,
        "deviation": float(np.sqrt(value)),
        "status": Status.ESTIMATED.value,
        "note": "",
    }


def _components(values: Array, draw: NDArray[np.int64]) -> dict[VarianceSource, float | None]:
    """Variance between and within bootstrap samples, averaged over quantities (b, q)."""
    if not np.isfinite(values).all():
        return {}
    try:
        found = stability.variance_components(values, draw)
    except NotEstimableError:
        return {}
    return {
        VarianceSource.TRAINING_PATIENTS: float(found.between.mean()),
        VarianceSource.SEED: float(found.within.mean()),
    }


def _of_test_patients(outcome: NDArray[np.bool_], probability: Array) -> float | None:
    try:
        return float(discrimination.delong(outcome, probability[None])[1][0, 0])
    except NotEstimableError:
        return None


def between(
    head: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    areas: Sequence[float],
    visible: bool,
) -> dict[str, Any]:
    """Variance of the AUC between splits beyond that of all other sources, by the method of moments.

    Parameters
    ----------
    head
        Design and model.
    rows
        Rows of `VARIANCE` of the splits.
    areas
        AUC of the study's model in each split.
    visible
        Whether all test patients together may be reported.
    """
    row = dict.fromkeys(VARIANCE.names) | dict(head) | {
        "split": ALL_SPLITS, "quantity": "auc", "source": VarianceSource.SPLIT.value,
    }  # fmt: skip
    if not visible:
        return row | {"status": Status.SUPPRESSED.value, "note": "too few patients"}
    own = [one for one in rows if one["model"] == head["model"] and one["quantity"] == "auc"]
    estimated = [one for one in own if one["variance"] is not None]
    known = [one["variance"] for one in estimated]
    needed = sum(one["source"] in NEEDED for one in estimated)
    complete = needed == len(NEEDED) * len(areas) and bool(np.isfinite(areas).all())
    if len(areas) < FEWEST_SPLITS or not complete:
        note = f"needs at least {FEWEST_SPLITS} splits that may be reported"
        return row | {"status": Status.NOT_ESTIMABLE.value, "note": note}
    explained = sum(known) / len(areas)
    return _row(row, max(float(np.var(areas, ddof=1)) - explained, 0.0))
