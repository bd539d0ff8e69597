"""The learning curve of a split: what is fitted to whom, and what is said where there is none."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.controls.example_splits import side
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.learning_curve import LearningCurveConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.controls import learning_curve
from thyrocast.controls.learning_curve import SHARES
from thyrocast.signature.split import SplitData
from thyrocast.statistics import partition

FOLDS = 3
CONFIG = LearningCurveConfig(repeats=2, models=("ridge", "clinical"))


def example(n: int = 90, signal: float = 0.6) -> tuple[SplitData, np.ndarray]:
    """A split without test patients, and embeddings by networks whose features are the same."""
    patients = side(np.random.default_rng(1), n, 60, signal)
    fold = partition.deal(patients.outcome.astype(int), FOLDS, 1) + 1
    data = SplitData(patients.cohort, np.ones(n, dtype=bool), fold, patients.outcome)
    return data, np.stack([patients.embeddings.astype(np.float32)] * FOLDS)


def curve(data: SplitData, views: np.ndarray, **signature: object) -> pd.DataFrame:
    """The table of the example."""
    settings = SignatureConfig.read(signature)
    least = MinimumCountConfig(patients=10, outcomes=3)
    names = ("external", "all")
    return learning_curve.run(data, views, names, CONFIG, settings, least, seed=7)


def test_a_model_with_signal_gains_and_one_without_is_at_chance() -> None:
    table = curve(*example()).set_index(["model", "share"])
    assert (table["status"] == "estimated").all()
    assert table["auc"]["ridge"][1.0] > 0.75
    assert table["auc"]["ridge"][1.0] >= table["auc"]["ridge"][0.4] - 0.02
    assert table["ci_low"]["clinical"][1.0] < 0.5 < table["ci_high"]["clinical"][1.0]
    assert table["patients"]["ridge"].tolist() == [36, 50, 63, 76, 90, 135, 180]
    more = table.loc["ridge"].loc[[1.5, 2.0]]
    assert (more["kind"] == "extrapolated").all()
    assert (more["gain_low"] >= 0).all()


def test_outcomes_of_a_fold_change_nothing_of_its_scores() -> None:
    """Every model is fitted without the fold that it scores, at every size."""
    data, _ = example()
    outcome, fold = data.outcome, data.fold
    seen: list[tuple[int, int]] = []

    def learner(k: int) -> learning_curve.Learner:
        def learn(used: np.ndarray, new: np.ndarray, seed: int) -> np.ndarray:
            assert not (used & (fold == k)).any()
            assert (new == (fold == k)).all()
            assert {0.0, 1.0} == set(outcome[used])
            seen.append((k, int(used.sum())))
            return np.zeros(int(new.sum()))

        return learn

    scores = learning_curve.subsampled(
        {k: learner(k) for k in range(1, FOLDS + 1)}, outcome, fold, 2, seed=3
    )
    assert scores.shape == (len(SHARES), 2, len(outcome))
    largest = max(size for _, size in seen)
    assert largest == 60
    # Two subsamples of each size, and all patients once.
    assert len(seen) == FOLDS * (2 * (len(SHARES) - 1) + 1)


def test_reasons_for_no_curve() -> None:
    data, embeddings = example()
    published = curve(data, embeddings, embeddings="in_sample").set_index(["model", "share"])
    assert (published["status"]["ridge"] == "not_estimable").all()
    assert "in_sample" in published["note"]["ridge"][1.0]
    assert (published["status"]["clinical"] == "estimated").all()
    few, views = example(n=21)
    table = curve(few, views)
    assert "fewer than 5 patients" in table["note"].iloc[0]
    hidden = learning_curve.run(
        data, embeddings, ("external", "all"), CONFIG, SignatureConfig(),
        MinimumCountConfig(patients=100, outcomes=3), seed=7,
    )  # fmt: skip
    assert (hidden["status"] == "suppressed").all()
    assert hidden[["n", "events", "patients", "auc"]].isna().all().all()


@pytest.mark.parametrize("name", ["signature", "lasso"])
def test_every_kind_of_deep_model_has_a_curve(name: str) -> None:
    data, embeddings = example()
    config = LearningCurveConfig(repeats=2, models=(name,))
    settings = SignatureConfig.read(
        {"forest": {"trees": 20, "smallest_leaf": [5]}, "penalties": 15, "tuning_folds": 3}
    )
    least = MinimumCountConfig(patients=10, outcomes=3)
    found = learning_curve.run(
        data, embeddings, ("external", "all"), config, settings, least, seed=7
    )
    assert found.loc[found["share"] == 1, "auc"].iloc[0] > 0.65
