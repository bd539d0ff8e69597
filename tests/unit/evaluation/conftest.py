"""The config of the evaluation, and the study of 24 evaluated with it."""

import pytest

from tests.unit.evaluation.example_study_of_24 import evaluate, patients, predictions
from thyrocast.config.evaluation import EvaluationConfig


@pytest.fixture
def configure():
    """Make a config with few resamples and two subgroups, with changes."""

    def make(**changes):
        plain = {"resamples": 200, "subgroups": {"sex": [], "age": [40]}}
        return EvaluationConfig.model_validate(plain | changes)

    return make


@pytest.fixture
def config(configure):
    return configure()


@pytest.fixture
def one(configure):
    """The tables of the study of 24 at a fixed threshold of 0.5."""
    test, train = patients("t", "north"), patients("l", "north")
    rows = predictions(train, "train") + predictions(test, "test")
    return evaluate(rows, test, configure(threshold={"rule": "fixed", "target": 0.5}))
