"""Equations of the baselines in natural units, from the model.json of a split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


class StoredScale(BaseModel):
    """Mean and spread by which a member's log-odds are standardized."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    mean: float = 0.0
    spread: float = 1.0


class StoredRecalibration(BaseModel):
    """Intercept and slope of a model's recalibration."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    intercept: float = 0.0
    slope: float = 1.0


@dataclass(frozen=True)
class Spline:
    """Basis function of three knots with its coefficient."""

    coefficient: float
    knots: tuple[float, ...]

    def value(self, z: Floats) -> Floats:
        """Contribution to the log-odds (n,) of z (n,)."""
        return self.coefficient * basis(z, self.knots)


@dataclass(frozen=True)
class Effect:
    """One predictor of an equation.

    Attributes
    ----------
    term
        How the predictor becomes a number z: the value, its logarithm, or 1 for a level.
    coefficient
        Change of the log-odds per unit of z, apart from the splines.
    splines
        One for each member with a bend of this predictor; knots are on the scale of z.
    """

    term: Term
    coefficient: float
    splines: tuple[Spline, ...] = ()

    def value(self, z: Floats) -> Floats:
        """Contribution to the log-odds (n,) of z (n,)."""
        return np.asarray(self.coefficient * z + sum(one.value(z) for one in self.splines))

    @property
    def key(self) -> tuple[str, str | None, bool]:
        """What makes two terms the same predictor: column, level, and whether it is a logarithm."""
        return self.term.column, self.term.level, self.term.floor is not None


@dataclass(frozen=True)
class Equation:
    """Log-odds of cure of a baseline: intercept plus the sum of the effects, in natural units.

    Attributes
    ----------
    intercept
    effects
        One per predictor.
    indicators
        Predictors whose missingness is a predictor, with the coefficient of "is missing".
    members
        How many fitted models it is the mean of.
    """

    intercept: float
    effects: Sequence[Effect]
    indicators: Sequence[tuple[Term, float]]
    members: int = 1


def basis(z: Floats, knots: Sequence[float]) -> Floats:
    """Restricted cubic spline basis of three knots (Harrell 2015), (n,)."""
    first, second, third = knots
    cubes = [np.maximum(z - knot, 0) ** 3 for knot in knots]
    outer = third - second
    joined = cubes[0] - cubes[1] * (third - first) / outer + cubes[2] * (second - first) / outer
    return np.asarray(joined / (third - first) ** 2)


def natural(stored: Stored) -> Equation:
    """Rewrite one fitted baseline, whose terms are standardized, in natural units.

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
    # A model that predicts the prevalence has terms, but no coefficients.
    for place, (term, weight) in enumerate(zip(stored.coding, linear, strict=bool(linear))):
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
        effects.append(Effect(term, slope, (Spline(share / term.scale, knots),)))
    missing = zip(stored.indicators, stored.coefficients[size + bends :], strict=True)
    return Equation(
        intercept, effects, [(stored.coding[place], weight) for place, weight in missing]
    )


def mean(
    equations: Sequence[Equation], scales: Sequence[StoredScale], again: StoredRecalibration
) -> Equation:
    """Combine the equations of a model's members: standardized, averaged and recalibrated."""
    intercept, effects = again.intercept, dict[tuple[str, str | None, bool], Effect]()
    indicators: dict[str, tuple[Term, float]] = {}
    for equation, scale in zip(equations, scales, strict=True):
        if scale.spread == 0:
            continue
        weight = again.slope / len(equations) / scale.spread
        intercept += weight * (equation.intercept - scale.mean)
        for effect in equation.effects:
            before = effects.get(effect.key, Effect(effect.term, 0.0))
            more = tuple(Spline(weight * one.coefficient, one.knots) for one in effect.splines)
            effects[effect.key] = Effect(
                before.term, before.coefficient + weight * effect.coefficient, before.splines + more
            )
        for term, coefficient in equation.indicators:
            known = indicators.get(term.column, (term, 0.0))[1]
            indicators[term.column] = (term, known + weight * coefficient)
    return Equation(intercept, [*effects.values()], [*indicators.values()], len(equations))


def read(path: Path) -> dict[str, Equation]:
    """Read the equations of a split's baselines from its model.json, by model."""
    content = fileio.read_json(path)
    members: Sequence[Mapping[str, Any]] = [*content["members"].values()]
    found = {}
    for name in BASELINES:
        mine = [member for member in members if name in member["baselines"]]
        if mine:
            found[name.value] = mean(
                [natural(Stored.model_validate(one["baselines"][name])) for one in mine],
                [StoredScale.model_validate(one["scales"].get(name, {})) for one in mine],
                StoredRecalibration.model_validate(content["recalibration"].get(name, {})),
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
    def numbered(first: Cell, value: float, last: Cell | None = None) -> list[Cell]:
        return [first, Cell(numbers.significant(value, _DIGITS)), last or Cell("")]

    rows = [numbered(label("Intercept"), equation.intercept)]
    rows += [
        numbered(label(title(one.term), _coded(one.term)), one.coefficient, _splines(one))
        for one in equation.effects
    ]
    rows += [
        numbered(label(f"{title(term)}: missing", "1 if missing, else 0"), weight)
        for term, weight in equation.indicators
    ]
    note = (
        "Log-odds of cure = intercept + sum of coefficient × z, where z is the value as coded; "
        "a spline adds its coefficient × B(z), the restricted cubic spline basis of its three knots "
        "(Harrell 2015). A value below the smallest of the training set is set to it before the "
        "logarithm is taken. Probability = 1/(1 + exp(−log-odds)), recalibration included."
    )
    if equation.members > 1:
        note += f" The mean of {equation.members} members, one for each fold."
    note += " All digits: signature/model.json of the split."
    where = words.design(split.design)
    caption = f"Equation of the model “{words.model(model).lower()}” ({where}, split {split.name})"
    return Grid(caption, ["Predictor", "Coefficient", "Splines: coefficient (knots)"], rows, note)


def title(term: Term) -> str:
    """Name of a term: the column in words, with its level."""
    name = _COMPUTED.get(term.column, words.column(term.column))
    return name if term.level is None else f"{name}: {term.level}"


def _coded(term: Term) -> str:
    if term.level is not None:
        return "1 if so, else 0"
    return "natural logarithm" if term.floor is not None else ""


def _splines(effect: Effect) -> Cell:
    texts = []
    for spline in effect.splines:
        knots = ", ".join(numbers.significant(knot, _DIGITS) for knot in spline.knots)
        texts.append(f"{numbers.significant(spline.coefficient, _DIGITS)} ({knots})")
    return Cell("", "; ".join(texts), number=False)
