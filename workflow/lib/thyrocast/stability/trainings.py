"""Networks trained again with other seeds: how far results move, and what averaging gives."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thyrocast.contract.names import Model
from thyrocast.contract.stability import AveragedUnit
from thyrocast.stability.refits import Fitted
from thyrocast.statistics import discrimination
from thyrocast.statistics.inputs import NotEstimableError

Array = NDArray[np.float64]
Booleans = NDArray[np.bool_]

#: Combinations of members or trainings that are averaged, at most.
COMBINATIONS = 200


def odds(fits: Sequence[Fitted], model: Model, known: Booleans) -> Array | None:
    """Return the log-odds (s, m, n) of n test patients by m members of s trainings of a model.

    Parameters
    ----------
    fits
        Fits of the study, then those of every training with another seed; each contains the fit to the
        training set itself.
    model
        The model.
    known
        Which test patients are used.

    Returns
    -------
    ndarray or None
        None if the model was not fitted.
    """
    if not all(model in one.members for one in fits):
        return None
    found = np.stack([one.members[model][:, known] for one in fits])
    return found if found.shape[2] and np.isfinite(found).all() else None


def seed_variance(by_member: Array, outcome: Booleans) -> dict[str, float]:
    """Return the variance between trainings, of the AUC and of a patient's log-odds (mean over patients).

    Parameters
    ----------
    by_member : ndarray, (s, m, n)
        Log-odds by each member of each training.
    outcome : ndarray of bool, (n,)

    Returns
    -------
    dict
        `auc` and `log_odds`; without what cannot be estimated, empty for one training.
    """
    joined = by_member.mean(axis=1)
    if len(joined) < 2:
        return {}
    found = {"log_odds": float(joined.var(axis=0, ddof=1).mean())}
    with contextlib.suppress(NotEstimableError):
        found["auc"] = float(np.var([discrimination.auc(outcome, row) for row in joined], ddof=1))
    return found


def averaging(
    head: Mapping[str, Any], by_member: Array, outcome: Booleans
) -> Iterator[dict[str, Any]]:
    """Rows of `AVERAGING` of a model in one split.

    Parameters
    ----------
    head
        Design, split and model.
    by_member : ndarray, (s, m, n)
        Log-odds by each member of each training.
    outcome : ndarray of bool, (n,)
    """
    trainings, members = by_member.shape[:2]
    sizes = {"trainings": trainings, "n": len(outcome), "events": int(outcome.sum())}
    joined = by_member.mean(axis=1)[None]
    for unit, groups, most in (
        (AveragedUnit.MEMBER, by_member, members),
        (AveragedUnit.TRAINING, joined, trainings if trainings > 1 else 0),
    ):
        for count in range(1, most + 1):
            means = [
                group[list(chosen)].mean(axis=0)
                for group in groups
                for chosen in _combinations(most, count, COMBINATIONS // len(groups))
            ]
            try:
                areas = [discrimination.auc(outcome, row) for row in means]
            except NotEstimableError:
                return
            yield dict(head) | sizes | {
                "unit": unit.value,
                "averaged": count,
                "combinations": len(areas),
                "auc": float(np.mean(areas)),
                "spread": float(np.std(areas, ddof=1)) if len(areas) > 1 else None,
            }  # fmt: skip


def _combinations(of: int, count: int, most: int) -> list[tuple[int, ...]]:
    """Combinations of `count` of `of` numbers: all of them, or evenly spaced ones of them."""
    number = math.comb(of, count)
    step = max(1, -(-number // max(most, 1)))
    return list(itertools.islice(itertools.combinations(range(of), count), 0, None, step))
