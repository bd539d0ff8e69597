"""Cure rate and metrics when patients are discharged or lost: simulated follow-up with known truth.

Usage: python benchmarks/follow_up.py [--patients 20000] [--studies 300] [--resamples 300] [--seed 1]

1. Rules of the outcome. Of 100 patients 70 are cured. Some of the cured are hypothyroid on levothyroxine at 6
   months and discharged; most of the others who are not cured get a second radioiodine therapy at 7
   months. The rest are seen at 12 months, apart from those who are lost.
2. Coverage of 95 % intervals of metrics weighted by the inverse probability of follow-up, where older
   patients are cured less often and lost more often.
"""

import argparse
import collections

import numpy as np
import pandas as pd
from scipy import special

from thyrocast.cohort import outcome
from thyrocast.config.center import CenterConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import FOLLOW_UP
from thyrocast.contract.names import SecondKind, ThyroidState
from thyrocast.evaluation import follow_up
from thyrocast.statistics import follow_up as inverse
from thyrocast.statistics import resampling, weighted
from thyrocast.tables.clinical import ClinicalPatient
from thyrocast.tables.followup import FollowUp, SecondTreatment, Visit

CURED, DISCHARGED, RETREATED = 0.7, 0.357, 0.8
SIX, SEVEN, TWELVE = 183.0, 213.0, 365.0


def center(**rule):
    """A center whose outcome is decided from follow-up."""
    return CenterConfig.read(
        {
            "name": "simulated",
            "role": "development",
            "dicom": "dicom",
            "clinical": "table.csv",
            "columns": {"patient": "id", "therapy_date": "therapy"},
            "outcome": {"rule": "followup", "visits": [{"date": "visit"}], **rule},
        }
    )


def course(cured, lost, random):
    """The follow-up of one patient: visits at 6 and 12 months, and a second treatment at 7."""
    if cured and random.random() < DISCHARGED:
        return FollowUp((Visit(SIX, ThyroidState.HYPOTHYROID, levothyroxine=True),))
    first = Visit(SIX, ThyroidState.EUTHYROID if cured else ThyroidState.HYPERTHYROID)
    if not cured and random.random() < RETREATED:
        return FollowUp((first,), (SecondTreatment(SecondKind.IODINE, SEVEN),))
    if random.random() < lost:
        return FollowUp((first,))
    last = Visit(TWELVE, ThyroidState.EUTHYROID if cured else ThyroidState.HYPERTHYROID)
    return FollowUp((first, last))


def cure_rates(patients, lost, seed):
    """Cure rate with and without early decision, and weighted for the patients who were lost.

    Returns
    -------
    dict
        `truth`, `visit_only`, `early` and `weighted`.
    """
    random = np.random.default_rng(seed)
    truth = random.random(patients) < CURED
    courses = [course(cured, lost, random) for cured in truth]
    found = {"truth": float(truth.mean())}
    for name, rule in (("visit_only", {"hypothyroid_from": None}), ("early", {})):
        block = center(**rule)
        decided = [
            outcome.decide(ClinicalPatient(str(n), n, followup=one), block)
            for n, one in enumerate(courses)
        ]
        known = np.array([one.cured is not None for one in decided])
        cured = np.array([bool(one.cured) for one in decided])
        found[name] = float(cured[known].mean())
    status = np.array([outcome.follow_up(one, block) for one in decided])
    stages = inverse.stages(status != "lost", status == "settled_early", known)
    weight = inverse.weights(np.zeros((patients, 1)), stages)
    return found | {"weighted": float(np.average(cured, weights=weight))}


def cohort(n, random):
    """Patients, their outcomes and predictions; older patients are cured less and lost more often."""
    age = random.normal(50, 12, n)
    z = (age - 50) / 12
    cured = random.random(n) < special.expit(0.8 - 1.2 * z)
    prediction = special.expit(0.8 - 0.7 * z + random.normal(0, 0.7, n))
    lost = random.random(n) < special.expit(-1.0 + 1.0 * z)
    table = pd.DataFrame(index=range(n), columns=list(FOLLOW_UP.names), dtype=object)
    table["patient"] = [f"simulated-{i}" for i in range(n)]
    table["center"], table["age"] = "simulated", age
    table["follow_up"] = np.where(lost, "lost", "decided")
    return io.conform(FOLLOW_UP, table), cured, prediction, ~lost


def metrics(cured, prediction):
    """Functions from weights to each metric."""
    return {
        "auc": weighted.auc(cured, prediction),
        "brier": lambda weights: weighted.scores(cured, prediction)(weights)["brier"],
        "calibration_in_the_large": weighted.in_the_large(cured, prediction),
    }


def coverage(studies, resamples, n, seed):
    """Bias and coverage of each metric, unweighted and weighted, as rows."""
    _, cured, prediction, _ = cohort(400_000, np.random.default_rng(seed))
    one = np.ones((1, cured.size))
    truth = {name: function(one)[0] for name, function in metrics(cured, prediction).items()}
    estimates, inside = collections.defaultdict(list), collections.defaultdict(list)
    for study in range(studies):
        table, cured, prediction, known = cohort(n, np.random.default_rng((seed, study)))
        weights = follow_up.learn(table, resamples, study)
        for name, function in metrics(cured[known], prediction[known]).items():
            estimates[name, "unweighted"].append(function(np.ones((1, known.sum())))[0])
            value = function(weights.weight[None, known])[0]
            drawn = function(weights.drawn[:, known].astype(float))
            found = resampling.percentile(value, drawn)
            estimates[name, "weighted"].append(value)
            inside[name].append(found.low <= truth[name] <= found.high)
    for (name, kind), values in estimates.items():
        covered = f"{100 * np.mean(inside[name]):.1f}" if kind == "weighted" else ""
        yield name, kind, truth[name], np.mean(values) - truth[name], np.std(values), covered


def main():
    """Read the command line and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--resamples", type=int, default=300)
    parser.add_argument("--size", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print("lost after 6 months | truth | visit only | early decision | and weighted")
    for lost in (0.0, 0.2, 0.4):
        found = cure_rates(given.patients, lost, given.seed)
        print(f"{lost:.0%} | " + " | ".join(f"{value:.3f}" for value in found.values()))
    print("metric | weights | truth | bias | standard deviation | coverage, %")
    for row in coverage(given.studies, given.resamples, given.size, given.seed):
        name, kind, truth, bias, spread, covered = row
        print(f"{name} | {kind} | {truth:.3f} | {bias:+.4f} | {spread:.4f} | {covered}")


if __name__ == "__main__":
    main()
