"""CPU time of the signature stage on one core, and of its LASSO path compared with other solvers.

    OMP_NUM_THREADS=1 PYTHONPATH=workflow/lib .venv/bin/python benchmarks/signature.py

R's glmnet is timed if Rscript is installed, and skglm if it is (its first path includes the
compilation that every process repeats).
"""

import shutil
import subprocess
import tempfile
import time
import warnings

import numpy as np
import pandas as pd

from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import columns, io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.names import Role
from thyrocast.contract.table import Kind
from thyrocast.signature import fitting, lasso
from thyrocast.signature.split import SplitData

GLMNET = """
suppressMessages(library(glmnet))
data <- as.matrix(read.csv("{file}"))
x <- data[, -(1:2)]; y <- data[, 1]; fold <- data[, 2]
took <- system.time(cv.glmnet(x, y, family = "binomial", foldid = fold, thresh = {gap},
                              nlambda = 60, lambda.min.ratio = 0.05))
cat(took[["user.self"]])
"""


def draw(n: int, p: int = 2048, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Simulate features with the number, correlation and sparsity of a network's, and outcomes."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 20))
    features = latent @ rng.normal(size=(20, p)) + 2 * rng.normal(size=(n, p))
    outcome = (latent[:, 0] + latent[:, 1] + rng.normal(size=n) > 0).astype(float)
    return np.maximum(features, 0), outcome


def lasso_solvers(n: int) -> None:
    """One cross-validated path of 60 penalties, 10 folds."""
    features, outcome = draw(n)
    folds = np.arange(n) % 10 + 1
    lambdas = lasso.penalties(features, outcome, 60, 0.05)
    start = time.process_time()
    lasso.cross_validate(features, outcome, folds, lambdas)
    print(f"{n} x 2048, cross-validated path, ours:   {time.process_time() - start:.2f} s")
    if shutil.which("Rscript"):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            table = np.column_stack([outcome, folds, features])
            header = ",".join(f"v{i}" for i in range(table.shape[1]))
            np.savetxt(file.name, table, delimiter=",", header=header, comments="")
            for gap in ("1e-7", "1e-14"):
                script = GLMNET.format(file=file.name, gap=gap)
                took = subprocess.run(
                    ["Rscript", "-e", script], capture_output=True, text=True, check=True
                ).stdout
                print(f"{n} x 2048, cross-validated path, glmnet: {took} s (thresh {gap})")


def skglm_path(n: int) -> None:
    """One path of 100 penalties, the first time in a process and again."""
    try:
        from skglm.datafits import Logistic
        from skglm.penalties import L1
        from skglm.solvers import ProxNewton
    except ImportError:
        return
    features, outcome = draw(n)
    scaled = np.asfortranarray((features - features.mean(axis=0)) / features.std(axis=0))
    lambdas = lasso.penalties(features, outcome, 100, 0.01)
    for turn in ("first", "second"):
        start = time.process_time()
        weights, linear = np.zeros(scaled.shape[1] + 1), np.zeros(n)
        solver = ProxNewton(tol=1e-7, fit_intercept=True, warm_start=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for penalty in lambdas:
                solver.solve(scaled, 2 * outcome - 1, Logistic(), L1(penalty), weights, linear)
        print(f"{n} x 2048, path, skglm, {turn}: {time.process_time() - start:.2f} s")
    start = time.process_time()
    lasso.fit_path(features, outcome, lambdas)
    print(f"{n} x 2048, path, ours: {time.process_time() - start:.2f} s")


def patients(outcome: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """A cohort with random numbers as predictors, of which 15 % are missing."""
    cohort = pd.DataFrame(dict.fromkeys(COHORT.names), index=range(len(outcome)))
    cohort["patient"] = [f"north-{i}" for i in cohort.index]
    cohort["center"], cohort["role"], cohort["outcome"] = "north", Role.DEVELOPMENT.value, outcome
    for name in (*columns.CLINICAL, *columns.QUANTITIES, *columns.READINGS):
        if COHORT.column(name).kind is Kind.NUMBER:
            values = np.exp(rng.normal(size=len(outcome)))
            cohort[name] = np.where(rng.random(len(outcome)) > 0.15, values, np.nan)
    return io.conform(COHORT, cohort)


def whole_stage(n: int, folds: int) -> None:
    """Every model of one split: n training patients and 100 more."""
    rng = np.random.default_rng(0)
    total = n + 100
    features, outcome = draw(total)
    noise = rng.normal(size=(1 + folds, total, features.shape[1]))
    embeddings = np.maximum(features + 0.5 * noise, 0).astype(np.float32)
    train = np.arange(total) < n
    data = SplitData(
        cohort=patients(outcome.astype(int), rng),
        train=train,
        fold=np.where(train, np.arange(total) % folds + 1, 0),
        outcome=outcome,
    )
    logits = rng.normal(size=(1 + folds, total)) + outcome
    start = time.process_time()
    fitting.fit(data, embeddings, logits, SignatureConfig(), seed=0)
    print(f"whole stage, {n} patients, {folds} folds: {time.process_time() - start:.1f} s")


def main() -> None:
    for n in (97, 400):
        lasso_solvers(n)
    skglm_path(100)
    for folds in (3, 5):
        whole_stage(300, folds)


if __name__ == "__main__":
    main()
