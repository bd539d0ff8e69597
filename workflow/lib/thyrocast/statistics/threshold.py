"""The probability from which a patient is called cured: chosen in one set, used in another."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import inputs
from thyrocast.statistics.inputs import Booleans, Floats

#: Rules whose threshold is their target, and that need no patients.
GIVEN = ("net_benefit", "fixed")
RULES = ("youden", "sensitivity", "specificity", "cost_ratio", *GIVEN)


class TunedOnTestError(ValueError):
    """A threshold was to be scored on patients it was chosen on."""


@dataclass(frozen=True)
class Threshold:
    """A threshold that remembers whom it was chosen on."""

    value: float
    rule: str
    patients: frozenset[str] = field(repr=False)

    def decide(
        self, probability: ArrayLike, patients: ArrayLike, *, experiment: bool = False
    ) -> Booleans:
        """Call patients cured whose probability is at or above the threshold.

        Parameters
        ----------
        probability : array_like, (n,)
        patients : array_like of str, (n,)
            Who they are.
        experiment : bool
            Allow patients on whom the threshold was chosen (apparent performance).

        Raises
        ------
        TunedOnTestError
            If any of the patients helped to choose the threshold.
        """
        names = [str(name) for name in np.asarray(patients)]
        shared = self.patients.intersection(names)
        if shared and not experiment:
            raise TunedOnTestError(
                f"{len(shared)} of {len(names)} patients were used to choose this threshold: score "
                "it on others, or pass experiment=True to see the apparent performance"
            )
        return inputs.probability_array(probability, len(names)) >= self.value


def given(value: float, rule: str = "fixed") -> Threshold:
    """Take a threshold that no patient helped to choose."""
    return Threshold(float(value), rule, frozenset())


def choose(
    outcome: ArrayLike,
    probability: ArrayLike,
    patients: ArrayLike,
    rule: str = "youden",
    target: float | None = None,
) -> Threshold:
    """Choose a threshold on a training set.

    Candidates lie halfway between neighbouring probabilities, so that a threshold is not an
    accident of rounding; among equally good ones the middle one wins.

    Parameters
    ----------
    rule : str
        ``youden``: greatest sensitivity + specificity. ``sensitivity`` or ``specificity``: the
        other one as great as can be with this one at least ``target``. ``cost_ratio``: least cost
        when calling a failure cured costs ``target`` times as much as the reverse.
        ``net_benefit``: the threshold probability ``target`` itself, as decision theory has it.
        ``fixed``: ``target`` for whatever other reason.

    Raises
    ------
    NotEstimableError
        If one outcome is missing and the rule needs both.
    """
    y = inputs.outcome_array(outcome)
    p = inputs.probability_array(probability, y.size)
    who = frozenset(str(name) for name in np.asarray(patients))
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r}, expected one of {', '.join(RULES)}")
    if rule != "youden" and target is None:
        raise ValueError(f"rule {rule!r} needs a target")
    goal = 0.0 if target is None else float(target)
    if rule in GIVEN:
        return given(goal, rule)
    inputs.require_both(y, f"a threshold by {rule}")
    cuts = _candidates(p)
    sensitivity = 1 - np.searchsorted(np.sort(p[y]), cuts, side="left") / y.sum()
    specificity = np.searchsorted(np.sort(p[~y]), cuts, side="left") / (~y).sum()
    if rule == "youden":
        worth = sensitivity + specificity
    elif rule == "cost_ratio":
        prevalence = y.mean()
        worth = prevalence * sensitivity + (1 - prevalence) * goal * specificity
    else:
        held, other = sensitivity, specificity
        if rule == "specificity":
            held, other = specificity, sensitivity
        # Of cuts with the same other measure the one that holds more is better.
        worth = np.where(held >= goal - 1e-12, other + 1e-9 * held, -1.0)
    best = np.flatnonzero(worth >= worth.max() - 1e-12)
    return Threshold(float(cuts[best[(best.size - 1) // 2]]), rule, who)


def _candidates(p: Floats) -> Floats:
    """Cuts between neighbouring probabilities, and one at or beyond either end."""
    values = np.unique(p)
    between = (values[:-1] + values[1:]) / 2
    # 1 itself may be a probability; the cut above it is the next number that no patient reaches.
    above = (values[-1] + 1) / 2 if values[-1] < 1 else np.nextafter(1, 2)
    return np.concatenate([[values[0] / 2], between, [above]])
