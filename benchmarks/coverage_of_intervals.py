"""Coverage of nominal 95 % intervals, and how often tests reject a true null hypothesis.

Usage: python benchmarks/coverage_of_intervals.py [--studies 1000] [--resamples 400] [--seed 1] [--json FILE]

The true values of the simulated studies are known: the logits of cured patients and of the others
are normal with equal variance (AUC 0.8), and the model reports them with a slope of 1.25 and an
intercept that is off by 0.2, so that it is miscalibrated in every measure. The true value of each
measure is an integral.
"""

import argparse
import json
import time

import numpy as np
from scipy import optimize, special

from thyrocast.statistics import (
    added_value,
    calibration,
    calibration_curve,
    discrimination,
    intervals,
    pooling,
    resampling,
    sample_size,
    utility,
    weighted,
)
from thyrocast.statistics.inputs import NotEstimableError

AUC, SLOPE, SHIFT, CUT = 0.8, 1.25, 0.2, 0.6
SIZES = (50, 121, 400, 1000)
PREVALENCES = (0.3, 0.5, 0.7, 0.9)
CENTERS = (3, 5, 10)


def reported(logit):
    """Probability that the model reports for a true logit."""
    return special.expit(SHIFT + SLOPE * logit)


def truth(prevalence):
    """Value of every measure in an infinitely large study."""
    lp = sample_size.linear_predictor(AUC, prevalence)
    risk, p, w = special.expit(lp.value), reported(lp.value), lp.weight
    called = p >= CUT
    squared = float(w @ (risk * (1 - p) ** 2 + (1 - risk) * p**2))
    loss = -float(w @ (risk * np.log(p) + (1 - risk) * np.log1p(-p)))
    cured, failed = float(w @ risk), float(w @ (1 - risk))

    def off(a):
        return float(w @ (risk - special.expit(a + special.logit(p))))

    true, false = float(w @ (risk * called)), float(w @ ((1 - risk) * called))
    return {
        "auc": AUC,
        "sensitivity": true / cured,
        "specificity": 1 - false / failed,
        "ppv": true / (true + false),
        "npv": (failed - false) / (1 - true - false),
        "accuracy": true + failed - false,
        "brier": squared,
        "scaled_brier": 1 - squared / (cured * failed),
        "log_loss": loss,
        "calibration_in_the_large": optimize.brentq(off, -3, 3),
        "calibration_slope": 1 / SLOPE,
        "calibration_intercept": -SHIFT / SLOPE,
        "oe_ratio": cured / float(w @ p),
        "net_benefit": true - false * CUT / (1 - CUT),
        **errors(np.abs(risk - p), w),
    }


def errors(gap, weight):
    """ICI, E50 and E90 of a true curve at a distance from the ideal; Emax depends on the sample."""
    order = np.argsort(gap)
    e50, e90 = np.interp((0.5, 0.9), np.cumsum(weight[order]), gap[order])
    return {"ici": float(weight @ gap), "e50": float(e50), "e90": float(e90)}


def study(n, prevalence, random):
    """Outcome of n patients and the probabilities of two models that are equally good."""
    distance = np.sqrt(2) * special.ndtri(AUC)
    outcome = random.random(n) < prevalence
    logits = []
    for _ in range(2):
        x = random.normal(size=n) + distance * outcome
        logits.append(special.logit(prevalence) + distance * x - distance**2 / 2)
    return outcome, reported(logits[0]), reported(logits[1])


def closed(y, p):
    """Functions that compute intervals in closed form, by metric and method."""
    called = p >= CUT
    cells = {
        "sensitivity": (called & y, y),
        "specificity": (~called & ~y, ~y),
        "ppv": (called & y, called),
        "npv": (~called & ~y, ~called),
        "accuracy": (called == y, np.ones_like(y)),
    }
    found = {
        ("auc", method): lambda m=method: discrimination.auc_interval(y, p, method=m)
        for method in ("delong_logit", "delong", "newcombe")
    }
    for name, (right, among) in cells.items():
        found[name, "wilson"] = lambda r=right, a=among: intervals.wilson(
            int((r & a).sum()), int(a.sum())
        )
    for name, function in {
        "brier": calibration.brier,
        "scaled_brier": calibration.scaled_brier,
        "log_loss": calibration.log_loss,
        "calibration_in_the_large": calibration.in_the_large,
        "calibration_slope": calibration.slope,
        "calibration_intercept": calibration.intercept,
        "oe_ratio": calibration.observed_expected,
    }.items():
        found[name, "closed form"] = lambda f=function: f(y, p)
    found["net_benefit", "closed form"] = lambda: utility.net_benefit(y, p, CUT)
    return found


def drawn_curves(y, p, random):
    """Intervals of the distances between the calibration curve and the ideal."""
    found = calibration_curve.error_intervals(y, p, random, 500)
    return {(name, interval.method): lambda i=interval: i for name, interval in found.items()}


