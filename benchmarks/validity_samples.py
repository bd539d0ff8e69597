"""Simulated studies of one sample, and of cross-validation, for `benchmarks/validity.py`."""

import functools
import math

import coverage_of_intervals as simulation
import members
import numpy as np
from scipy import special
from validity_rows import attempt, coverage, rejections, row

from thyrocast.statistics import (
    calibration,
    calibration_curve,
    conformal,
    cross_validation,
    discrimination,
    influence,
    intervals,
    logistic,
    recalibration,
    utility,
)
from thyrocast.statistics.inputs import NotEstimableError, logit

CUT = simulation.CUT


def slope_before(linear, outcome):
    """Recalibration that replaced a negative slope by 1."""
    design = np.column_stack([np.ones_like(linear), linear])
    try:
        slope = logistic.fit(design, outcome).coefficients[1]
    except NotEstimableError:
        slope = 0.0
    slope = slope if slope > 0 else 1.0
    return logistic.solve(design[:, :1], outcome, offset=slope * linear)[0], slope


def recalibrations(n, area, studies, random):
    """Brier score in new patients of a new center, minus that of the training prevalence."""
    distance = math.sqrt(2) * special.ndtri(area)
    gains, slopes = {False: [], True: []}, {False: [], True: []}
    for _ in range(studies):
        train = random.random(n) < 0.7
        linear = 1.5 * (random.normal(size=n) + distance * train)
        new = random.random(2000) < special.expit(special.logit(0.7) + 0.3 * random.normal())
        fresh = 1.5 * (random.normal(size=2000) + distance * new)
        found = recalibration.fit(linear, train)
        ways = ((False, (found.intercept, found.slope)), (True, slope_before(linear, train)))
        for before, (start, slope) in ways:
            p = special.expit(start + slope * fresh)
            gains[before].append(np.mean((p - new) ** 2) - np.mean((train.mean() - new) ** 2))
            measured = attempt(lambda y=new, q=p: calibration.slope(y, q).estimate)
            slopes[before].append(measured)
    for before in (False, True):
        where, title = f"n {n}", f"model with AUC {area}, new center: "
        yield row(f"{title}Brier minus that of the prevalence", where, gains[before], before)
        if area == 0.5:
            worse = [value > 0.005 for value in gains[before]]
            yield row(f"{title}worse by more than .005, %", where, worse, before, most=5.0)
        else:
            known = np.array([one for one in slopes[before] if one is not None])
            yield row(f"{title}calibration slope, bias", where, known - 1, before)
            error = [math.sqrt(np.mean((known - 1) ** 2))]
            yield row(f"{title}calibration slope, RMSE", where, error, before)


def _headlines(y, p, random):
    """Headline interval of every metric of one sample: (metric, method), interval."""
    made = simulation.closed(y, p)
    found = {key: attempt(make) for key, make in made.items() if key[0] != "auc"}
    area = attempt(lambda: discrimination.auc_interval(y, p))
    if area is not None:
        found["auc", area.method] = area
    drawn = attempt(lambda: calibration_curve.error_intervals(y, p, random, 500))
    return found | {(name, one.method): one for name, one in (drawn or {}).items()}


def single(n, prevalence, studies, random):
    """Headline intervals of one sample, of a model that is miscalibrated in every measure."""
    true, hits = simulation.truth(prevalence), {}
    for _ in range(studies):
        y, p, _ = simulation.study(n, prevalence, random)
        if y.all() or not y.any():
            continue
        for (metric, _), found in _headlines(y, p, random).items():
            if metric in true and found is not None:
                key = (metric, found.method, False)
                hits.setdefault(key, []).append(found.low <= true[metric] <= found.high)
        gain = utility.contributions(y, p >= CUT, CUT)
        ratio = float(y.mean() / p.mean())
        for name, one in (
            ("net_benefit", influence.interval(float(gain.mean()), gain, 0.95)),
            ("oe_ratio", influence.interval(ratio, (y - ratio * p) / p.mean(), 0.95, log=True)),
        ):
            hits.setdefault((name, "", True), []).append(one.low <= true[name] <= one.high)
    for (metric, method, before), values in hits.items():
        name = metric.replace("oe_ratio", "O/E").replace("auc", "AUC").replace("_", " ")
        few = ", fewer than 15 of an outcome" if method == "newcombe" else ""
        label = f"{name} of one sample{few}, covered, %"
        # A method that a few studies need only is not judged by them.
        if len(values) >= min(50, studies):
            key = f"{metric}:{method}" if method else ""
            yield coverage(label, f"n {n}, {prevalence:.0%} cured", values, before, key)


