"""Closed testing in simulations: what it chooses, how many patients it needs, and coverage of intervals.

`make bench-updating`; four minutes on one core. Patients have log-odds with a standard deviation of 1.2
(AUC 0.78, cure rate 0.5); a revision uses three components of the embedding.
"""

import numpy as np
from scipy import special

from thyrocast.statistics import updating
from thyrocast.statistics.inputs import Booleans, Floats, NotEstimableError

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


def site(
    n: int, truth: tuple[float, float, float], random: np.random.Generator
) -> tuple[Floats, Floats, Booleans]:
    """Return log-odds, features and outcomes of the patients of one site."""
    intercept, slope, effect = truth
    linear, features = random.normal(0, 1.2, n), random.normal(size=(n, COMPONENTS))
    z = intercept + slope * linear + effect * features[:, 0]
    return linear, features, random.random(n) < special.expit(z)


def choose(n: int, truth: tuple[float, float, float], random: np.random.Generator) -> str:
    """Return the update that is chosen at one site; "" if a revision cannot be fitted."""
    try:
        return updating.closed_test(*site(n, truth, random)).chosen
    except NotEstimableError:
        return ""


def coverage() -> None:
    """Print how often intervals of intercept and slope contain the truth."""
    print("| truth | patients | intercept | slope | intercept, with head | slope, with head |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, truth in TRUTHS.items():
        # The steps that contain the truth: without its component, a slope is another number.
        steps = ("head",) if truth[2] else ("slope", "head")
        for n in PATIENTS[:3]:
            random = np.random.default_rng([n, [*TRUTHS].index(name), 1])
            inside: dict[str, list[list[bool]]] = {step: [] for step in steps}
            for _ in range(SITES):
                data = site(n, truth, random)
                for step in steps:
                    try:
                        each = updating.wald(step, *data)
                    except NotEstimableError:
                        continue
                    inside[step].append(
                        [one.low <= value <= one.high for one, value in zip(each, truth, strict=False)
                         if one is not None]
                    )  # fmt: skip
            cells = [
                f"{100 * share:.1f}"
                for step in ("slope", "head")
                for share in (np.mean(inside[step], axis=0) if step in inside else ())
            ]
            print(f"| {name} | {n} | {' | '.join(['-'] * (4 - len(cells)) + cells)} |", flush=True)


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
    coverage()
