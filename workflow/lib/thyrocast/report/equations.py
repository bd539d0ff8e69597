"""Equations of the baselines in natural units, from the model.json of a split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from thyrocast import fileio
from thyrocast.baselines.coding import Term
from thyrocast.baselines.splines import Bend
from thyrocast.contract.names import BASELINES
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label
from thyrocast.report import words
from thyrocast.report.study import SplitResults, StudyResults

Floats = npt.NDArray[np.float64]
#: Predictors that are computed from columns of the cohort, in words.
_COMPUTED = {
    "activity_per_gram": "Administered activity per gram of gland, MBq/g",
    "retained_per_gram": "Activity per gram of gland after 24 h, MBq/g",
    "absorbed_dose": "Absorbed dose of the gland, Gy",
    "network_logit": "Log-odds of the network",
    "signature_logit": "Log-odds of the signature",
}
_DIGITS = 4


class Stored(BaseModel):
    """What a baseline's equation needs of its part of model.json."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    coding: tuple[Term, ...]
    bends: tuple[Bend, ...]
    indicators: tuple[int, ...]
    intercept: float
    coefficients: tuple[float, ...]


class StoredRecalibration(BaseModel):
    """Intercept and slope of a model's recalibration."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    intercept: float
    slope: float


@dataclass(frozen=True)
class Effect:
    """One predictor of an equation.

    Attributes
    ----------
    term
        How the predictor becomes a number z: the value, its logarithm, or 1 for a level.
    coefficient
        Change of the log-odds per unit of z.
    bend
        Coefficient of the spline's basis function; 0 without one.
    knots
        Knots of the basis function on the scale of z; empty without one.
    """

    term: Term
    coefficient: float
    bend: float = 0.0
    knots: tuple[float, ...] = ()

    def value(self, z: Floats) -> Floats:
        """Contribution to the log-odds (n,) of z (n,)."""
        return self.coefficient * z + (self.bend * basis(z, self.knots) if self.knots else 0.0)


@dataclass(frozen=True)
class Equation:
    """Log-odds of cure of a baseline, before recalibration: intercept plus the sum of the effects.

    Attributes
    ----------
    intercept
        In natural units.
    effects
        One per term.
    indicators
        Predictors whose missingness is a predictor, with the coefficient of "is missing".
    recalibration
        Intercept and slope, applied to the log-odds; None if the model is not recalibrated.
    """

    intercept: float
    effects: Sequence[Effect]
    indicators: Sequence[tuple[Term, float]]
    recalibration: StoredRecalibration | None


def basis(z: Floats, knots: Sequence[float]) -> Floats:
    """Restricted cubic spline basis of three knots (Harrell 2015), (n,)."""
    first, second, third = knots
    cubes = [np.maximum(z - knot, 0) ** 3 for knot in knots]
    outer = third - second
    joined = cubes[0] - cubes[1] * (third - first) / outer + cubes[2] * (second - first) / outer
    return np.asarray(joined / (third - first) ** 2)


def natural(stored: Stored, recalibration: StoredRecalibration | None) -> Equation:
    """Rewrite a baseline, which is fitted to standardized terms, in natural units.

    Notes
    -----
    The mean of a coded level would give the number of patients with it; in natural units no mean
    is needed.
    """
    size, bends = len(stored.coding), len(stored.bends)
    linear = stored.coefficients[:size]
    by_term = {
        bend.term: (bend, weight)
        for bend, weight in zip(stored.bends, stored.coefficients[size : size + bends], strict=True)
    }
    intercept, effects = stored.intercept, []
    for place, (term, weight) in enumerate(zip(stored.coding, linear, strict=True)):
        slope = weight / term.scale
        intercept -= slope * term.center
        if place not in by_term:
            effects.append(Effect(term, slope))
            continue
        bend, curved = by_term[place]
        # The basis function of standardized values, minus a line, divided by `scale`.
        share = curved / bend.scale
        intercept += share * (bend.slope * term.center / term.scale - bend.intercept)
        slope -= share * bend.slope / term.scale
        knots = tuple(term.center + term.scale * knot for knot in bend.knots)
        effects.append(Effect(term, slope, share / term.scale, knots))
    missing = zip(stored.indicators, stored.coefficients[size + bends :], strict=True)
    return Equation(
        intercept,
        effects,
        [(stored.coding[place], weight) for place, weight in missing],
        recalibration,
    )


def read(path: Path) -> dict[str, Equation]:
    """Read the equations of a split's baselines from its model.json, by model."""
    content = fileio.read_json(path)
    recalibrations: Mapping[str, object] = content.get("recalibration", {})
    found = {}
    for name in BASELINES:
        if name in content["baselines"]:
            again = recalibrations.get(name)
            found[name.value] = natural(
                Stored.model_validate(content["baselines"][name]),
                None if again is None else StoredRecalibration.model_validate(again),
            )
    return found


