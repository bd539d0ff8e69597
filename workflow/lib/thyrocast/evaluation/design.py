"""The evaluation of one design, from its predictions to its tables."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.evaluation import (
    OF_DESIGN,
    PERFORMANCE,
    PREDICTION_SETS,
    PREDICTIONS,
    THRESHOLDS,
)
from thyrocast.contract.files import VERSION
from thyrocast.contract.table import Table
from thyrocast.evaluation import decisions, groups, prediction_sets, samples
from thyrocast.evaluation.groups import Batch
from thyrocast.evaluation.registry import BATCH_SCORERS, SAMPLE_SCORERS
from thyrocast.evaluation.settings import Settings

#: Tables whose rows are computed here.
SCORED = tuple(table for table in OF_DESIGN if table is not PREDICTIONS)

logger = logging.getLogger("thyrocast")


def evaluate(
    predictions: pd.DataFrame, cohort: pd.DataFrame, settings: Settings, members: pd.DataFrame
) -> dict[Table, pd.DataFrame]:
    """Evaluate one design.

    Parameters
    ----------
    predictions
        Table `PREDICTIONS` of all splits of the design, external predictions included.
    cohort
        Table `COHORT`, for the subgroups.
    settings
        Config of the evaluation and seed.
    members
        Table `MEMBER_PREDICTIONS` of all splits of the design.

    Returns
    -------
    dict
        The tables `OF_DESIGN`.
    """
    known = samples.read(predictions)
    rules = settings.config.thresholds
    calibration = prediction_sets.calibrating(known, settings)
    if settings.locked is None:
        thresholds = {rule.rule: decisions.choose(known, rule) for rule in rules}
        signal = decisions.signals(known, calibration)
    else:
        thresholds, signal = decisions.of_locked(known, settings.locked.thresholds, rules)
    known = decisions.decide(known, thresholds, signal)
    p_values = prediction_sets.p_values(predictions, calibration, members)
    if settings.locked is not None:
        p_values |= prediction_sets.of_locked(predictions, settings.locked.predictions)
    known = prediction_sets.add(known, p_values, settings)
    frames: dict[Table, list[pd.DataFrame]] = {table: [] for table in SCORED}
    for batch in groups.batches(known, cohort, settings.config):
        _score(batch, settings, frames)
    frames[THRESHOLDS].append(decisions.table(known, thresholds, signal))
    frames[PREDICTION_SETS].append(prediction_sets.table(p_values, settings))
    run = _run(cohort, settings)
    frames[PERFORMANCE] = [part.assign(**run) for part in frames[PERFORMANCE]]
    found = {table: io.concat(table, parts) for table, parts in frames.items()}
    return found | {PREDICTIONS: predictions}


def _run(cohort: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Return what a reader of `PERFORMANCE` alone must know before pooling it with another table."""
    return {
        "level": settings.config.confidence,
        "outcomes": settings.outcomes.value,
        "simulated": bool(cohort["simulated"].fillna(False).any()),
        "contract": VERSION,
    }


def _score(batch: Batch, settings: Settings, frames: dict[Table, list[pd.DataFrame]]) -> None:
    """Append the rows of one batch to the frames of each table."""
    logger.info("split %s, %s set: %d models", batch.split, batch.set, len(batch.pooled))
    for index, sample in enumerate(batch.samples):
        if index in batch.suppressed:
            frames[PERFORMANCE].append(groups.suppressed_row(sample, settings.config.minimum_count))
            continue
        for scorer in SAMPLE_SCORERS:
            if sample.group.kind in scorer.kinds:
                frames[scorer.table].append(scorer.score(sample, settings))
    for together in BATCH_SCORERS:
        frames[together.table] += together.score(batch, settings)
