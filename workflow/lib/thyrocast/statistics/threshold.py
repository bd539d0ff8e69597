"""Decision thresholds: chosen in one set of patients, applied to another."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import inputs
from thyrocast.statistics.inputs import Booleans, Floats

#: Rules whose threshold is their target, so that they do not need patients.
GIVEN = ("net_benefit", "fixed")
RULES = ("youden", "sensitivity", "specificity", "cost_ratio", *GIVEN)


class TunedOnTestError(ValueError):
    """Raised if a threshold would be scored on patients on whom it was chosen."""


@dataclass(frozen=True)
class Threshold:
    """A threshold with the patients that it was chosen on.

    Attributes
    ----------
    value : float
        Probability of cure from which a patient is called cured.
    rule : str
        How it was chosen.
    patients : frozenset of str
        Patients that it was chosen on; empty for a given threshold.
    """

    value: float
    rule: str
    patients: frozenset[str] = field(repr=False)

    def decide(
        self, probability: ArrayLike, patients: ArrayLike, *, apparent: bool = False
    ) -> Booleans:
        """Return which patients are called cured: those at or above the threshold.

        Parameters
        ----------
        probability : array_like, (n,)
            Predicted probabilities of cure.
        patients : array_like of str, (n,)
            Names of the patients.
        apparent : bool
            Allow patients that the threshold was chosen on (apparent performance).

        Returns
        -------
        ndarray of bool, (n,)
            True = called cured.

        Raises
        ------
        TunedOnTestError
            If the threshold was chosen on one of the patients.

        Examples
        --------
        >>> choose([1, 0], [0.8, 0.4], ["a", "b"]).decide([0.7, 0.2], ["c", "d"])
        array([ True, False])
        """
        names = [str(name) for name in np.asarray(patients)]
        shared = self.patients.intersection(names)
        if shared and not apparent:
            raise TunedOnTestError(
                f"{len(shared)} of {len(names)} patients were used to choose this threshold: score "
                "it on others, or pass apparent=True to see the apparent performance"
            )
        return inputs.probability_array(probability, len(names)) >= self.value


def given(value: float, rule: str = "fixed") -> Threshold:
    """Return a threshold that was not chosen on patients.

    Parameters
    ----------
    value : float
        Probability.
    rule : {"fixed", "net_benefit"}
        Reason for its use.

    Returns
    -------
    Threshold

    Examples
    --------
    >>> given(0.5).value
    0.5
    """
    return Threshold(float(value), rule, frozenset())


def choose(
    outcome: ArrayLike,
    probability: ArrayLike,
    patients: ArrayLike,
    rule: str = "youden",
    target: float | None = None,
) -> Threshold:
    """Choose a threshold on a training set.

    Candidates are halfway between neighboring probabilities, so that a threshold does not depend
    on rounding; of several equally good candidates the middle one is chosen.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        1 = cured; predicted probability of cure.
    patients : array_like of str, (n,)
        Names of the patients.
    rule : str
        ``youden``: greatest sensitivity + specificity. ``sensitivity`` or ``specificity``: this
        one at least `target`, the other one as great as possible. ``cost_ratio``: least cost if
        calling a patient cured who is not costs `target` times as much as the reverse.
        ``net_benefit``: the threshold probability `target`, as in decision theory. ``fixed``:
        `target` for any other reason.
    target : float, optional
        Target of the rule; only ``youden`` needs none.

    Returns
    -------
    Threshold

    Raises
    ------
    NotEstimableError
        If one outcome is missing and the rule needs both.
    ValueError
        If the rule is unknown or its target is missing.

    Notes
    -----
    Youden, Cancer 1950;3:32.

    Examples
    --------
    >>> round(choose([1, 1, 0, 0], [0.9, 0.6, 0.4, 0.1], ["a", "b", "c", "d"]).value, 2)
    0.5
    """
    y, p = inputs.read(outcome, probability)
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
    worth = _worth(y, p, cuts, rule, goal)
    best = np.flatnonzero(worth >= worth.max() - 1e-12)
    return Threshold(float(cuts[best[(best.size - 1) // 2]]), rule, who)


def _worth(y: Booleans, p: Floats, cuts: Floats, rule: str, goal: float) -> Floats:
    """Value of each cut, (m,), by the rule; the highest is best."""
    sensitivity = 1 - np.searchsorted(np.sort(p[y]), cuts, side="left") / y.sum()
    specificity = np.searchsorted(np.sort(p[~y]), cuts, side="left") / (~y).sum()
    if rule == "youden":
        return np.asarray(sensitivity + specificity)
    if rule == "cost_ratio":
        prevalence = y.mean()
        return np.asarray(prevalence * sensitivity + (1 - prevalence) * goal * specificity)
    fixed, other = sensitivity, specificity
    if rule == "specificity":
        fixed, other = specificity, sensitivity
    # Of cuts with the same other measure, the one with more of this measure is better.
    return np.where(fixed >= goal - 1e-12, other + 1e-9 * fixed, -1.0)


def _candidates(p: Floats) -> Floats:
    """Cuts between neighboring probabilities, and one beyond each end."""
    values = np.unique(p)
    between = (values[:-1] + values[1:]) / 2
    # 1 may be a probability; the cut above it is the next number, which no probability reaches.
    above = (values[-1] + 1) / 2 if values[-1] < 1 else np.nextafter(1, 2)
    return np.concatenate([[values[0] / 2], between, [above]])
