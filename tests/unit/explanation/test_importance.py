"""Importance of what a fitted split predicts from: predictions, sets, suppression."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import measure_importance
from tests.unit.signature import example_split
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import io
from thyrocast.contract.explanation import IMPORTANCE
from thyrocast.contract.names import BASELINES, Model
from thyrocast.explanation import correlated, importance, swapping
from thyrocast.explanation.swapping import SplitFiles
from thyrocast.signature.model import predict
from thyrocast.statistics import importance as formula

LEAST = MinimumCountConfig()


@pytest.fixture(scope="module", params=[4, 0], ids=["members", "published"])
def tested(request, tmp_path_factory):
    """Test patients of a split with four members, and of one as published."""
    folder = tmp_path_factory.mktemp("importance")
    example_split.study(folder, folds=request.param)
    settings = {} if request.param else {"embeddings": "in_sample"}
    example_split.run(folder, **settings)
    files = SplitFiles(
        folder / "embeddings.npy",
        folder / "network.csv",
        folder / "signature" / "model.json",
        folder / "signature" / "forest.skops",
    )
    return folder, files, swapping.read(
        folder / "cohort.csv", folder / "splits.csv", files, "loco", "north"
    )  # fmt: skip


def forecast(one, cohort, embeddings, logits):
    """Predictions by the code that predicts new patients."""
    return predict(one.model, one.forests, cohort, embeddings, logits).probability


def test_predictions_with_swapped_predictors_are_those_of_such_patients(tested) -> None:
    _, _, one = tested
    n = len(one.outcome)
    donors = formula.deal(n, 3, np.random.default_rng(0))
    own = forecast(one, one.cohort, one.embeddings, one.logits)
    same = np.arange(n)[None]
    np.testing.assert_allclose(one.signature(same)[0], own[Model.SIGNATURE], rtol=1e-12)
    for name in set(one.baselines) & set(BASELINES):
        np.testing.assert_allclose(one.baseline(name, (), same)[0], own[name], rtol=1e-12)
    for row, donor in enumerate(donors):
        swapped = one.cohort.copy()
        swapped["gland_mass"] = one.cohort["gland_mass"].to_numpy()[donor]
        expected = forecast(one, swapped, one.embeddings, one.logits)
        for name in (Model.CLINICAL, Model.COMBINED, Model.DOSE):
            found = one.baseline(name, ["gland_mass"], donors)[row]
            np.testing.assert_allclose(found, expected[name], rtol=1e-9)
        others = {name: values[donor] for name, values in one.embeddings.items()}
        expected = forecast(one, one.cohort, others, one.logits)
        np.testing.assert_allclose(one.signature(donors)[row], expected[Model.SIGNATURE], rtol=1e-9)
        found = one.baseline(Model.COMBINED, ["signature_logit"], donors)[row]
        np.testing.assert_allclose(found, expected[Model.COMBINED], rtol=1e-9)


def test_features_are_permuted_in_their_member(tested) -> None:
    _, _, one = tested
    donors = formula.deal(len(one.outcome), 2, np.random.default_rng(0))
    for name, values in one.features.items():
        every = one.member_signature(name, range(values.shape[1]), donors)
        alone = one.member_signature(name, (), np.arange(len(values))[None])[0]
        np.testing.assert_allclose(every, alone[donors], rtol=1e-12)


def test_the_table_names_every_predictor_once(tested, tmp_path) -> None:
    folder, files, one = tested
    measure_importance.run(
        folder / "cohort.csv", folder / "splits.csv", {"north": files}, tmp_path / "importance.csv",
        "loco", 20, LEAST, 0.95, 1,
    )  # fmt: skip
    table = io.read(IMPORTANCE, tmp_path / "importance.csv")
    assert set(table["status"]) == {"estimated"}
    assert (table["n"] == 60).all()
    assert (table["permutations"] == 20).all()
    clinical = table[table["model"] == "clinical"].set_index("predictor")
    # Derived predictors follow their columns and have no rows.
    assert list(clinical.index) == ["age", "gland_mass", "uptake_24h", "activity", "trab"]
    assert clinical["auc_loss"].idxmax() == "gland_mass"
    assert clinical.loc["gland_mass", "auc_low"] > 0
    assert abs(clinical.loc["age", "auc_loss"]) < clinical.loc["gland_mass", "auc_loss"]
    parts = table[(table["model"] == "combined") & (table["kind"] == "part")]
    assert list(parts["predictor"]) == ["image", "clinical"]
    signature = table[table["model"] == "signature"]
    assert signature["kind"].iloc[0] == "all"
    features = signature[signature["kind"] == "predictor"]
    selected = sum(len(m.signature.features) for m in one.model.members.values())
    assert len(features) == selected
    io.write(IMPORTANCE, importance.run("loco", [one], 20, LEAST, 0.95, 1), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "importance.csv").read_bytes()


def test_twins_hide_each_other_but_not_together(tested) -> None:
    """A copy of a predictor: alone, each loses less than both do together."""
    _, _, one = tested
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"a": rng.normal(size=80), "b": rng.normal(size=80), "c": "x"})
    frame["a2"] = frame["a"] + 0.1 * rng.normal(size=80)
    frame.loc[:9, "a2"] = np.nan
    assert correlated.sets(frame) == [["a", "a2"]]
    assert correlated.sets(frame[["b", "c"]]) == []
    cohort = one.cohort.assign(q_mass=one.cohort["gland_mass"])
    twins = dataclasses.replace(one, cohort=cohort)
    table = importance.run("loco", [twins], 20, LEAST, 0.95, 1)
    combined = table[table["model"] == "combined"].set_index(["kind", "predictor"])
    together = combined.loc[("correlated", "gland_mass")]
    assert together["predictors"] == 2
    assert combined.loc[("predictor", "q_mass"), "connected"] == "gland_mass"
    assert together["auc_loss"] > combined.loc[("predictor", "gland_mass"), "auc_loss"]


def test_what_does_not_vary_and_small_sets_have_no_numbers(tested) -> None:
    _, _, one = tested
    constant = dataclasses.replace(one, cohort=one.cohort.assign(age=50.0))
    table = importance.run("loco", [constant], 5, LEAST, 0.95, 1).set_index(["model", "predictor"])
    assert table.loc[("clinical", "age"), "status"] == "not_estimable"
    assert table.loc[("clinical", "age"), "note"] == "the same value in all test patients"
    large = MinimumCountConfig.read({"patients": 100, "outcomes": 1})
    hidden = importance.run("loco", [one], 5, large, 0.95, 1)
    assert set(hidden["status"]) == {"suppressed"}
    assert hidden[["auc", "auc_loss", "brier_loss", "n", "events"]].isna().all(axis=None)
    assert importance.run("loco", [one], 0, LEAST, 0.95, 1).empty


def test_several_splits_are_averaged(tested) -> None:
    """Two splits with the same models: the mean of their losses, and fewer rows than patients."""
    _, _, one = tested
    half = np.arange(len(one.outcome)) % 4 < 2
    parts = [_part(one, name, rows) for name, rows in (("a", half), ("b", ~half))]
    table = importance.run("loco", parts, 1000, LEAST, 0.95, 1)
    clinical = table[(table["model"] == "clinical") & (table["predictor"] == "gland_mass")].iloc[0]
    assert clinical["split"] == "all"
    assert clinical["n"] == 60
    each = [
        importance.run("loco", [part], 1000, LEAST, 0.95, 1).query(
            "model == 'clinical' and predictor == 'gland_mass'"
        )["auc_loss"].iloc[0]
        for part in parts
    ]  # fmt: skip
    assert clinical["auc_loss"] == pytest.approx(np.mean(each))


def _part(one, name, rows):
    return swapping.Tested(
        name,
        one.cohort[rows].reset_index(drop=True),
        one.outcome[rows],
        {member: values[rows] for member, values in one.embeddings.items()},
        {member: values[rows] for member, values in one.logits.items()},
        one.model,
        one.forests,
    )
