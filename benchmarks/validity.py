"""Validity of the statistics: bias, coverage and false positives, in one table.

Usage: python benchmarks/validity.py [--studies 300] [--only recalibration,centers] [--seed 1] [--json FILE]

    nice -n 10 python benchmarks/validity.py --studies 300 --json validity.json     # the full table

Each part simulates studies whose true values are known, with the sizes and numbers of centers of the
project, and prints for every method what is promised and what was measured. Rows marked "before" are
the methods that the present ones replaced. Parts are independent; `--only` selects some.
"""

import argparse
import json
import math
import time

import members
import numpy as np
from scipy import special

from thyrocast.statistics import (
    added_value,
    calibration,
    conformal,
    cross_validation,
    discrimination,
    intervals,
    logistic,
    new_center,
    pooling,
    recalibration,
    utility,
)
from thyrocast.statistics.inputs import NotEstimableError, logit

SIZES = (121, 300)
CENTERS = (3, 5, 10)
TAUS = (0.0, 0.3, 0.5)


class Table:
    """Rows of (part, setting, method, what is measured, its mean, promise)."""

    def __init__(self):
        self.rows = []

    def add(self, part, setting, method, what, values, promise):
        known = np.asarray([v for v in values if v is not None], dtype=float)
        if not known.size:
            return
        value, error = float(known.mean()), float(known.std() / math.sqrt(known.size))
        self.rows.append(
            {"part": part, "setting": setting, "method": method, "what": what, "value": value,
             "error": error, "promise": promise, "studies": int(known.size)}
        )  # fmt: skip
        shown = f"{100 * value:8.1f} ({100 * error:.1f})" if what.endswith("%") else (
            f"{value:8.4f} ({error:.4f})"
        )  # fmt: skip
        print(f"{part:14}{setting:22}{method:34}{what:30}{shown:>18}  {promise}", flush=True)


def attempt(function):
    """Value of a function; None if it cannot be estimated."""
    try:
        return function()
    except NotEstimableError:
        return None


def slope_before(linear, outcome):
    """Recalibration that replaced a negative slope by 1."""
    design = np.column_stack([np.ones_like(linear), linear])
    try:
        slope = logistic.fit(design, outcome).coefficients[1]
    except NotEstimableError:
        slope = 0.0
    slope = slope if slope > 0 else 1.0
    return logistic.solve(design[:, :1], outcome, offset=slope * linear)[0], slope


def recalibrations(table, studies, random):
    """Brier score in new patients of a new center, minus that of the training prevalence."""
    for n in SIZES:
        for area in (0.5, 0.6, 0.75):
            distance = math.sqrt(2) * special.ndtri(area)
            excess = {"shrunken slope": [], "before: 1 for negative slopes": []}
            slopes = {name: [] for name in excess}
            for _ in range(studies):
                train = random.random(n) < 0.7
                linear = 1.5 * (random.normal(size=n) + distance * train)
                new = random.random(2000) < special.expit(
                    special.logit(0.7) + 0.3 * random.normal()
                )
                fresh = 1.5 * (random.normal(size=2000) + distance * new)
                found = recalibration.fit(linear, train)
                for name, (start, slope) in zip(
                    excess,
                    ((found.intercept, found.slope), slope_before(linear, train)),
                    strict=True,
                ):
                    p = special.expit(start + slope * fresh)
                    gain = np.mean((p - new) ** 2) - np.mean((train.mean() - new) ** 2)
                    excess[name].append(gain)
                    slopes[name].append(
                        attempt(lambda y=new, q=p: calibration.slope(y, q).estimate)
                    )
            for name, values in excess.items():
                where = f"n {n}, AUC {area}"
                table.add("recalibration", where, name, "Brier - prevalence", values, "<= .005")
                worse = [value > 0.005 for value in values]
                table.add("recalibration", where, name, "worse by > .005, %", worse, "<= 5")
                if area > 0.5:
                    table.add("recalibration", where, name, "calibration slope", slopes[name], "1")


