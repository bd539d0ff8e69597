"""Simulated studies of several centers for `benchmarks/validity.py`: pooled results, and tests."""

import math

import numpy as np
from numpy.polynomial import hermite_e
from scipy import special
from validity_rows import attempt, coverage, rejections, row

from thyrocast.statistics import (
    added_value,
    calibration,
    discrimination,
    new_center,
    pooling,
    utility,
)

AREA, PREVALENCE, CUT = 0.75, 0.65, 0.6
SHIFT = math.sqrt(2) * special.ndtri(AREA)
#: Fewest patients of a center, and of either outcome, that are reported (the default of the config).
LEAST, LEAST_OUTCOMES = 10, 3
METRICS = {
    "AUC": "auc", "O/E": "oe_ratio", "calibration in the large": "calibration_in_the_large",
    "slope": "calibration_slope", "net benefit": "net_benefit",
}  # fmt: skip


def drawn_centers(count, tau, random):
    """Prevalence and distance of the scores of cured and not cured patients, (count,) each."""
    area = special.expit(special.logit(AREA) + tau * random.normal(size=count))
    prevalence = special.expit(special.logit(PREVALENCE) + tau * random.normal(size=count))
    return prevalence, math.sqrt(2) * special.ndtri(area)


def model(x):
    """Log-odds of a model that is right where neither AUC nor prevalence differ."""
    return special.logit(PREVALENCE) + SHIFT * x - SHIFT**2 / 2


def truth(prevalence, distance):
    """True results of centers on the scale of pooling, (count,) each."""
    nodes, weights = hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    shown = [model(nodes + at[:, None]) for at in (distance, np.zeros_like(distance))]

    def mean(values):
        cured, failed = (values(odds) @ weights for odds in shown)
        return prevalence * cured + (1 - prevalence) * failed

    shift = np.zeros_like(prevalence)
    for _ in range(30):
        at = shift[:, None]
        p = mean(lambda odds, at=at: special.expit(odds + at))
        shape = mean(lambda odds, at=at: special.expit(odds + at) * special.expit(-odds - at))
        shift += (prevalence - p) / shape
    cut = (special.logit(CUT) - model(0.0)) / SHIFT
    lost = (1 - prevalence) * special.ndtr(-cut) * CUT / (1 - CUT)
    return {
        "AUC": special.logit(special.ndtr(distance / math.sqrt(2))),
        "O/E": np.log(prevalence / mean(special.expit)),
        "calibration in the large": shift,
        "slope": distance / SHIFT,
        "net benefit": prevalence * special.ndtr(distance - cut) - lost,
    }


def of_center(y, p):
    """Effect and variance of every metric in a center that may be reported."""
    area = discrimination.auc_interval(y, p)
    cured = int(y.sum())
    inside = discrimination.half_a_pair_inside(area.estimate, cured, y.size - cured)
    between = area.estimate if 0 < area.estimate < 1 else inside
    found = {"AUC": (special.logit(between), area.std_error)}
    ratio = calibration.observed_expected(y, p)
    found["O/E"] = (math.log(ratio.estimate), ratio.std_error)
    for name, function in (
        ("calibration in the large", calibration.in_the_large),
        ("slope", calibration.slope),
        ("net benefit", lambda y, p: utility.net_benefit(y, p, CUT)),
    ):
        one = attempt(lambda f=function: f(y, p))
        if one is not None:
            found[name] = (one.estimate, one.std_error)
    return found


def ratio_of_all(y, p):
    """Log of observed/expected where nobody is suppressed, and its variance."""
    cured = int(y.sum())
    if 0 < cured < y.size:
        found = calibration.observed_expected(y, p)
        return math.log(found.estimate), found.std_error**2
    observed, error = calibration.half_a_patient_inside(cured, y.size)
    return math.log(observed / y.size / p.mean()), error**2


