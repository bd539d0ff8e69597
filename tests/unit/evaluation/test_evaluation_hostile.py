"""Small and strange studies: every table fits the contract, and every gap has a reason."""

import warnings

import numpy as np
import pytest

from tests.unit.evaluation.example_study_of_24 import cohort, one_member, predictions
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.splits import SPLITS
from thyrocast.evaluation import design, pooled_centers, sample_size
from thyrocast.evaluation.settings import Settings

KINDS = ("any", "tied", "constant", "hard", "perfect")


def strange_study(random):
    """Predictions and cohort of up to 15 patients: one class, ties, exact 0 and 1, repeats."""
    n, centers = int(random.integers(1, 16)), int(random.integers(1, 7))
    names = [f"c{center}-{i}" for i, center in enumerate(random.integers(0, centers, n))]
    share = random.choice([0, 0.2, 0.5, 1])
    outcome = [None if random.random() < 0.1 else int(random.random() < share) for _ in names]
    kind, repeated = random.choice(KINDS), random.random() < 0.5
    splits = [str(split) for split in range(int(random.integers(1, 4)))]
    rows = []
    for split in splits:
        for model in ("network", "clinical", "reader"):
            for index, (name, y) in enumerate(zip(names, outcome, strict=True)):
                if model == "reader" and random.random() < 0.3:
                    continue
                p = {
                    "any": random.random(),
                    "tied": round(random.random(), 1),
                    "constant": 0.5,
                    "hard": float(random.integers(0, 2)),
                    "perfect": 0.0 if y == 0 else 1.0,
                }[kind]
                tested = random.random() < 0.5 if repeated else index % len(splits) == int(split)
                side = "test" if tested else "train"
                rows += predictions([(name, name[:2], y, p)], side, model, split, "kfold")
    people = [(name, name[:2], y, None) for name, y in zip(names, outcome, strict=True)]
    sexes = [random.choice(["female", "male", None]) for _ in names]
    return io.build(PREDICTIONS, rows), cohort(people, sex=sexes)


@pytest.mark.parametrize("seed", range(24))
def test_no_study_is_too_strange(seed):
    random = np.random.default_rng([seed, 77])
    config = EvaluationConfig.model_validate(
        {
            "resamples": 100,
            "minimum_count": {"patients": 1, "outcomes": 0},
            "bootstrap_interval": str(random.choice(["percentile", "bca"])),
        }
    )
    everybody, people = strange_study(random)
    sets = everybody.drop_duplicates(["split", "patient"]).assign(fold=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Each table is checked against its declaration: no NaN, no infinity, no repeated key.
        members = one_member(everybody)
        found = design.evaluate(everybody, people, Settings(config, seed), members)
        performance = found[PERFORMANCE]
        pooled_centers.pool(performance, 0.95)
        splits = io.conform(SPLITS, sets[list(SPLITS.names)])
        sample_size.plan(people, splits, config.sample_size, 0.95, SignatureConfig.read({}))
    for row in performance.itertuples():
        if np.isnan(row.estimate):
            assert row.status in ("not_estimable", "suppressed"), row
            assert row.note, row
        elif "bootstrap" not in row.ci_method and row.ci_method:
            assert row.ci_low - 1e-9 <= row.estimate <= row.ci_high + 1e-9, row


@pytest.mark.parametrize("tiny", [5e-324, 1e-200])
def test_tiny_probabilities_end_in_a_reason(tiny):
    people = [(f"p{n}", "c", n % 2, tiny) for n in range(24)]
    rows = predictions(people, "test") + predictions(people, "train", split="2")
    config = EvaluationConfig(resamples=100)
    everybody = io.build(PREDICTIONS, rows)
    members = one_member(everybody)
    found = design.evaluate(everybody, cohort(people), Settings(config, 1), members)[PERFORMANCE]
    ratio = found[(found["metric"] == "oe_ratio") & (found["status"] != "suppressed")]
    assert set(ratio["status"]) == {"not_estimable"}
    assert all(ratio["note"])