def readings(n, distinct, studies, random):
    """Distances of the calibration curve where a reader gives few different probabilities."""

    def study(count):
        x = random.normal(size=count)
        y = random.random(count) < special.expit(0.4 + x)
        # In the middle of equal steps: 5 values are .1, .3, .5, .7, .9.
        step = np.minimum(np.floor(special.expit(0.6 + 1.25 * x) * distinct), distinct - 1)
        return y, (step + 0.5) / distinct

    y, p = study(600_000)
    places = np.unique(p, return_inverse=True)[1]
    curve = (np.bincount(places, weights=y) / np.bincount(places))[places]
    true, hits = calibration_curve.errors(curve, p), {}
    for _ in range(studies):
        found = attempt(lambda: calibration_curve.error_intervals(*study(n), random, 500))
        for metric in ("ici", "e50", "e90") if found else ():
            inside = found[metric].low <= true[metric] <= found[metric].high
            hits.setdefault(metric, []).append(inside)
    for metric, values in hits.items():
        label = f"{metric} of readings with {distinct} values, covered, %"
        yield coverage(label, f"n {n}", values, key=f"{metric}:few_values")


def _linear(n, signal, random):
    y, x = random.random(n) < 0.65, random.normal(size=(n, 10))
    x[:, :2] += signal * y[:, None]
    return y, x


#: Predictors of two rules that are equally good.
BOTH, ONE, OTHER = np.arange(10), np.array([0, 2, 3, 4, 5]), np.array([1, 6, 7, 8, 9])


def _rule(x, y, columns):
    """Weights (10,) and intercept of a linear discriminant with unit variances."""
    cured, failed = x[y].mean(axis=0), x[~y].mean(axis=0)
    weight = np.zeros(x.shape[1])
    weight[columns] = (cured - failed)[columns]
    return weight, special.logit(y.mean()) - weight @ (cured + failed) / 2


def kfold(n, parts, repeats, signal, studies, random):
    """Cross-validation of a linear rule of 10 predictors, two of which inform.

    `parts` is 0 for a hold-out of a fifth of the patients, repeated.
    """
    mean = np.zeros(10)
    mean[:2] = signal
    found, true = [], {"AUC": [], "Brier": [], "net benefit": [], "O/E": []}
    for _ in range(studies):
        y, x = _linear(n, signal, random)
        rows, order = [], []
        for repeat in range(repeats):
            division = random.permutation(np.arange(n) % (parts or 5))
            for part in range(parts or 1):
                test, rest = np.flatnonzero(division == part), division != part
                rules = [_rule(x[rest], y[rest], columns) for columns in (BOTH, ONE, OTHER)]
                rows.append(np.stack([x[test] @ weight + start for weight, start in rules]))
                order.append((test, np.full(test.size, repeat * (parts or 1) + part)))
                weight, start = rules[0]
                distance = weight @ mean / np.linalg.norm(weight)
                true["AUC"].append(special.ndtr(distance / math.sqrt(2)))
                if part == 0 and repeat == 0:
                    _of_rule(weight, start, signal, random, true)
        patient, part = (np.concatenate(column) for column in zip(*order, strict=True))
        found.append((y[patient], np.hstack(rows), part, patient, repeats > 1))
    middle = {name: float(np.mean(values)) for name, values in true.items()}
    design = f"{parts} parts" if parts else "hold-out"
    yield from _of_kfold(f"n {n}, {design}, {repeats} times", found, middle)


