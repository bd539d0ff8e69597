"""The whole workflow learns what there is to learn, and nothing if there is nothing.

The demo's simulated hospitals: network and signature are trained in two and tested in the third, once
with observed outcomes and once with outcomes shuffled within each center.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.conftest import Study, prepare, simulate
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.names import Model
from thyrocast.statistics.discrimination import auc

pytestmark = pytest.mark.slow
LEARNED = ("network", "signature")


@pytest.fixture(scope="module")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo_data")
    simulate(folder, "demo")
    return folder / "data"


def run(folder: Path, data: Path, outcomes: str) -> Study:
    study = prepare(folder, "demo", data)
    shutil.rmtree(folder / "data" / "demo" / "truth")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config |= {"outcomes": outcomes, "designs": ["external"], "lock_model": False}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
    study.snakemake()
    return study


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory, demo_data: Path) -> Study:
    return run(tmp_path_factory.mktemp("observed"), demo_data, "observed")


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory, demo_data: Path) -> Study:
    return run(tmp_path_factory.mktemp("shuffled"), demo_data, "shuffled")


def scores(study: Study, model: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    rows = io.read(PREDICTIONS, study.results / "evaluation" / "predictions.csv")
    rows = rows[(rows["model"] == model) & (rows["set"] == part) & rows["outcome"].notna()]
    return rows["outcome"].to_numpy(int), rows["probability"].to_numpy()


@pytest.mark.parametrize("model", LEARNED)
def test_an_unseen_center_is_predicted_better_than_by_chance(observed: Study, model: str) -> None:
    rows = io.read(PERFORMANCE, observed.results / "evaluation" / "performance.csv")
    rows = rows[(rows["model"] == model) & (rows["set"] == "test") & (rows["metric"] == "auc")]
    assert rows.loc[rows["group_kind"] == "pooled", "ci_low"].iloc[0] > 0.5


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("model", list(Model))
def test_shuffled_outcomes_are_not_predicted(shuffled: Study, model: str, part: str) -> None:
    """Training probabilities are cross-fitted; apparent ones would have an AUC near 1."""
    outcome, probability = scores(shuffled, model, part)
    events = outcome.sum()
    # Under the null the AUC has this standard error (Mann-Whitney); ties only make it smaller.
    error = np.sqrt((len(outcome) + 1) / (12 * events * (len(outcome) - events)))
    # Cross-fitted predictions depend on each other: in 1,000 permutations of these outcomes, the AUC
    # of a ridge regression in two folds had 1.26 times this standard error.
    limit = 3.5 * (1.26 if part == "train" else 1)
    assert abs(auc(outcome, probability) - 0.5) < limit * error


def test_shuffling_moves_outcomes_only_within_centers(observed: Study, shuffled: Study) -> None:
    cohorts = [io.read(COHORT, s.results / "cohort" / "cohort.csv") for s in (observed, shuffled)]
    for center in ("north", "south", "west"):
        outcomes = [c.loc[c["center"] == center, "outcome"].to_list() for c in cohorts]
        assert sorted(outcomes[0]) == sorted(outcomes[1])
        assert outcomes[0] != outcomes[1]
    images = [(s.results / "cohort" / "images.npy").read_bytes() for s in (observed, shuffled)]
    assert images[0] == images[1]


def test_the_report_says_that_outcomes_were_shuffled(observed: Study, shuffled: Study) -> None:
    pages = [(s.results / "report" / "report.html").read_text() for s in (observed, shuffled)]
    assert "shuffled" in pages[1].split("<h2", 1)[0].lower()
    assert "simulated" in pages[0].split("<h2", 1)[0].lower()
