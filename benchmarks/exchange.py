"""What somebody learns from exchange files: `make bench-exchange`; a minute on one core.

1. Two tables of the same center that differ by one patient, without the disclosure rule.
2. Two exchange files that the rule accepts: how well the new patients are known.
3. One file: whether its numbers determine the probabilities, by the number of patients.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from thyrocast.statistics import calibration
from thyrocast.statistics.intervals import Interval

Floats = NDArray[np.float64]
Estimator = Callable[..., Interval]
ESTIMATES = (
    calibration.observed_expected,
    calibration.in_the_large,
    calibration.slope,
)
#: In `performance.csv` as well, but rounded or missing in an exchange file.
OTHERS = (calibration.intercept, calibration.brier, calibration.scaled_brier, calibration.log_loss)
#: Simulated centers, and searches in each.
STUDIES, STARTS = 4, 3


def center(n: int, random: np.random.Generator) -> tuple[NDArray[np.bool_], Floats]:
    """Outcomes and probabilities of a model with an AUC of about 0.75, with five of each outcome."""
    while True:
        linear = random.normal(0.4, 1.2, n)
        outcome = random.random(n) < special.expit(linear)
        p = special.expit(0.8 * linear + random.normal(0, 0.6, n))
        # Both outcomes, and not separated: everything can be estimated.
        if 5 <= outcome.sum() <= n - 5 and p[outcome].min() < p[~outcome].max():
            return outcome, p


def rounded(value: float) -> float:
    """A number with the digits of a table of the contract."""
    return float(f"{value:.12g}")


def published(outcome: NDArray[np.bool_], p: Floats, functions: tuple[Estimator, ...]) -> Floats:
    """Estimates and standard errors."""
    found = [function(outcome, p) for function in functions]
    return np.array([rounded(x) for one in found for x in (one.estimate, one.std_error)])


def one_patient(studies: int, random: np.random.Generator) -> None:
    """Recover outcome and probability of a patient from observed/expected before and after."""
    errors, right = [], 0
    for _ in range(studies):
        y, p = center(80, random)
        y, p = np.append(y, random.random() < 0.6), np.append(p, random.random())
        ratio = [published(y[:n], p[:n], ESTIMATES[:1])[0] for n in (80, 81)]
        expected = [y[:n].sum() / r for n, r in zip((80, 81), ratio, strict=True)]
        errors.append(abs(expected[1] - expected[0] - p[-1]))
        right += int(y.sum() - y[:-1].sum()) == int(y[-1])
    print(
        f"1. without the rule: outcome right in {right} of {studies}, error of the probability at most "
        f"{max(errors):.0e}"
    )


def new_patients(studies: int, random: np.random.Generator) -> None:
    """Guess the probability of each new patient from two files that the rule accepts."""
    guess, spread, before = [], [], []
    for _ in range(studies):
        y, p = center(110, random)
        old, new = slice(0, 80), slice(80, 110)
        ratios = [published(y[s], p[s], ESTIMATES[:1])[0] for s in (old, slice(0, 110))]
        mean = (y.sum() / ratios[1] - y[old].sum() / ratios[0]) / 30
        guess.append(np.mean((p[new] - mean) ** 2))
        spread.append(p[new].var())
        before.append(np.mean((p[new] - p[old].mean()) ** 2))
    shown = [f"{np.sqrt(np.mean(x)):.3f}" for x in (guess, before, spread)]
    print(
        f"2. 30 new patients: error of the best guess {shown[0]} (from the first file alone {shown[1]}; "
        f"standard deviation of the probabilities {shown[2]})"
    )


def determined(n: int, functions: tuple[Estimator, ...], random: np.random.Generator) -> str:
    """Search probabilities with the published numbers; how far are they from the true ones?"""

    def away(q: Floats, p: Floats, y: NDArray[np.bool_]) -> float:
        """Root mean square between the ordered probabilities of each outcome."""
        parts = [np.sort(q[y == v]) - np.sort(p[y == v]) for v in (True, False)]
        return float(np.sqrt(np.mean(np.concatenate(parts) ** 2)))

    known, guesses = [], []
    for _ in range(STUDIES):
        y, p = center(n, random)
        target = published(y, p, functions)

        def residual(linear: Floats, y: NDArray[np.bool_] = y, target: Floats = target) -> Floats:
            try:
                found = published(y, special.expit(np.clip(linear, -8, 8)), functions)
            except ValueError:
                return np.full(target.size, 10.0)
            return (found - target) / (np.abs(target) + 0.01)

        for _ in range(STARTS):
            # Another center of the same kind: the attacker knows such models.
            start = np.empty(n)
            for value in (True, False):
                z, q = center(40 * n, random)
                start[y == value] = special.logit(random.choice(q[z == value], np.sum(y == value)))
            guesses.append(away(special.expit(start), p, y))
            found = optimize.least_squares(residual, start, diff_step=1e-6, max_nfev=60)
            if found.cost < 1e-12:
                known.append(away(special.expit(np.clip(found.x, -8, 8)), p, y))
    if not known:
        return "no solution was found"
    return (
        f"{len(known)} of {STUDIES * STARTS} searches solved; a solution is {np.median(known):.3f} from the "
        f"truth, a guess without the file {np.median(guesses):.3f}"
    )


def main() -> None:
    """Print what was learned."""
    random = np.random.default_rng(1)
    one_patient(1000, random)
    new_patients(300, random)
    for n, functions, what in (
        (10, (*ESTIMATES, *OTHERS), "all numbers of performance.csv"),
        (10, ESTIMATES, "the numbers of an exchange file"),
        (30, ESTIMATES, "the numbers of an exchange file"),
    ):
        print(f"3. {n} patients, {what}: {determined(n, functions, random)}")


if __name__ == "__main__":
    main()