def _of_rule(weight, start, signal, random, true):
    y, x = _linear(1500, signal, random)
    p = special.expit(x @ weight + start)
    true["Brier"].append(np.mean((p - y) ** 2))
    true["net benefit"].append(np.mean(utility.contributions(y, p >= CUT, CUT)))
    true["O/E"].append(y.mean() / p.mean())


def _of_kfold(where, found, middle):
    hits, bias, rejected = {}, [], []
    for y, scores, part, patient, repeated in found:
        area = attempt(
            functools.partial(cross_validation.auc_within_parts, y, scores[0], part, patient)
        )
        if area is None:
            continue
        bias.append(area.estimate - middle["AUC"])
        same = patient if repeated else None
        p = special.expit(scores[0])
        first = np.unique(patient, return_index=True)[1]
        made = {
            ("AUC", False, "auc"): area,
            ("AUC", True, ""): discrimination.auc_interval(y[first], scores[0][first]),
            ("Brier", False, "brier"): calibration.brier(y, p, cluster=same),
            ("net benefit", False, "net_benefit"): utility.net_benefit(y, p, CUT, cluster=same),
            ("O/E", False, "oe_ratio"): calibration.observed_expected(y, p, cluster=same),
        }
        for (name, before, metric), one in made.items():
            inside = one.low <= middle[name] <= one.high
            key = f"{metric}:{one.method}" if metric == "auc" or (metric and repeated) else ""
            hits.setdefault((name, before, key), []).append(inside)
        test = attempt(
            functools.partial(
                cross_validation.auc_difference, y, scores[1], scores[2], part, patient
            )
        )
        rejected.append(None if test is None else test.p_value < 0.05)
    for (name, before, key), values in hits.items():
        yield coverage(f"{name} of cross-validation covered, %", where, values, before, key)
    yield row("AUC of cross-validation: bias", where, bias)
    yield row("AUC of cross-validation: RMSE", where, [math.sqrt(np.mean(np.square(bias)))])
    label = "difference in AUC of cross-validated models, rejections, %"
    yield rejections(label, where, rejected, key="cross_validated:rejections", least=0)


def sets(n, studies, random):
    """Prediction sets of one model that learned nothing from the patients who calibrate it."""
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
        label = f"prediction sets of one model: {name} covered on average, %"
        yield row(label, f"n {n}", values, key="sets:one_model", least=90.0)


def cross(n, studies, random):
    """Prediction sets of cross-fitted models (`members.settings`), before and now."""
    for where, method, rows in members.settings((n,), studies, random):
        before = method.startswith("before")
        for column, name in ((2, "cured"), (1, "not cured")):
            title, values = f"prediction sets (CV+): {name} covered", rows[:, column]
            for label, hits, least, key in (
                (f"{title} on average, %", values, 90.0, "mean"),
                (f"{title}, studies with at least 80 %, %", values >= 0.8, 95.0, "80"),
                (f"{title}, studies with at least 90 %, %", values >= 0.9, 95.0, "90"),
            ):
                yield row(label, where, hits, before, "" if before else f"sets:{key}", least)
        yield row("prediction sets (CV+): patients who are decided, %", where, rows[:, 3], before)


def certain(n, studies, random):
    """Clinicians' readings: 15 % of the probabilities are 0 or 1."""

    def study(count):
        x = random.normal(0.3, 1.2, count)
        y, p = random.random(count) < special.expit(x), special.expit(1.2 * x)
        return y, np.where(random.random(count) < 0.15, p > 0.5, np.round(p, 1))

    true = calibration.in_the_large(*study(300_000)).estimate
    inside, wald = [], []
    for _ in range(studies):
        y, p = study(n)
        found = calibration.in_the_large(y, p)
        inside.append(found.low <= true <= found.high)
        fit = logistic.fit(np.ones((n, 1)), y, offset=logit(p))
        half = intervals.normal_quantile(0.95) * math.sqrt(fit.covariance[0, 0])
        wald.append(abs(fit.coefficients[0] - true) <= half)
    label = "calibration in the large with 15 % of readings 0 or 1, covered, %"
    yield coverage(label, f"n {n}", inside)
    yield coverage(label, f"n {n}", wald, True)