def pooled(n, k, tau, studies, random):
    """Intervals of the mean of the centers and of a new center; their bias."""
    size = n // k
    true = truth(*drawn_centers(4000, tau, random))
    middle = {name: float(values.mean()) for name, values in true.items()}
    hits = {}

    def keep(label, value):
        hits.setdefault(label, []).append(value)

    for _ in range(studies):
        prevalence, distance = drawn_centers(k, tau, random)
        y = random.random((k, size)) < prevalence[:, None]
        p = special.expit(model(random.normal(size=y.shape) + distance[:, None] * y))
        shown = (np.minimum(y.sum(1), (~y).sum(1)) >= LEAST_OUTCOMES) & (size >= LEAST)
        found = [of_center(y[c], p[c]) for c in np.flatnonzero(shown)]
        for name in METRICS:
            rows = np.array(
                [one[name] for one in found if name in one and one[name][1] is not None]
            )
            _pool(name, rows, size, middle[name], true[name], random, keep)
        everyone = np.array([ratio_of_all(*pair) for pair in zip(y, p, strict=True)])
        whole = attempt(lambda e=everyone: pooling.pool(e[:, 0], e[:, 1]))
        if whole is not None:
            keep(("O/E", "bias", False, "unsuppressed"), whole.estimate - middle["O/E"])
        for before, bias in _net_benefit_of_all(y, p, middle["net benefit"]):
            keep(("net benefit", "bias", before, "unsuppressed"), bias)
        joint = discrimination.auc_interval(y.ravel(), p.ravel())
        inside = joint.low <= special.expit(middle["AUC"]) <= joint.high
        keep(("AUC", "mean", True, "joint"), inside)
    yield from _summary(f"{n} patients, {k} centers, tau {tau}", k, n, hits)


def _net_benefit_of_all(y, p, middle):
    """Bias of the mean net benefit where nobody is suppressed, (before, bias)."""
    gains = np.array([utility.contributions(*pair, CUT) for pair in zip(y, p >= CUT, strict=True)])
    k, size = gains.shape
    own = gains.var(axis=1, ddof=1) / size
    common = attempt(lambda: pooling.common_variance(own, np.full(k, size)))
    for before, variance, known in ((False, common, np.ones(k, bool)), (True, own, own > 0)):
        if variance is not None and known.sum() >= 3:
            found = pooling.pool(
                gains.mean(axis=1)[known], variance[known], interval="hartung_knapp_truncated"
            )
            yield before, found.estimate - middle


def _pool(name, rows, size, middle, true, random, keep):
    if len(rows) < 3:
        return
    effect, own = rows[:, 0], rows[:, 1] ** 2
    variance = own
    if name == "net benefit":
        variance = attempt(lambda: pooling.common_variance(own, np.full(len(own), size)))
        if variance is None:
            return
        known = own > 0
        if known.sum() >= 3:
            before = pooling.pool(effect[known], own[known], interval="hartung_knapp_truncated")
            keep((name, "mean", True, ""), before.low <= middle <= before.high)
            keep((name, "bias", True, ""), before.estimate - middle)
    else:
        effect, variance = effect[own > 0], own[own > 0]
        if effect.size < 3:
            return
    found = pooling.pool(effect, variance, interval="hartung_knapp_truncated")
    keep((name, "mean", False, ""), found.low <= middle <= found.high)
    keep((name, "bias", False, ""), found.estimate - middle)
    new = random.choice(true)
    limits = new_center.predict(effect, variance)
    keep((name, "new", False, ""), limits.low <= new <= limits.high)
    if name == "AUC":
        plain = attempt(lambda: pooling.pool(effect, variance))
        if plain is not None:
            keep((name, "new", True, ""), plain.prediction_low <= new <= plain.prediction_high)


def _summary(where, k, n, hits):
    for (name, what, before, kind), values in hits.items():
        key = METRICS[name]
        if what == "mean":
            label = f"{name}, mean of {k} centers covered, %"
            yield coverage(
                label,
                where,
                values,
                before,
                "" if before else f"{key}:reml_hartung_knapp_truncated",
            )
        elif what == "new":
            label = f"{name} of a new center, {k} centers, covered, %"
            yield coverage(label, where, values, before, "" if before else f"{key}:new_center")
        elif kind == "unsuppressed":
            scale = {"O/E": "log O/E"}.get(name, name)
            label = f"{scale}, mean of centers, {n} patients: bias if no center is suppressed"
            yield row(label, where, values, before)
        else:
            scale = {"AUC": "logit AUC", "O/E": "log O/E"}.get(name, name)
            label = f"{scale}, mean of centers, {n} patients: bias"
            yield row(label, where, values, before)
            error = [math.sqrt(np.mean(np.square(values)))]
            yield row(label.replace("bias", "RMSE"), where, error, before)


