"""The statistics equal R's pROC, rms, metafor and base R, dcurves, pmsampsize and pmvalsampsize.

The stored values are in statistics/, with the scripts that computed them; where R is installed
they are computed again and compared as well.
"""

import csv
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from thyrocast.statistics import (
    added_value,
    calibration,
    calibration_curve,
    discrimination,
    inputs,
    intervals,
    logistic,
    pooling,
    roc,
    sample_size,
    smoothing,
    utility,
)

FOLDER = Path(__file__).parent / "statistics"
EXACT = {"rtol": 1e-8, "atol": 1e-10}
OPTIMIZED = {"rtol": 1e-6, "atol": 1e-8}


def read_values(file):
    found = {}
    with file.open() as handle:
        for row in csv.DictReader(handle):
            name = row["name"].partition("[")[0]
            found.setdefault(name, []).append(float(row["value"]))
    return {name: np.array(values) for name, values in found.items()}


@pytest.fixture(scope="module")
def r():
    return read_values(FOLDER / "r.csv")


def columns(file):
    with file.open() as handle:
        rows = list(csv.DictReader(handle))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def asah():
    return {name: values.astype(float) for name, values in columns(FOLDER / "asah.csv").items()}


@pytest.fixture(scope="module")
def unseen(asah):
    """The patients on whom the model of the probabilities was not fitted."""
    return {name: values[1::2] for name, values in asah.items()}


@pytest.mark.parametrize("marker", ["s100b", "ndka", "wfns"])
class TestPROC:
    def test_auc_and_delong(self, r, asah, marker):
        area, variance = discrimination.delong(asah["outcome"], asah[marker])
        np.testing.assert_allclose(area, r[f"proc.auc.{marker}"], **EXACT)
        np.testing.assert_allclose(variance[0], r[f"proc.var.{marker}"], **EXACT)
        found = discrimination.auc_interval(asah["outcome"], asah[marker], method="delong")
        np.testing.assert_allclose(
            [found.low, found.estimate, found.high], r[f"proc.ci.{marker}"], **EXACT
        )

    def test_sensitivity_at_specificities(self, r, asah, marker):
        # With the sample as its only resample, the band is the interpolated curve.
        itself = [np.ones((1, asah["outcome"].size), dtype=int)]
        fpr = 1 - np.array([0.5, 0.8, 0.9, 0.95])
        low, high = roc.band(asah["outcome"], asah[marker], fpr, itself)
        np.testing.assert_allclose(low, r[f"proc.at_specificity.{marker}"], rtol=1e-8, atol=1e-8)
        np.testing.assert_array_equal(low, high)


def test_proc_paired_test(r, asah):
    scores = np.stack([asah["s100b"], asah["wfns"]])
    _, covariance = discrimination.delong(asah["outcome"], scores)
    np.testing.assert_allclose(covariance[0, 1], r["proc.cov"], **EXACT)
    found = discrimination.paired_test(asah["outcome"], *scores)
    _, p_value, low, high = r["proc.paired"]
    np.testing.assert_allclose(
        [found.p_value, found.low, found.high], [p_value, low, high], **EXACT
    )