def hospitals(k, size, tau, random):
    """Center, outcome and logit of k centers; logit AUCs differ by tau."""
    center = np.repeat(np.arange(k), size)
    area = special.expit(special.logit(0.75) + tau * random.normal(size=k))
    distance = math.sqrt(2) * special.ndtri(area)[center]
    y = random.random(k * size) < 0.65
    return center, y, random.normal(size=y.size) + distance * y, area


def centers(table, studies, random):
    """Interval of the centers' mean AUC, and of the AUC of a new center."""
    for k in CENTERS:
        for tau in TAUS:
            draws = special.expit(special.logit(0.75) + tau * random.normal(size=200_000))
            middle = special.logit(0.75)
            hits = {name: [] for name in ("mean", "plain", "joint", "new", "t", "bias")}
            for _ in range(studies):
                center, y, score, _ = hospitals(k, 45, tau, random)
                rows = [
                    attempt(
                        lambda w=center == c, y=y, s=score: discrimination.auc_interval(y[w], s[w])
                    )
                    for c in range(k)
                ]
                known = [row for row in rows if row is not None and row.std_error]
                effect = [
                    special.logit(discrimination.half_a_pair_inside(row.estimate, 29, 16))
                    for row in known
                ]
                variance = [row.std_error**2 for row in known]
                found = pooling.pool(effect, variance, interval="hartung_knapp_truncated")
                plain = pooling.pool(effect, variance)
                joint = discrimination.auc_interval(y, score)
                new = special.logit(random.choice(draws))
                limits = new_center.predict(effect, variance)
                hits["mean"].append(found.low <= middle <= found.high)
                hits["plain"].append(plain.low <= middle <= plain.high)
                hits["joint"].append(joint.low <= 0.75 <= joint.high)
                hits["new"].append(limits.low <= new <= limits.high)
                hits["t"].append(plain.prediction_low <= new <= plain.prediction_high)
                hits["bias"].append(special.expit(found.estimate) - 0.75)
            where = f"{k} centers, tau {tau}"
            for name, method, promise in (
                ("mean", "random effects, truncated HK", "93-100"),
                ("plain", "random effects, HK", "95"),
                ("joint", "before: DeLong of all patients", "95"),
            ):
                table.add("centers", where, method, "mean AUC covered, %", hits[name], promise)
            coverage = "-".join(f"{end:g}" for end in new_center.COVERAGE)
            table.add("centers", where, "Nagashima", "new center covered, %", hits["new"], coverage)
            table.add(
                "centers", where, "before: t, k - 1 df", "new center covered, %", hits["t"], "95"
            )
            table.add("centers", where, "random effects", "bias of AUC", hits["bias"], "0")


def single(table, studies, random):
    """Headline intervals of one sample of n patients, 65 % and 90 % cured."""
    distance = math.sqrt(2) * special.ndtri(0.8)
    for n in SIZES:
        for prevalence in (0.65, 0.9):
            base = special.logit(prevalence)
            big = random.random(400_000) < prevalence
            x = random.normal(size=big.size) + distance * big
            p = special.expit(base + distance * x - distance**2 / 2)
            true = {
                "AUC": 0.8,
                "Brier": np.mean((p - big) ** 2),
                "net benefit": float(np.mean(utility.contributions(big, p >= 0.6, 0.6))),
                "slope": 1.0,
                "in the large": 0.0,
                "O/E": 1.0,
            }
            hits = {name: [] for name in true}
            for _ in range(studies):
                y = random.random(n) < prevalence
                x = random.normal(size=n) + distance * y
                p = special.expit(base + distance * x - distance**2 / 2)
                made = {
                    "AUC": lambda y=y, p=p: discrimination.auc_interval(y, p),
                    "Brier": lambda y=y, p=p: calibration.brier(y, p),
                    "net benefit": lambda y=y, p=p: utility.net_benefit(y, p, 0.6),
                    "slope": lambda y=y, p=p: calibration.slope(y, p),
                    "in the large": lambda y=y, p=p: calibration.in_the_large(y, p),
                    "O/E": lambda y=y, p=p: calibration.observed_expected(y, p),
                }
                for name, make in made.items():
                    found = attempt(make)
                    inside = None if found is None else found.low <= true[name] <= found.high
                    hits[name].append(inside)
            for name, inside in hits.items():
                table.add(
                    "one sample",
                    f"n {n}, {prevalence:.0%} cured",
                    name,
                    "covered, %",
                    inside,
                    "93-97",
                )


