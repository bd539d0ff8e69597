"""Tables about the fits of a design: instability of predictions, selection, and variance by source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import io, stability
from thyrocast.contract.names import ALL_SPLITS, Model, Status
from thyrocast.contract.stability import StabilityMeasure
from thyrocast.contract.table import Table
from thyrocast.evaluation.reported import Tested, reported
from thyrocast.signature.split import SplitData
from thyrocast.stability import trainings, variance
from thyrocast.stability.refits import Fitted
from thyrocast.statistics import calibration, discrimination
from thyrocast.statistics import stability as formulas
from thyrocast.statistics.inputs import NotEstimableError

Array = NDArray[np.float64]
Booleans = NDArray[np.bool_]

#: Groups of the instability plot, at most.
GROUPS = 10
#: A feature is selected often from this share of the samples on.
OFTEN = 0.8
#: Measures of performance in the test set.
SCORES: dict[StabilityMeasure, Callable[[Booleans, Array], float]] = {
    StabilityMeasure.AUC: discrimination.auc,
    StabilityMeasure.CALIBRATION_SLOPE: lambda y, p: calibration.slope(y, p).estimate,
    StabilityMeasure.OE_RATIO: lambda y, p: calibration.observed_expected(y, p).estimate,
}


@dataclass(frozen=True)
class FittedSplit:
    """A split and its fits.

    Attributes
    ----------
    design, split
        Names.
    data
        Its patients.
    fitted
        Fits, those of the training set itself first.
    retrained
        Fits to the networks of every training with another seed.
    """

    design: str
    split: str
    data: SplitData
    fitted: Fitted
    retrained: Sequence[Fitted] = ()

    @property
    def known(self) -> Booleans:
        """Which test patients have an outcome, (t,)."""
        return np.isfinite(self.data.outcome[~self.data.train])

    @property
    def patients(self) -> pd.DataFrame:
        """Test patients with an outcome."""
        return self.data.cohort[~self.data.train][self.known].reset_index(drop=True)

    @property
    def outcome(self) -> Booleans:
        """Whether each of them was cured, (n,)."""
        return np.asarray(self.data.outcome[~self.data.train][self.known] == 1)

    def tested(self) -> Tested:
        """What decides whether the split may be reported."""
        people = self.patients
        patient, center = (people[name].to_numpy(dtype=np.str_) for name in ("patient", "center"))
        return Tested(self.split, patient, center, self.outcome)


@dataclass(frozen=True)
class Moved:
    """How one model's predictions of n test patients move.

    Attributes
    ----------
    original : ndarray, (n,)
        Probabilities by the model of the study.
    refitted : ndarray, (b, n)
        By each fit to a bootstrap sample.
    draw : ndarray of int, (b,)
        Sample of each fit.
    once : ndarray of bool, (b,)
        The first fit to each sample.
    changed : ndarray, (n,)
        Classification instability; NaN without a threshold.
    scores : dict of ndarray, (1 + b,)
        Performance of the original and of each fit; NaN where it cannot be estimated.
    """

    original: Array
    refitted: Array
    draw: NDArray[np.int64]
    once: Booleans
    changed: Array
    scores: dict[StabilityMeasure, Array]


def moved(one: FittedSplit, model: Model) -> Moved | None:
    """Collect the predictions of a model; None if the study has not fitted it."""
    found, cut = one.fitted.probability[model][:, one.known], one.fitted.cut[model]
    first = int(np.flatnonzero(one.fitted.draw == 0)[0])
    if not np.isfinite(found[first]).all():
        return None
    usable = np.isfinite(found).all(axis=1) & (one.fitted.draw > 0)
    refitted, draw = found[usable], one.fitted.draw[usable]
    if len(refitted) < 2 or not found.shape[1]:
        return None
    once = np.zeros(len(draw), dtype=np.bool_)
    once[np.unique(draw, return_index=True)[1]] = True
    changed = np.full(found.shape[1], np.nan)
    decided = np.isfinite(cut[usable])
    if np.isfinite(cut[first]) and decided.any():
        changed = formulas.decisions(
            found[first] >= cut[first], (refitted >= cut[usable][:, None])[decided & once]
        )
    everyone = np.vstack([found[first], refitted])
    scores = {
        measure: np.array([_score(score, one.outcome, row) for row in everyone])
        for measure, score in SCORES.items()
    }
    return Moved(found[first], refitted, draw, once, changed, scores)


def _score(score: Callable[[Booleans, Array], float], outcome: Booleans, row: Array) -> float:
    try:
        return score(outcome, row)
    except NotEstimableError:
        return np.nan


def run(splits: Sequence[FittedSplit], least: MinimumCountConfig) -> dict[Table, pd.DataFrame]:
    """Assess the stability of every model of a design.

    Parameters
    ----------
    splits
        All splits of a design, with their fits.
    least
        Fewest patients of a reported set.

    Returns
    -------
    dict
        The tables `contract.stability.TABLES`.
    """
    tested = [one.tested() for one in splits]
    allowed = reported(splits[0].design, tested, least)
    # Networks are not trained on other patients: what recalibration alone moves says nothing about them.
    models = [
        name
        for name in dict.fromkeys(name for one in splits for name in one.fitted.probability)
        if name is not Model.NETWORK
    ]
    rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in stability.TABLES}
    for model in models:
        found = {
            one.split: result
            for one in splits
            if model in one.fitted.probability and (result := moved(one, model)) is not None
        }
        shown = [one for one in splits if one.split in found]
        for one in shown:
            head = {"design": one.design, "split": one.split, "model": model.value}
            result, visible = found[one.split], one.split in allowed or len(splits) == 1
            visible = visible and ALL_SPLITS in allowed
            rows[stability.MODELS] += _performance(head, [one], [result], visible)
            rows[stability.PATIENTS] += _patients(head, one, result)
            rows[stability.VARIANCE] += variance.of_split(
                head, result.draw, result.refitted, result.scores[StabilityMeasure.AUC],
                (one.outcome, result.original), _between_trainings(one, model), visible,
            )  # fmt: skip
            if visible:
                rows[stability.CURVE] += _curve(head, result, least)
        if len(splits) > 1 and shown:
            head = {"design": splits[0].design, "split": ALL_SPLITS, "model": model.value}
            results = [found[one.split] for one in shown]
            visible = ALL_SPLITS in allowed
            rows[stability.MODELS] += _performance(head, shown, results, visible)
            rows[stability.VARIANCE].append(
                variance.between(head, rows[stability.VARIANCE], _areas(results), visible)
            )
    for one in splits:
        rows[stability.SELECTION] += _selection(one)
        if ALL_SPLITS in allowed and (one.split in allowed or len(splits) == 1):
            _add_trainings(rows, one)
    return {table: io.build(table, found) for table, found in rows.items()}


def _add_trainings(rows: dict[Table, list[dict[str, Any]]], one: FittedSplit) -> None:
    """Add the rows of a split that may be reported about its members and its trainings."""
    fits = [one.fitted, *one.retrained]
    for model in one.fitted.members:
        by_member = trainings.odds(fits, model, one.known)
        if by_member is None:
            continue
        head = {"design": one.design, "split": one.split, "model": model.value}
        rows[stability.AVERAGING] += trainings.averaging(head, by_member, one.outcome)
        if model is Model.NETWORK and one.retrained:
            observed = one.outcome, one.fitted.probability[model][0][one.known]
            variances = trainings.seed_variance(by_member, one.outcome)
            rows[stability.VARIANCE] += variance.of_network(head, observed, variances)


def _between_trainings(one: FittedSplit, model: Model) -> dict[str, float]:
    by_member = trainings.odds([one.fitted, *one.retrained], model, one.known)
    return {} if by_member is None else trainings.seed_variance(by_member, one.outcome)


def _areas(results: Sequence[Moved]) -> list[float]:
    """AUC of the study's model in each split."""
    return [float(one.scores[StabilityMeasure.AUC][0]) for one in results]