class TestCalibration:
    def test_in_the_large_by_offset(self, r, unseen):
        found = calibration.in_the_large(unseen["outcome"], unseen["p"])
        estimate, error = r["glm.in_the_large"][0], r["sandwich.in_the_large"][0]
        half = intervals.t_quantile(0.95, unseen["p"].size - 1) * error
        np.testing.assert_allclose(
            found[:3], [estimate, estimate - half, estimate + half], **OPTIMIZED
        )

    def test_joint_intercept_and_slope(self, r, unseen):
        expected = r["glm.joint"]
        for index, function in enumerate((calibration.intercept, calibration.slope)):
            found = function(unseen["outcome"], unseen["p"])
            estimate, error = expected[index], expected[2 + index]
            np.testing.assert_allclose(found.estimate, estimate, **OPTIMIZED)
            half = intervals.normal_quantile(0.95) * error
            np.testing.assert_allclose(found.high - found.estimate, half, **OPTIMIZED)

    def test_val_prob(self, r, unseen):
        y, p = unseen["outcome"], unseen["p"]
        np.testing.assert_allclose(
            calibration.brier(y, p).estimate, r["rms.val_prob.Brier"], **EXACT
        )
        np.testing.assert_allclose(
            calibration.intercept(y, p).estimate, r["rms.val_prob.Intercept"], **OPTIMIZED
        )
        np.testing.assert_allclose(
            calibration.slope(y, p).estimate, r["rms.val_prob.Slope"], **OPTIMIZED
        )
        z, p_value = calibration.spiegelhalter(y, p)
        np.testing.assert_allclose(z, r["rms.val_prob.S:z"], **EXACT)
        np.testing.assert_allclose(p_value, r["rms.val_prob.S:p"], **EXACT)

    def test_val_prob_errors_of_the_lowess_curve(self, r, unseen):
        p = unseen["p"]
        # R's lowess fits at anchors 1 % of the range apart and interpolates between them.
        ordered, delta = np.unique(p), 0.01 * np.ptp(p)
        anchors = [ordered[0]]
        for before, value in zip(ordered, [*ordered[1:], np.inf], strict=True):
            if value > anchors[-1] + delta and before > anchors[-1]:
                anchors.append(before)
        value = smoothing.loess(p, unseen["outcome"], anchors, span=2 / 3, degree=1)
        found = calibration_curve.errors(np.interp(p, anchors, value), p)
        np.testing.assert_allclose(found["ici"], r["rms.val_prob.Eavg"], **OPTIMIZED)
        np.testing.assert_allclose(found["e90"], r["rms.val_prob.E90"], **OPTIMIZED)
        np.testing.assert_allclose(found["emax"], r["rms.val_prob.Emax"], **OPTIMIZED)

    @pytest.mark.parametrize("degree", [1, 2])
    def test_loess(self, r, unseen, degree):
        found = smoothing.loess(unseen["p"], unseen["outcome"], unseen["p"], degree=degree)
        np.testing.assert_allclose(found, r[f"r.loess.{degree}"], **EXACT)

    def test_lowess(self, r, unseen):
        p = np.sort(unseen["p"])
        found = smoothing.loess(unseen["p"], unseen["outcome"], p, span=2 / 3, degree=1)
        np.testing.assert_allclose(found, r["r.lowess"], **EXACT)

    @pytest.mark.parametrize("knots", [3, 4])
    def test_restricted_cubic_spline(self, r, asah, knots):
        places = r[f"rms.knots.{knots}"]
        found = calibration_curve.spline_basis(inputs.logit(asah["p"]), places)[:7, 1:]
        np.testing.assert_allclose(found.T.ravel(), r[f"rms.basis.{knots}"], **EXACT)

    @pytest.mark.parametrize("knots", [3, 4])
    @pytest.mark.parametrize("certain", ["both", "low", "high", "few"])
    def test_knots_where_probabilities_are_0_or_1(self, r, asah, knots, certain):
        x = np.sort(inputs.logit(asah["p"]))
        low, high = {"both": (9, 9), "low": (9, 0), "high": (0, 9), "few": (4, 4)}[certain]
        x[:low], x[x.size - high :] = inputs.logit(np.array([0.0])), inputs.logit(np.array([1.0]))
        # Both outcomes have 100 patients or more if four knots are wanted.
        outcome = np.arange(x.size) < 50
        if knots == 4:
            x, outcome = np.tile(x, 2), np.arange(2 * x.size) < 113
        found = calibration_curve.knots(x, outcome)
        np.testing.assert_allclose(found, r[f"rms.tied_knots.{certain}.{knots}"], **EXACT)

    def test_spline_curve_and_ici(self, r, unseen):
        y, p = unseen["outcome"].astype(bool), unseen["p"]
        x = inputs.logit(p)
        basis = calibration_curve.spline_basis(x, calibration_curve.knots(x, y))
        fit = logistic.fit(basis, y)
        curve = special.expit(basis @ fit.coefficients)
        np.testing.assert_allclose(curve, r["rms.spline.fit"], **OPTIMIZED)
        np.testing.assert_allclose(
            calibration_curve.errors(curve, p)["ici"], r["rms.spline.ici"], **OPTIMIZED
        )
        error = np.sqrt(np.einsum("ij,jk,ik->i", basis, fit.covariance, basis))
        np.testing.assert_allclose(error, r["rms.spline.se"], **OPTIMIZED)

    def test_likelihood_ratio(self, r, unseen):
        marker = np.clip(unseen["s100b"], 0.01, 0.99)
        found = added_value.likelihood_ratio(unseen["outcome"], unseen["p"], marker)
        # The correction for the three coefficients is ours; the statistic is that of glm.
        n = len(unseen["outcome"])
        statistic = r["glm.likelihood_ratio"][0] * (n - 3) / n
        np.testing.assert_allclose(found.difference, statistic, **OPTIMIZED)
        np.testing.assert_allclose(found.p_value, special.chdtrc(1, statistic), **OPTIMIZED)


