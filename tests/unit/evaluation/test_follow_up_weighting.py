"""The evaluation can be weighted by the inverse probability of follow-up."""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from tests.unit.evaluation.example_study_of_24 import cohort, one_member, predictions
from thyrocast.contract import io
from thyrocast.contract.cohort import FOLLOW_UP
from thyrocast.contract.evaluation import PREDICTIONS
from thyrocast.evaluation import definitions, follow_up
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import weighted


def study(n=600, seed=2):
    """A center whose older patients are cured less often and lost more often."""
    random = np.random.default_rng(seed)
    age = random.normal(50, 12, n)
    z = (age - 50) / 12
    cured = random.random(n) < special.expit(0.8 - 1.2 * z)
    p = special.expit(0.8 - 0.7 * z + random.normal(0, 0.7, n))
    lost = random.random(n) < special.expit(-0.5 + 1.2 * z)
    names = [f"north-{i:04d}" for i in range(n)]
    rows = [
        dict.fromkeys(FOLLOW_UP.names)
        | {
            "patient": name,
            "center": "north",
            "follow_up": "lost" if gone else "decided",
            "age": float(a) if i % 10 else None,
            "sex": "female" if i % 3 else "male",
        }
        for i, (name, gone, a) in enumerate(zip(names, lost, age, strict=True))
    ]
    people = [
        (name, "north", int(y), float(q))
        for name, y, q, gone in zip(names, cured, p, lost, strict=True)
        if not gone
    ]
    return io.build(FOLLOW_UP, rows), people, cured, p


def evaluated(people, settings):
    given = io.build(PREDICTIONS, predictions(people, "test"))
    tables = definitions.evaluate(given, cohort(people), settings, one_member(given))
    frame = next(frame for table, frame in tables.items() if table.name == "performance")
    return frame[(frame["group_kind"] == "pooled") & (frame["set"] == "test")]


def test_weighted_rows_are_added_and_nothing_else_changes(config):
    table, people, _, _ = study()
    weights = follow_up.learn(table, config.resamples, 1)
    plain = evaluated(people, Settings(config, 1))
    found = evaluated(people, Settings(config, 1, follow_up=weights))
    added = found[found["ci_method"] == "bootstrap_follow_up_weighted"]
    rest = found.drop(added.index).reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, plain.reset_index(drop=True))
    assert added["metric"].tolist() == ["auc", "brier", "calibration_in_the_large"]
    assert (added["ci_low"] < added["estimate"]).all()
    assert (added["estimate"] < added["ci_high"]).all()
    assert added["note"].str.contains("effective sample size").all()
    # the headline of each metric is still the unweighted one
    first = found.drop_duplicates("metric").set_index("metric")["ci_method"]
    assert not (first == "bootstrap_follow_up_weighted").any()


def test_weights_bring_the_brier_score_nearer_to_complete_follow_up(config):
    table, people, cured, p = study(6000)
    weights = follow_up.learn(table, 100, 1)
    found = evaluated(people, Settings(config, 1, follow_up=weights))
    brier = found[found["metric"] == "brier"].set_index("ci_method")["estimate"]
    truth = float(np.mean((p - cured) ** 2))
    plain = brier.drop("bootstrap_follow_up_weighted").iloc[0]
    assert abs(brier["bootstrap_follow_up_weighted"] - truth) < abs(plain - truth) / 2


def test_everybody_followed_gives_the_unweighted_estimate(config):
    table, people, _, _ = study(300)
    names = [one[0] for one in people]
    table = io.conform(FOLLOW_UP, table[table["patient"].isin(names)])
    weights = follow_up.learn(table, 100, 1)
    found = evaluated(people, Settings(config, 1, follow_up=weights))
    auc = found[found["metric"] == "auc"].set_index("ci_method")["estimate"]
    assert auc["bootstrap_follow_up_weighted"] == pytest.approx(auc.iloc[0])


def test_the_dead_are_not_the_lost():
    table, _, _, _ = study(200)
    dead = table.assign(follow_up=table["follow_up"].where(table["follow_up"] != "lost", "died"))
    weights = follow_up.learn(io.conform(FOLLOW_UP, dead), 100, 1)
    assert weights.weight == pytest.approx(np.ones(len(weights.weight)))


def test_resamples_refit_the_weights():
    table, people, _, _ = study(200)
    weights = follow_up.learn(table, 100, 1)
    again = follow_up.learn(table, 100, 1)
    assert (weights.drawn == again.drawn).all()
    places = [weights.position[one[0]] for one in people]
    drawn = weights.drawn[:, places]
    ratio = drawn / np.round(drawn / np.maximum(weights.weight[places], 1e-9)).clip(1)
    assert ratio[drawn > 0].std() > 0.05
    area = weighted.auc(np.array([one[2] == 1 for one in people]), np.array([o[3] for o in people]))
    assert area(drawn).std() > 0.005
