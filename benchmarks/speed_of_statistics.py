"""Speed of the statistics, each compared in one run with common tools.

Usage: python benchmarks/speed_of_statistics.py [--reference-resamples 100] [--json FILE]

- 2,000 stratified resamples of AUC, sensitivity, specificity, PPV, NPV, accuracy and Brier score at
  n = 121, against a loop over scikit-learn (timed on fewer resamples and scaled up), and at 10,000
- DeLong at n = 121 and 100,000, against R's pROC where R is installed
- a decision curve of 81 thresholds with its interval at n = 121 and 10,000, against dcurves
"""

import argparse
import json
import shutil
import subprocess
import time

import dcurves
import numpy as np
import pandas as pd
from scipy import special
from sklearn import metrics as sklearn_metrics

from thyrocast.statistics import discrimination, resampling, utility, weighted

PROC = """
suppressMessages(library(pROC)); set.seed(1); n <- {n}
x <- rnorm(n); y <- rbinom(n, 1, plogis(x))
best <- Inf
for (i in 1:3) {{
  t <- system.time({{r <- roc(y, x, quiet = TRUE, direction = "<"); v <- var(r, method = "delong")}})
  best <- min(best, t[["elapsed"]])
}}
cat(best)
"""


def patients(n):
    random = np.random.default_rng(1)
    logit = random.normal(size=n)
    return random.random(n) < special.expit(logit), special.expit(logit)


def best(function, repeats=5):
    """Seconds of the fastest of some runs."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return min(found)


def ours(y, p, resamples):
    area = weighted.auc(y, p)
    functions = [lambda w: {"auc": area(w)}, weighted.decisions(y, p >= 0.5), weighted.scores(y, p)]
    drawn = resampling.draws(resampling.strata(y), resamples, np.random.default_rng(1))
    return weighted.replicate(functions, drawn)


def theirs(y, p, resamples):
    random = np.random.default_rng(1)
    groups = [np.flatnonzero(y), np.flatnonzero(~y)]
    found = []
    for _ in range(resamples):
        index = np.concatenate([random.choice(group, group.size) for group in groups])
        truth, probability = y[index], p[index]
        called = probability >= 0.5
        found.append(
            (
                sklearn_metrics.roc_auc_score(truth, probability),
                sklearn_metrics.recall_score(truth, called),
                sklearn_metrics.recall_score(truth, called, pos_label=False),
                sklearn_metrics.precision_score(truth, called),
                sklearn_metrics.precision_score(truth, called, pos_label=False),
                sklearn_metrics.accuracy_score(truth, called),
                sklearn_metrics.brier_score_loss(truth, probability),
            )
        )
    return found


def rows(reference_resamples):
    """Name, our seconds, the reference and its seconds."""
    y, p = patients(121)
    scale = 2000 / reference_resamples
    loop = best(lambda: theirs(y, p, reference_resamples), 3) * scale
    yield (
        "2,000 resamples of 7 metrics, n = 121",
        best(lambda: ours(y, p, 2000)),
        "scikit-learn",
        loop,
    )
    big = patients(10_000)
    yield "2,000 resamples of 7 metrics, n = 10,000", best(lambda: ours(*big, 2000), 2), "", None
    for n in (121, 100_000):
        data = patients(n)
        proc = None
        if shutil.which("Rscript"):
            done = subprocess.run(
                ["Rscript", "-e", PROC.format(n=n)], capture_output=True, text=True, check=True
            )
            proc = float(done.stdout)
        mine = best(lambda d=data: discrimination.delong(*d))
        yield f"AUC and DeLong variance, n = {n:,}", mine, "pROC" if proc else "", proc
    thresholds = np.round(np.linspace(0.1, 0.9, 81), 2)
    for n in (121, 10_000):
        y, p = patients(n)
        frame = pd.DataFrame({"y": y.astype(int), "model": p})
        other = best(
            lambda f=frame: dcurves.dca(
                data=f, outcome="y", modelnames=["model"], thresholds=thresholds
            ),
            2,
        )
        mine = best(lambda a=y, b=p: utility.decision_curve(a, b, thresholds))
        yield f"decision curve of 81 thresholds, n = {n:,}", mine, "dcurves", other


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference-resamples", type=int, default=100)
    parser.add_argument("--json", help="file for all numbers")
    arguments = parser.parse_args()
    found = []
    print(f"{'':44}{'seconds':>10}{'reference':>14}{'seconds':>10}{'times':>9}")
    for name, mine, reference, other in rows(arguments.reference_resamples):
        tail = f"{reference:>14}{other:10.4f}{other / mine:9.0f}" if other is not None else ""
        print(f"{name:44}{mine:10.4f}{tail}", flush=True)
        found.append({"name": name, "seconds": mine, "reference": reference, "reference_s": other})
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