def kfold(table, studies, random):
    """AUC of 5 x 2 cross-validation of a linear rule of 10 predictors, two of which inform."""
    for n in SIZES:
        for signal in (0.0, 0.5):
            hits = {"mean within parts": [], "before: joined, DeLong": []}
            values = {name: [] for name in hits}
            truths, found = [], []
            for _ in range(studies):
                y, x = _linear(n, signal, random)
                scores, parts = np.empty((2, n)), np.empty((2, n), dtype=int)
                for repeat in range(2):
                    parts[repeat] = random.permutation(np.arange(n) % 5) + 5 * repeat
                    for part in np.unique(parts[repeat]):
                        test = parts[repeat] == part
                        scores[repeat, test] = x[test] @ _rule(x[~test], y[~test])
                        if part == 0:
                            ny, nx = _linear(1500, signal, random)
                            weight = _rule(x[~test], y[~test])
                            truths.append(discrimination.auc(ny, nx @ weight))
                one = cross_validation.auc_within_parts(
                    np.tile(y, 2), scores.ravel(), parts.ravel(), np.tile(np.arange(n), 2)
                )
                found.append((one, discrimination.auc_interval(y, scores[0])))
            true = float(np.mean(truths))
            for pair in found:
                for name, interval in zip(hits, pair, strict=True):
                    hits[name].append(interval.low <= true <= interval.high)
                    values[name].append(interval.estimate - true)
            for name in hits:
                where = f"n {n}, AUC {true:.2f}"
                table.add("kfold", where, name, "AUC covered, %", hits[name], "93-97")
                table.add("kfold", where, name, "bias of AUC", values[name], "0")


def _linear(n, signal, random):
    y, x = random.random(n) < 0.65, random.normal(size=(n, 10))
    x[:, :2] += signal * y[:, None]
    return y, x


def _rule(x, y):
    return x[y].mean(axis=0) - x[~y].mean(axis=0)


def tests(table, studies, random):
    """False positives of every test at 5 %."""
    for k in CENTERS:
        for tau in TAUS:
            rejected = {
                name: []
                for name in (
                    "likelihood ratio by center", "before: likelihood ratio, joint",
                    "DeLong, paired", "AUC over centers", "Brier, paired", "net benefit, paired",
                )
            }  # fmt: skip
            for _ in range(studies):
                size = max(30, 121 // k)
                center = np.repeat(np.arange(k), size)
                risk, shift = random.normal(size=k * size), tau * random.normal(size=k)
                y = random.random(k * size) < special.expit(0.6 + shift[center] + risk)
                own = tau * random.normal(size=(2, k))[:, center]
                a, b = (special.expit(risk + random.normal(size=y.size) + e) for e in own)
                base = special.expit(risk + own[0])
                noise = special.expit(0.5 * risk + random.normal(size=y.size) - shift[center])
                made = {
                    "likelihood ratio by center": lambda y=y, p=base, q=noise, c=center: (
                        added_value.likelihood_ratio(y, p, q, c)
                    ),
                    "before: likelihood ratio, joint": lambda y=y, p=base, q=noise: (
                        added_value.likelihood_ratio(y, p, q)
                    ),
                    "DeLong, paired": lambda y=y, p=a, q=b: discrimination.paired_test(y, p, q),
                    "Brier, paired": lambda y=y, p=a, q=b: utility.brier_difference(y, p, q),
                    "net benefit, paired": lambda y=y, p=a, q=b: utility.net_benefit_difference(
                        y, p, q, 0.6
                    ),
                    "AUC over centers": lambda y=y, p=a, q=b, c=center: _over_centers(y, p, q, c),
                }
                for name, make in made.items():
                    found = attempt(make)
                    rejected[name].append(None if found is None else found.p_value < 0.05)
            for name, share in rejected.items():
                promise = "0-7" if name == "AUC over centers" else "3-7"
                table.add("tests", f"{k} centers, tau {tau}", name, "rejected, %", share, promise)


def _over_centers(y, p, q, center):
    effects, variances = [], []
    for c in np.unique(center):
        w = center == c
        found = attempt(lambda w=w: discrimination.delong(y[w], np.stack([p[w], q[w]])))
        if found is not None:
            areas, cov = found
            variance = cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]
            if variance > 1e-12:
                effects.append(areas[0] - areas[1])
                variances.append(variance)
    return pooling.pool(effects, variances, interval="hartung_knapp_truncated")


