"""The evaluation's settings, and the study of 24 evaluated with them."""

import pytest

from tests.unit.evaluation.example_study_of_24 import cohort, patients, predictions
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.evaluation import design


@pytest.fixture
def block():
    filled = EvaluationConfig().plain()
    filled["resamples"] = 200
    filled["subgroups"] = {"sex": [], "age": [40]}
    return filled


@pytest.fixture
def one(block):
    test, train = patients("t", "north"), patients("l", "north")
    block["threshold"] = {"rule": "fixed", "target": 0.5}
    rows = predictions(train, "train") + predictions(test, "test")
    return design.evaluate(rows, cohort(test), block, 1)
