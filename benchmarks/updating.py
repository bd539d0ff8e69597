"""Closed testing in simulations: what it chooses, and how many patients it needs.

`make bench-updating`; three minutes on one core. Patients have log-odds with a standard deviation of 1.2
(AUC 0.78, cure rate 0.5); a revision uses three components of the embedding.
"""

import numpy as np
from scipy import special

from thyrocast.statistics import updating
from thyrocast.statistics.inputs import NotEstimableError

SITES = 1000
#: Truth at the site: intercept, slope, effect of the first component.
TRUTHS = {
    "the model is right": (0.0, 1.0, 0.0),
    "intercept 0.5": (0.5, 1.0, 0.0),
    "intercept 1": (1.0, 1.0, 0.0),
    "slope 0.7": (0.0, 0.7, 0.0),
    "slope 0.4": (0.0, 0.4, 0.0),
    "component 0.5": (0.0, 1.0, 0.5),
    "component 1": (0.0, 1.0, 1.0),
}
PATIENTS = (50, 100, 200, 400, 800)
COMPONENTS = 3


def choose(n: int, truth: tuple[float, float, float], random: np.random.Generator) -> str:
    """Return the update that is chosen at one site; "" if a revision cannot be fitted."""
    intercept, slope, effect = truth
    linear, features = random.normal(0, 1.2, n), random.normal(size=(n, COMPONENTS))
    z = intercept + slope * linear + effect * features[:, 0]
    try:
        return updating.closed_test(linear, features, random.random(n) < special.expit(z)).chosen
    except NotEstimableError:
        return ""


def main() -> None:
    """Print the share of each choice."""
    print("| truth | patients | none | intercept | slope | head | not fitted |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, truth in TRUTHS.items():
        for n in PATIENTS:
            random = np.random.default_rng([n, [*TRUTHS].index(name)])
            found = [choose(n, truth, random) for _ in range(SITES)]
            shares = [f"{100 * found.count(step) / SITES:.1f}" for step in (*updating.STEPS, "")]
            print(f"| {name} | {n} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main()