@pytest.mark.parametrize("successes", [0, 1, 7, 24])
def test_proportions(r, successes):
    wilson = intervals.wilson(successes, 24)
    np.testing.assert_allclose([wilson.low, wilson.high], r[f"r.wilson.{successes}"], **EXACT)


@pytest.mark.parametrize("name", ["bcg", "smoke", "four", "flat"])
@pytest.mark.parametrize(("method", "ours"), [("REML", "reml"), ("PM", "paule_mandel")])
class TestMetafor:
    def effects(self, name):
        meta = columns(FOLDER / "meta.csv")
        inside = meta["set"] == name
        return meta["yi"][inside].astype(float), meta["vi"][inside].astype(float)

    @pytest.mark.parametrize(
        ("test", "interval"), list(zip(("knha", "adhoc", "z"), pooling.INTERVALS, strict=True))
    )
    def test_pooled(self, r, name, method, ours, test, interval):
        found = pooling.pool(*self.effects(name), ours, interval=interval)
        expected = r[f"metafor.{name}.{method}.{test}"]
        values = [
            found.estimate, found.error, found.low, found.high, found.prediction_low,
            found.prediction_high, found.tau2, found.i2, found.q, found.q_p, found.p_value,
        ]  # fmt: skip
        np.testing.assert_allclose(values, expected, **OPTIMIZED)

    def test_leave_one_out(self, r, name, method, ours):
        found = [one.estimate for one in pooling.leave_one_out(*self.effects(name), ours)]
        np.testing.assert_allclose(found, r[f"metafor.{name}.{method}.without"], **OPTIMIZED)


def test_dcurves(asah):
    dcurves = pytest.importorskip("dcurves")
    import pandas as pd

    data = pd.DataFrame({"outcome": asah["outcome"], "model": asah["p"]})
    thresholds = np.round(np.arange(0.05, 0.96, 0.05), 2)
    theirs = dcurves.dca(data=data, outcome="outcome", modelnames=["model"], thresholds=thresholds)
    for name, p in (("model", asah["p"]), ("all", np.ones(113)), ("none", np.zeros(113))):
        rows = theirs[theirs["model"] == name].sort_values("threshold")
        found = utility.decision_curve(asah["outcome"], p, thresholds)
        np.testing.assert_allclose(found.net_benefit, rows["net_benefit"], **EXACT)
        avoided = rows["net_intervention_avoided"]
        np.testing.assert_allclose(found.avoided, 100 * avoided, **EXACT)


@pytest.mark.parametrize(
    "row",
    json.loads((FOLDER / "sample_size.json").read_text()),
    ids=lambda row: "-".join(map(str, [row["function"], *row["arguments"]])),
)
def test_sample_size(row):
    function, arguments, expected = row["function"], row["arguments"], row["value"]
    if function == "for_slope":
        mean, sd, width = arguments
        x = np.linspace(-8, 8, 4001)
        predictor = sample_size.LinearPredictor(
            mean + sd * x, stats.norm.pdf(x) / stats.norm.pdf(x).sum()
        )
        # Theirs is drawn at random from a million patients.
        assert sample_size.for_slope(predictor, width) == pytest.approx(expected, rel=3e-3)
    elif function == "cox_snell":
        assert sample_size.cox_snell(*arguments) == pytest.approx(expected, abs=1.5e-3)
    else:
        assert getattr(sample_size, function)(*arguments) == expected


def test_r_computes_the_stored_values(r, tmp_path, needs):
    needs("Rscript")
    subprocess.run(["Rscript", FOLDER / "make.R", tmp_path], check=True, capture_output=True)
    again = read_values(tmp_path / "r.csv")
    assert again.keys() == r.keys()
    for name, values in r.items():
        np.testing.assert_allclose(again[name], values, rtol=1e-7, atol=1e-9, err_msg=name)
