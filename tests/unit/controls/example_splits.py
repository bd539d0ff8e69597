"""Splits of simulated patients in memory."""

import numpy as np
import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.controls.inputs import ControlSplit, Side

PREDICTORS = ("age", "gland_mass", "uptake_24h", "activity", "q_mass", "q_uptake")


def side(
    random: np.random.Generator, n: int, features: int, signal: float = 0.0, prefix: str = "a"
) -> Side:
    """Patients of two centers whose first features show the outcome with this strength."""
    outcome = (random.random(n) < 0.6).astype(float)
    outcome[:2] = 0, 1
    embeddings = random.normal(size=(n, features))
    embeddings[:, : max(1, features // 10)] += signal * (2 * outcome[:, None] - 1)
    rows = [
        dict.fromkeys(COHORT.names)
        | {"patient": f"{prefix}{i}", "center": "ab"[i % 2], "role": "development"}
        | {"outcome": int(outcome[i]), "sex": "female" if random.random() < 0.7 else "male"}
        | {name: float(np.exp(random.normal(3, 0.4))) for name in PREDICTORS}
        | {"trab": None if random.random() < 0.3 else float(np.exp(random.normal()))}
        for i in range(n)
    ]
    cohort = io.build(COHORT, rows)
    return Side(cohort, outcome, embeddings, embeddings, np.arange(n))


def split(
    seed: int = 0,
    n: int = 60,
    n_test: int = 40,
    features: int = 80,
    signal: float = 0.0,
    name: str = "1",
) -> ControlSplit:
    """A split with n training and n_test test patients."""
    random = np.random.default_rng(seed)
    train = side(random, n, features, signal)
    return ControlSplit("holdout", name, train, side(random, n_test, features, signal, f"t{name}-"))


def frame(one: Side) -> pd.DataFrame:
    """The predictors of patients."""
    return one.cohort[[*PREDICTORS, "trab", "sex"]]