def sets(table, studies, random):
    """Studies whose prediction sets cover 90 % of new patients of an outcome, within sampling error.

    Calibration patients are predicted by the model itself (a rule that learned nothing from them):
    what the guarantee of split conformal prediction promises, and the least one can hope for.
    """
    for n in SIZES:
        share = {"cured": [], "not cured": []}
        for _ in range(studies):
            y = random.random(n) < 0.65
            p = special.expit(random.normal(size=n) + 1.2 * y)
            new = random.random(4000) < 0.65
            q = special.expit(random.normal(size=4000) + 1.2 * new)
            possible = conformal.sets(conformal.p_values(y, p, q), 0.1)
            share["cured"].append(possible[new, 1].mean())
            share["not cured"].append(possible[~new, 0].mean())
        for name, values in share.items():
            table.add("sets", f"n {n}", f"own model, {name}", "mean covered, %", values, ">= 90")
            at_least = [value >= 0.8 for value in values]
            table.add("sets", f"n {n}", f"own model, {name}", "studies >= 80, %", at_least, ">= 95")


def cross(table, studies, random):
    """Prediction sets of cross-fitted models (`members.settings`), before and after."""
    for where, method, rows in members.settings(SIZES, studies, random):
        for column, name in ((2, "cured"), (1, "not cured")):
            own, values = f"{method}, {name}", rows[:, column]
            table.add("cross sets", where, own, "mean covered, %", values, ">= 90")
            table.add("cross sets", where, own, "studies >= 80, %", values >= 0.8, ">= 95")
            table.add("cross sets", where, own, "studies >= 90, %", values >= 0.9, ">= 95")
        table.add("cross sets", where, method, "one outcome, %", rows[:, 3], "")


def certain(table, studies, random):
    """Clinicians' readings: 15 % of the probabilities are 0 or 1."""

    def study(n):
        x = random.normal(0.3, 1.2, n)
        y, p = random.random(n) < special.expit(x), special.expit(1.2 * x)
        return y, np.where(random.random(n) < 0.15, p > 0.5, np.round(p, 1))

    true = calibration.in_the_large(*study(300_000)).estimate
    for n in SIZES:
        inside, wald = [], []
        for _ in range(studies):
            y, p = study(n)
            found = calibration.in_the_large(y, p)
            inside.append(found.low <= true <= found.high)
            fit = logistic.fit(np.ones((n, 1)), y, offset=logit(p))
            half = intervals.normal_quantile(0.95) * math.sqrt(fit.covariance[0, 0])
            wald.append(abs(fit.coefficients[0] - true) <= half)
        table.add("0 and 1", f"n {n}", "in the large, sandwich", "covered, %", inside, "93-97")
        table.add("0 and 1", f"n {n}", "before: in the large, Wald", "covered, %", wald, "93-97")


PARTS = {
    "recalibration": recalibrations, "centers": centers, "single": single, "kfold": kfold,
    "tests": tests, "sets": sets, "certain": certain, "cross": cross,
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="file for all numbers")
    arguments = parser.parse_args()
    table, start = Table(), time.perf_counter()
    for number, name in enumerate(PARTS):
        if name in arguments.only.split(","):
            PARTS[name](table, arguments.studies, np.random.default_rng([arguments.seed, number]))
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(table.rows, file, indent=1)
    print(f"\n{arguments.studies} studies a cell, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