def _performance(
    head: dict[str, Any], splits: Sequence[FittedSplit], results: Sequence[Moved], visible: bool
) -> Iterator[dict[str, Any]]:
    """Rows of `MODELS`: of one split, or over several."""
    outcome = np.concatenate([one.outcome for one in splits])
    fits = min(int(one.once.sum()) for one in results)
    empty = dict.fromkeys(stability.MODELS.names) | head | {"resamples": fits, "note": ""}
    sizes = {"n": len(outcome), "events": int(outcome.sum())}
    weight = np.array([len(one.outcome) for one in splits], dtype=np.float64)
    over_patients = {
        StabilityMeasure.MAPE: [
            formulas.predictions(one.original, one.refitted[one.once]).error for one in results
        ],
        StabilityMeasure.CLASSIFICATION_INSTABILITY: [one.changed for one in results],
    }
    for measure in StabilityMeasure:
        row = empty | {"measure": measure.value}
        if not visible:
            yield row | {
                "status": Status.SUPPRESSED.value,
                "note": "too few patients, or a test set with too few could be derived",
            }
            continue
        original = np.nan
        if measure in over_patients:
            values = np.concatenate(over_patients[measure])
            reason = "no threshold can be chosen"
        else:
            every = [(one.scores[measure][0], one.scores[measure][1:][one.once]) for one in results]
            share = weight / weight.sum()
            original = float(share @ [first for first, _ in every])
            values = share @ np.stack([again[:fits] for _, again in every])
            reason = "cannot be estimated in the test set"
        values = values[np.isfinite(values)]
        if len(values) < 2 or (measure not in over_patients and not np.isfinite(original)):
            yield row | sizes | {"status": Status.NOT_ESTIMABLE.value, "note": reason}
            continue
        found = {
            "original": None if measure in over_patients else original,
            "mean": float(values.mean()),
            "status": Status.ESTIMATED.value,
        }
        # Splits share training patients, but their samples are drawn apart: means over splits of one
        # sample each vary less than results of refitted splits would.
        if len(splits) == 1 or measure in over_patients:
            low, high = np.quantile(values, [0.025, 0.975])
            spread = float(values.std(ddof=1))
            found |= {"spread": spread, "low": float(low), "high": float(high)}
        yield row | sizes | found