def bootstrapped(y, p, resamples, random):
    """Bootstrap intervals."""
    area, called = weighted.auc(y, p), weighted.decisions(y, p >= CUT)
    functions = [lambda weights: {"auc": area(weights)}, called, weighted.scores(y, p)]
    plans = {"stratified": (resampling.strata(y), functions)}
    found = {}
    for plan, (stratum, wanted) in plans.items():
        one = weighted.replicate(wanted, [np.ones((1, y.size), dtype=np.uint16)])
        many = weighted.replicate(wanted, resampling.draws(stratum, resamples, random))
        left = weighted.replicate(wanted, resampling.leave_one_out(y.size)) if y.size < 500 else {}
        for name, values in many.items():
            estimate = float(one[name][0])
            found[name, f"bootstrap {plan} percentile"] = lambda e=estimate, v=values: (
                resampling.percentile(e, v)
            )
            if left and plan == "stratified":
                found[name, f"bootstrap {plan} bca"] = lambda e=estimate, v=values, k=left[name]: (
                    resampling.bca(e, v, k)
                )
    return found


def coverage(studies, resamples, seed):
    """Share of studies whose interval contains the true value, of those that have an interval."""
    rows = []
    for n in SIZES:
        for prevalence in PREVALENCES:
            random = np.random.default_rng([seed, n, round(100 * prevalence)])
            true, hits, made = truth(prevalence), {}, {}
            # The bootstrap of 1,000 patients takes ten times as long; its coverage is stable.
            few = studies if n < 500 else max(studies // 5, 1)
            for index in range(studies):
                y, p, _ = study(n, prevalence, random)
                found = closed(y, p)
                if index < few and 0 < y.sum() < n:
                    found |= _safely(bootstrapped, y, p, resamples, random)
                found |= _safely(drawn_curves, y, p, random)
                for key, make in found.items():
                    if key[0] not in true:
                        continue
                    interval = _safely(make)
                    if interval:
                        made[key] = made.get(key, 0) + 1
                        hits[key] = hits.get(key, 0) + (
                            interval.low <= true[key[0]] <= interval.high
                        )
            rows += [(*key, n, prevalence, hits[key] / made[key], made[key]) for key in made]
    return rows


def _safely(function, *arguments):
    try:
        return function(*arguments)
    except NotEstimableError:
        return {}


def null_tests(n, prevalence, random):
    """Tests of true null hypotheses."""
    y, a, b = study(n, prevalence, random)
    noise = special.expit(random.normal(size=n))
    honest = special.expit((special.logit(a) - SHIFT) / SLOPE)
    return {
        "delong_paired": lambda: discrimination.paired_test(y, a, b).p_value,
        "brier_difference": lambda: utility.brier_difference(y, a, b).p_value,
        "net_benefit_difference": lambda: utility.net_benefit_difference(y, a, b, CUT).p_value,
        "likelihood_ratio": lambda: added_value.likelihood_ratio(y, a, noise).p_value,
        "spiegelhalter": lambda: calibration.spiegelhalter(y, honest)[1],
    }


def rejections(studies, seed):
    """Share of studies in which a test at 5 % rejects a true null hypothesis."""
    rows = []
    for n in SIZES:
        for prevalence in PREVALENCES:
            random = np.random.default_rng([seed, n, round(100 * prevalence), 7])
            rejected, made = {}, {}
            for _ in range(studies):
                for name, test in null_tests(n, prevalence, random).items():
                    p_value = _safely(test)
                    if p_value != {}:
                        made[name] = made.get(name, 0) + 1
                        rejected[name] = rejected.get(name, 0) + (p_value < 0.05)
            rows += [(k, "test", n, prevalence, rejected[k] / made[k], made[k]) for k in made]
    return rows


def pooled(studies, seed):
    """Coverage with k centers: interval of the mean, and prediction interval of a new center."""
    rows = []
    for k in CENTERS:
        for tau in (0.0, 0.3):
            random = np.random.default_rng([seed, k, round(10 * tau), 9])
            variances = np.linspace(0.03, 0.2, k)
            hits = {}
            for _ in range(studies):
                effects = (
                    1 + tau * random.normal(size=k) + np.sqrt(variances) * random.normal(size=k)
                )
                new = 1 + tau * random.normal()
                for method in pooling.METHODS:
                    for interval in pooling.INTERVALS:
                        found = pooling.pool(effects, variances, method, interval=interval)
                        name = f"{method} {interval}"
                        for what, inside in (
                            ("pooled mean", found.low <= 1 <= found.high),
                            ("new center", found.prediction_low <= new <= found.prediction_high),
                        ):
                            hits[what, name] = hits.get((what, name), 0) + inside
            rows += [(*key, k, tau, count / studies, studies) for key, count in hits.items()]
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="file for all numbers")
    arguments = parser.parse_args()
    start = time.perf_counter()
    parts = {
        "coverage of 95 % intervals, by n and prevalence": coverage(
            arguments.studies, arguments.resamples, arguments.seed
        ),
        "rejections at 5 % of a true null, by n and prevalence": rejections(
            arguments.studies, arguments.seed
        ),
        "random-effects pooling, by centers and tau": pooled(arguments.studies, arguments.seed),
    }
    for title, rows in parts.items():
        cells = sorted({(row[2], row[3]) for row in rows})
        print(f"\n{title}\n{'':58}" + "".join(f"{f'{a}/{b}':>9}" for a, b in cells))
        for key in dict.fromkeys(row[:2] for row in rows):
            values = {row[2:4]: row[4] for row in rows if row[:2] == key}
            shown = (f"{100 * values[c]:9.1f}" if c in values else f"{'':9}" for c in cells)
            print(f"{key[0]:26}{key[1]:32}" + "".join(shown))
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(parts, file, indent=1)
    print(f"\n{arguments.studies} studies a cell, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
