"""Controls where nothing is: inflation by each leaky twin, false alarms, and CPU time.

    OMP_NUM_THREADS=1 python benchmarks/controls.py

Leaky twins on 121 patients of noise with 2,048 features, divided 97 to 24 as in the published study; p
values of shuffled outcomes in studies without signal; time of 200 permutations.
"""

import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "lib"), str(ROOT)]

from tests.unit.controls import example_splits  # noqa: E402 - after the path is set
from thyrocast.config.controls import ControlsConfig, PermutedModel  # noqa: E402 - after the path is set
from thyrocast.config.signature import SignatureConfig  # noqa: E402 - after the path is set
from thyrocast.controls import permuting, ridge_refits, shuffled, twins  # noqa: E402 - after the path is set

COHORTS, STUDIES = 4, 1000


def noise() -> None:
    """Mean inflation by each fault over several cohorts of noise."""
    config = ControlsConfig.read({"permutations": 200})
    tables = []
    for seed in range(COHORTS):
        one = example_splits.split(seed, n=97, n_test=24, features=2048)
        found = twins.run(one, config, reported=True, seed=seed)
        tables.append(found[found["outcomes"] == "permuted"].set_index("fault"))
    print(
        "| fault | metric | honest | with the fault | range of the latter |\n|---|---|---|---|---|"
    )
    for fault in tables[0].index:
        honest = np.mean([table.loc[fault, "honest"] for table in tables])
        faulty = [table.loc[fault, "faulty"] for table in tables]
        metric = tables[0].loc[fault, "metric"]
        print(
            f"| {fault} | {metric} | {honest:.3f} | {np.mean(faulty):.3f} "
            f"| {min(faulty):.3f} to {max(faulty):.3f} |"
        )


def false_alarms() -> None:
    """How often the p value of a study without signal is small."""
    config = ControlsConfig.read({"models": ["ridge"], "permutations": 99})
    one = example_splits.split(n=60, n_test=30, features=20)
    p_values = []
    for seed in range(STUDIES):
        random = np.random.default_rng(seed)
        for side in (one.train, one.test):
            side.embeddings[:] = random.normal(size=side.embeddings.shape)
            side.outcome[:] = random.permutation(side.outcome)
        null = shuffled.null(PermutedModel.RIDGE, one, config, SignatureConfig(), seed)
        assert null is not None
        found = (null.permuted, null.both)
        p_values.append([permuting.p_value(null.observed, areas) for areas in found])
    for level in (0.01, 0.05, 0.2):
        shares = (np.array(p_values) <= level).mean(axis=0)
        print(f"p <= {level}: {shares[0]:.3f}, test outcomes permuted too {shares[1]:.3f}")


def speed() -> None:
    """CPU time of 200 permutations of ridge."""
    random = np.random.default_rng(0)
    for n in (97, 205):
        features = random.normal(size=(n, 2048))
        outcomes = (random.random((200, n)) < 0.65).astype(float)
        began = time.process_time()
        ridge_refits.scores(features, features[:20], outcomes)
        print(f"ridge, {n} patients: {time.process_time() - began:.1f} CPU seconds")


if __name__ == "__main__":
    noise()
    false_alarms()
    speed()