def _patients(head: dict[str, Any], one: FittedSplit, result: Moved) -> Iterator[dict[str, Any]]:
    shift = formulas.predictions(result.original, result.refitted[result.once])
    people = one.patients
    for place, changed in enumerate(result.changed):
        row = {
            "patient": people["patient"].iloc[place],
            "center": people["center"].iloc[place],
            "probability": result.original[place],
            "low": shift.low[place],
            "high": shift.high[place],
            "mape": shift.error[place],
            "classification_instability": changed if np.isfinite(changed) else None,
        }
        yield head | row


def _curve(
    head: dict[str, Any], result: Moved, least: MinimumCountConfig
) -> Iterator[dict[str, Any]]:
    """Groups of patients by their probability, none with fewer patients than may be reported."""
    number = max(1, min(GROUPS, len(result.original) // max(least.patients, 1)))
    shift = formulas.predictions(result.original, result.refitted[result.once])
    order = np.argsort(result.original, kind="stable")
    for place, members in enumerate(np.array_split(order, number), start=1):
        yield head | {
            "group": place,
            "probability": float(result.original[members].mean()),
            "low": float(shift.low[members].mean()),
            "high": float(shift.high[members].mean()),
            "mape": float(shift.error[members].mean()),
            "n": len(members),
        }


def _selection(one: FittedSplit) -> Iterator[dict[str, Any]]:
    drawn = one.fitted.draw > 0
    once = np.flatnonzero(drawn)[np.unique(one.fitted.draw[drawn], return_index=True)[1]]
    for member, selected in one.fitted.selected.items():
        chosen = selected[once]
        count = chosen.sum(axis=1)
        low, high = np.quantile(count, [0.025, 0.975])
        row = dict.fromkeys(stability.SELECTION.names) | {
            "design": one.design,
            "split": one.split,
            "member": member,
            "features": float(count.mean()),
            "features_low": float(low),
            "features_high": float(high),
            "often": int((chosen.mean(axis=0) >= OFTEN).sum()),
            "resamples": len(chosen),
        }
        try:
            found = formulas.selection(chosen)
        except NotEstimableError as error:
            yield row | {"status": Status.NOT_ESTIMABLE.value, "note": str(error)}
            continue
        yield row | {
            "stability": found.estimate,
            "ci_low": found.low,
            "ci_high": found.high,
            "status": Status.ESTIMATED.value,
            "note": "",
        }