def tests(n, k, tau, studies, random):
    """False positives of every test at 5 %."""
    rejected = {}
    for _ in range(studies):
        size = n // k
        center = np.repeat(np.arange(k), size)
        risk, shift = random.normal(size=k * size), tau * random.normal(size=k)
        y = random.random(k * size) < special.expit(0.6 + shift[center] + risk)
        own = tau * random.normal(size=(2, k))[:, center]
        a, b = (special.expit(risk + random.normal(size=y.size) + e) for e in own)
        base = special.expit(risk + own[0])
        noise = special.expit(0.5 * risk + random.normal(size=y.size) - shift[center])
        true = special.expit(0.6 + shift[center] + risk)
        made = {
            ("likelihood ratio", False): lambda y=y, p=base, q=noise, c=center: (
                added_value.likelihood_ratio(y, p, q, c)
            ),
            ("likelihood ratio", True): lambda y=y, p=base, q=noise: added_value.likelihood_ratio(
                y, p, q
            ),
            ("DeLong, paired, all patients", False): lambda y=y, p=a, q=b: (
                discrimination.paired_test(y, p, q)
            ),
            ("Brier, paired, all patients", False): lambda y=y, p=a, q=b: utility.brier_difference(
                y, p, q
            ),
            ("net benefit, paired, all patients", False): lambda y=y, p=a, q=b: (
                utility.net_benefit_difference(y, p, q, CUT)
            ),
        }
        for name, make in made.items():
            found = attempt(make)
            if found is not None:
                rejected.setdefault(name, []).append(found.p_value < 0.05)
        z = attempt(lambda y=y, p=true: calibration.spiegelhalter(y, p))
        rejected.setdefault(("Spiegelhalter", False), []).append(z[1] < 0.05)
        for name, found in over_centers(y, a, b, center):
            rejected.setdefault((f"mean difference in {name} over centers", False), []).append(
                found.p_value < 0.05
            )
    for (name, replaced), values in rejected.items():
        centers = name.startswith("mean")
        # Where centers differ, a test of all patients as one sample is not the headline.
        before = replaced or (name.endswith("all patients") and tau > 0)
        key = "" if before else f"{name}:rejections"
        yield rejections(f"{name}, rejections, %", f"{n} patients, {k} centers, tau {tau}", values,
                         before, key, least=0 if centers else 3)  # fmt: skip


def over_centers(y, a, b, center):
    """Tests of the mean difference over centers, as in `comparisons.csv`."""
    rows = {"AUC": [], "Brier score": [], "net benefit": []}
    for c in np.unique(center):
        inside = center == c
        truth, p, q = y[inside], a[inside], b[inside]
        areas = attempt(lambda t=truth, p=p, q=q: discrimination.delong(t, np.stack([p, q])))
        if areas is not None:
            (one, other), v = areas
            variance = v[0, 0] + v[1, 1] - 2 * v[0, 1]
            if variance > 1e-12:
                rows["AUC"].append((one - other, variance))
        gains = utility.brier_gains(truth, p, q)
        rows["Brier score"].append((gains.mean(), gains.var(ddof=1) / gains.size))
        gains = utility.net_benefit_gains(truth, p, q, CUT)
        rows["net benefit"].append((gains.mean(), gains.var(ddof=1) / gains.size))
    sizes = np.unique(center, return_counts=True)[1]
    for name, found in rows.items():
        effect, variance = np.array(found).T if found else (np.empty(0), np.empty(0))
        if name != "AUC":
            variance = attempt(lambda v=variance: pooling.common_variance(v, sizes))
        if variance is None or effect.size < 3:
            continue
        result = attempt(
            lambda e=effect, v=variance: pooling.pool(e, v, interval="hartung_knapp_truncated")
        )
        if result is not None:
            yield name, result


def power(k, studies, random):
    """How often a true difference of two models is detected over centers of 40 patients."""

    def study(centers, size):
        center = np.repeat(np.arange(centers), size)
        risk = random.normal(size=center.size)
        y = random.random(center.size) < special.expit(0.6 + 1.5 * risk)
        a, b = (special.expit(0.6 + risk + s * random.normal(size=y.size)) for s in (0.6, 1.55))
        return center, y, a, b

    center, y, a, b = study(1, 200_000)
    gap = discrimination.auc(y, a) - discrimination.auc(y, b)
    found = {"over centers": [], "of all patients (DeLong)": []}
    for _ in range(studies):
        center, y, a, b = study(k, 40)
        for name, result in over_centers(y, a, b, center):
            if name == "AUC":
                found["over centers"].append(result.p_value < 0.05)
        joint = discrimination.paired_test(y, a, b).p_value < 0.05
        found["of all patients (DeLong)"].append(joint)
    for name, values in found.items():
        key = f"power:{k}" if name == "over centers" else ""
        label = f"difference of {gap:.2f} in AUC detected with {k} centers of 40 patients {name}, %"
        yield row(label, f"{k} centers", values, key=key)