def equations_section(study: StudyResults) -> list[Grid]:
    """Tables of the baselines of the split that the locked model, or the strongest design, has."""
    split = chosen_split(study)
    if split is None:
        return []
    least = study.config.evaluation.minimum_count
    train = study.division[
        (study.division["design"] == split.design)
        & (study.division["split"] == split.name)
        & (study.division["set"] == "train")
    ]
    # Coefficients of a model of few patients would say something about each of them.
    if len(train) < least.patients:
        return []
    return [_grid(study, split, name, equation) for name, equation in read(split.model).items()]


def chosen_split(study: StudyResults) -> SplitResults | None:
    """The split whose models are quoted: all development patients if there is such a split."""
    whole = [split for split in study.splits if split.design == "external"]
    return next(iter([*whole, *study.splits]), None)


def _grid(study: StudyResults, split: SplitResults, model: str, equation: Equation) -> Grid:
    rows = [
        [
            label(title(effect.term), _coded(effect.term)),
            Cell(numbers.significant(effect.coefficient, _DIGITS)),
            _bend(effect),
        ]
        for effect in equation.effects
    ]
    rows += [
        [
            label(f"{title(term)}: missing", "1 if missing, else 0"),
            Cell(numbers.significant(weight, _DIGITS)),
            Cell(""),
        ]
        for term, weight in equation.indicators
    ]
    rows = [
        [label("Intercept"), Cell(numbers.significant(equation.intercept, _DIGITS)), Cell("")],
        *rows,
    ]
    note = (
        "Log-odds of cure = intercept + sum of coefficient × z, where z is the value as coded; "
        "a spline adds its coefficient × B(z), the restricted cubic spline basis of its three knots "
        "(Harrell 2015). A value below the smallest of the training set is set to it before the "
        "logarithm is taken."
    )
    again = equation.recalibration
    if again is not None:
        note += (
            f" Recalibrated: {numbers.significant(again.intercept, _DIGITS)} + "
            f"{numbers.significant(again.slope, _DIGITS)} × log-odds."
        )
    note += " Probability = 1/(1 + exp(−log-odds)). All digits: signature/model.json of the split."
    where = words.design(split.design)
    caption = f"Equation of the model “{words.model(model).lower()}” ({where}, split {split.name})"
    return Grid(caption, ["Predictor", "Coefficient", "Spline"], rows, note)


def title(term: Term) -> str:
    """Name of a term: the column in words, with its level."""
    name = _COMPUTED.get(term.column, words.column(term.column))
    return name if term.level is None else f"{name}: {term.level}"


def _coded(term: Term) -> str:
    if term.level is not None:
        return "1 if so, else 0"
    return "natural logarithm" if term.floor is not None else ""


def _bend(effect: Effect) -> Cell:
    if not effect.knots:
        return Cell("")
    knots = ", ".join(numbers.significant(knot, _DIGITS) for knot in effect.knots)
    return Cell(numbers.significant(effect.bend, _DIGITS), f"knots {knots}")
