"""Small and strange studies: every cell is a number, empty or a reason, and nothing breaks off."""

import math
import warnings

import numpy as np
import pytest

from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.evaluation import design, planning, pooled
from thyrocast.evaluation.layout import COLUMNS

KINDS = ("any", "tied", "constant", "hard", "perfect")


def strange_study(random):
    """Predictions and cohort of up to 15 patients: one class, ties, exact 0 and 1, repeats."""
    n, centers = int(random.integers(1, 16)), int(random.integers(1, 7))
    names = [f"c{center}-{i}" for i, center in enumerate(random.integers(0, centers, n))]
    share = random.choice([0, 0.2, 0.5, 1])
    outcome = ["" if random.random() < 0.1 else str(int(random.random() < share)) for _ in names]
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
                    "perfect": 0.0 if y == "0" else 1.0,
                }[kind]
                tested = random.random() < 0.5 if repeated else index % len(splits) == int(split)
                cells = (
                    "d",
                    split,
                    model,
                    "test" if tested else "train",
                    name,
                    name[:2],
                    y,
                    str(p),
                )
                rows.append(dict(zip(COLUMNS["predictions"], cells, strict=True)))
    cohort = [
        {"patient": name, "role": "development", "outcome": y, "sex": str(random.choice(["f", "m", ""]))}
        for name, y in zip(names, outcome, strict=True)
    ]  # fmt: skip
    return rows, cohort


def as_text(rows, table):
    return [
        dict(zip(COLUMNS[table], ("" if c is None else str(c) for c in row), strict=True))
        for row in rows
    ]


@pytest.mark.parametrize("seed", range(24))
def test_no_study_is_too_strange(seed):
    random = np.random.default_rng([seed, 77])
    block = EvaluationConfig().plain()
    block["resamples"] = 100
    block["minimum_count"] = {"patients": 1, "outcomes": 0}
    block["bootstrap_interval"] = str(random.choice(["percentile", "bca"]))
    rows, cohort = strange_study(random)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = design.evaluate(rows, cohort, block, seed) if rows else {"performance": []}
        text = as_text(found["performance"], "performance")
        found["pooled"], found["pooled_centers"] = pooled.rows(text, 0.95)
        found["sample_size"] = [*planning.rows(cohort, rows, block["sample_size"], 0.95)]
    for table, made in found.items():
        for row in made:
            assert len(row) == len(COLUMNS[table]), (table, row)
            numbers = [cell for cell in row if isinstance(cell, float)]
            assert all(map(math.isfinite, numbers)), (table, row)
    for row in text:
        if not row["estimate"]:
            assert row["ci_method"].startswith(("not estimable: ", "suppressed: ")), row
        elif "bootstrap" not in row["ci_method"] and row["metric"] != "spiegelhalter_z":
            low, value, high = (float(row[name]) for name in ("ci_low", "estimate", "ci_high"))
            assert low - 1e-9 <= value <= high + 1e-9, row
