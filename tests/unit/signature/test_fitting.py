"""The signature stage: what is learned from which patients, and the cases with nothing to learn."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from tests.unit.signature.example_split import (
    FEATURES,
    FOLDS,
    HEADS,
    MODELS,
    auc,
    change_table,
    config,
    forests,
    run,
    split_of,
    stored,
    study,
)
from thyrocast import fileio
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.names import Design
from thyrocast.contract.splits import (
    ACTIVATING,
    CORRELATES,
    LOGITS,
    OPTIMISM,
    PATH,
    PREDICTIONS,
    SPLITS,
)
from thyrocast.contract.splits import FEATURES as FEATURES_TABLE
from thyrocast.errors import InputError
from thyrocast.signature import lasso, lasso_forest
from thyrocast.signature.model import SignatureModel, predict
from thyrocast.signature.split import read_logits, read_split


def test_every_model_predicts_every_patient(fitted):
    folder, predictions = fitted
    assert list(predictions) == MODELS
    rows = io.read(PREDICTIONS, folder / "predictions.csv")
    assert len(rows) == len(MODELS) * 180
    assert set(rows["center"]) == {"north"}
    for sets in predictions.values():
        assert sets["train"].shape == (2, 120)
        assert sets["test"].shape == (2, 60)


def test_training_and_test_patients_are_predicted_equally_well(fitted):
    # Memorized outcomes must have no effect on cross-fitted probabilities.
    _, predictions = fitted
    for model in ("network", "signature", "combined"):
        train, test = (auc(*predictions[model][name]) for name in ("train", "test"))
        assert test > 0.75
        assert train == pytest.approx(test, abs=0.12)


def test_files_of_the_signature(fitted):
    folder, _ = fitted
    path = io.read(PATH, folder / "signature" / "path.csv")
    features = io.read(FEATURES_TABLE, folder / "signature" / "features.csv")
    resembled = io.read(CORRELATES, folder / "signature" / "correlates.csv")
    pairs = {(row.member, row.feature) for row in features.itertuples()}
    assert {(row.member, row.feature) for row in resembled.itertuples()} == pairs
    extreme = io.read(ACTIVATING, folder / "signature" / "activating.csv")
    assert {(row.member, row.feature) for row in extreme.itertuples()} == pairs
    assert list(dict.fromkeys(path["member"])) == ["fold-1", "fold-2", "fold-3", "fold-4"]
    for member, own in path.groupby("member"):
        chosen = own[own["chosen"]].squeeze()
        assert chosen["cv_deviance"] == own["cv_deviance"].min()
        selected = features[features["member"] == member]
        assert len(selected) == chosen["nonzero"]
        assert selected["importance"].is_monotonic_decreasing
        assert selected["importance"].sum() == pytest.approx(1)


def test_the_stored_models_predict_new_patients_as_the_fit_did(fitted):
    folder, predictions = fitted
    model = stored(folder)
    data = split_of(folder)
    new = ~data.train
    embeddings = np.load(folder / "embeddings.npy")[:, new]
    logits = read_logits(folder / "network.csv", data)
    assert list(logits) == ["fold-1", "fold-2", "fold-3", "fold-4"]
    again = predict(
        model,
        forests(folder),
        data.cohort[new],
        dict(zip(logits, embeddings, strict=True)),
        {member: odds[new] for member, odds in logits.items()},
    )
    assert list(again.probability) == MODELS
    for name, probability in again.probability.items():
        np.testing.assert_allclose(probability, predictions[name]["test"][1], atol=1e-12)


def test_same_seed_same_bytes(fitted, tmp_path):
    folder, _ = fitted
    study(tmp_path)
    run(tmp_path)
    names = ("model.json", "path.csv", "forest.skops")
    for name in ("predictions.csv", *(f"signature/{name}" for name in names)):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def change_test_patients(folder: Path) -> None:
    """Other outcomes, embeddings, logits and predictors for all test patients."""
    rng = np.random.default_rng(9)
    embeddings = np.load(folder / "embeddings.npy")
    embeddings[:, 120:] = rng.exponential(50, embeddings[:, 120:].shape)
    np.save(folder / "embeddings.npy", embeddings)
    splits = io.read(SPLITS, folder / "splits.csv")
    # north-0000 is a test patient of another split only.
    test = set(splits.loc[splits["set"] == "test", "patient"]) - {"north-0000"}
    cohort = io.read(COHORT, folder / "cohort.csv")
    changed = cohort["patient"].isin(test)
    cohort.loc[changed, "outcome"] = rng.integers(0, 2, changed.sum())
    cohort.loc[changed, ["age", "gland_mass", "q_mass", "p_uptake"]] = 999.0, np.nan, 1e9, 1e9
    cohort.loc[changed, "sex"] = "other"
    io.write(COHORT, cohort, folder / "cohort.csv")
    logits = io.read(LOGITS, folder / "network.csv")
    changed = logits["patient"].isin(test)
    logits.loc[changed, "logit"] = rng.normal(0, 30, changed.sum())
    io.write(LOGITS, logits, folder / "network.csv")


@pytest.mark.parametrize(("embeddings", "folds"), [("cross_fitted", FOLDS), ("in_sample", 0)])
def test_nothing_of_the_test_set_reaches_the_fit(tmp_path, embeddings, folds):
    study(tmp_path, folds=folds)
    before = run(tmp_path, embeddings=embeddings)
    files = ["model.json", "path.csv", "features.csv", "forest.skops"]
    bytes_before = [(tmp_path / "signature" / name).read_bytes() for name in files]
    change_test_patients(tmp_path)
    after = run(tmp_path, embeddings=embeddings)
    assert [(tmp_path / "signature" / name).read_bytes() for name in files] == bytes_before
    for model in MODELS:
        np.testing.assert_array_equal(after[model]["train"], before[model]["train"])
        assert (after[model]["test"][1] != before[model]["test"][1]).any()
        assert np.isfinite(after[model]["test"][1]).all()


def test_optimism_is_measured_if_asked_for(tmp_path):
    study(tmp_path, signal=0.0, memory=0.0, n=80, n_test=2)
    run(tmp_path, selection="count", features=8)
    assert len(io.read(OPTIMISM, tmp_path / "signature" / "optimism.csv")) == 0
    run(tmp_path, selection="count", features=8, optimism_resamples=6)
    table = io.read(OPTIMISM, tmp_path / "signature" / "optimism.csv").set_index("metric")
    # The features are noise: the apparent performance is optimism.
    # Two resamples for each of the four members.
    assert list(table["resamples"]) == [8, 8]
    assert table["apparent"]["auc"] > 0.85
    assert table["corrected"]["auc"] < table["apparent"]["auc"] - 0.08
    assert table["corrected"]["brier"] > table["apparent"]["brier"]


def test_copies_of_a_patient_share_a_tuning_fold(monkeypatch):
    rng = np.random.default_rng(0)
    patient = np.sort(rng.integers(0, 40, 40))
    outcome = (patient % 2).astype(float)
    calls, cross_validate = [], lasso.cross_validate

    def remember(features, outcome, folds, lambdas):
        calls.append(folds)
        return cross_validate(features, outcome, folds, lambdas)

    monkeypatch.setattr(lasso_forest.lasso, "cross_validate", remember)
    features = rng.normal(size=(40, 5))[patient]
    lasso_forest.fit(features, outcome, config(), 1, patient=patient)
    assert all(len(set(calls[0][patient == one])) == 1 for one in patient)


def test_shuffled_outcomes_are_chance_cross_fitted_and_perfect_in_sample(tmp_path):
    # The networks have memorized outcomes that nothing predicts.
    crossed, apparent = [], []
    for seed in range(3):
        study(tmp_path, signal=0.0, memory=6.0, seed=seed, n_test=2, clinical=False)
        result = run(tmp_path)
        crossed.append([auc(*result[m]["train"]) for m in ("network", "signature", "combined")])
        study(tmp_path, signal=0.0, memory=6.0, seed=seed, n_test=2, clinical=False, folds=0)
        published = run(tmp_path, embeddings="in_sample")
        apparent.append([auc(*published[m]["train"]) for m in ("network", "signature")])
    assert np.mean(crossed, axis=0) == pytest.approx(0.5, abs=0.1)
    assert np.min(apparent) > 0.99


def test_published_protocol_keeps_sixteen_features_and_does_not_recalibrate(tmp_path):
    study(tmp_path, memory=1.0, folds=0)
    predictions = run(
        tmp_path, embeddings="in_sample", selection="count", features=16, penalties=100
    )
    model = fileio.read_json(tmp_path / "signature" / "model.json")
    signature = model["members"]["full"]["signature"]
    assert len(signature["features"]) == 16
    assert model["recalibration"] == {}
    assert model["calibration"] == {}
    assert signature["matrix"] is None
    assert auc(*predictions["signature"]["train"]) > 0.99


@pytest.mark.parametrize("model", ["network", "signature"])
def test_recalibrated_probabilities_match_the_training_outcomes(fitted, model):
    _, predictions = fitted
    outcome, probability = predictions[model]["train"]
    assert probability.mean() == pytest.approx(outcome.mean(), abs=1e-6)


def test_prospective_patients_are_predicted_but_not_used_in_the_fit(tmp_path):
    study(tmp_path)
    cohort = io.read(COHORT, tmp_path / "cohort.csv")
    prospective = cohort["patient"] >= "north-0120"
    cohort.loc[prospective, "role"] = "prospective"
    cohort["outcome"] = cohort["outcome"].mask(prospective)
    io.write(COHORT, cohort, tmp_path / "cohort.csv")
    predictions = run(tmp_path)
    for sets in predictions.values():
        assert np.isnan(sets["test"][0]).all()
        assert np.isfinite(sets["test"][1]).all()


def test_a_split_without_test_patients(tmp_path):
    study(tmp_path, n_test=0)
    predictions = run(tmp_path)
    assert list(predictions) == MODELS
    assert list(predictions["signature"]) == ["train"]


def test_training_patient_without_outcome_stops_with_one_sentence(tmp_path):
    study(tmp_path)
    change_table(
        COHORT,
        tmp_path / "cohort.csv",
        outcome=lambda cohort: cohort["outcome"].mask(cohort["patient"] == "north-0000"),
    )
    with pytest.raises(InputError, match="center north, patient north-0000, cohort.csv"):
        run(tmp_path)


def test_split_without_training_patients_stops_with_one_sentence(tmp_path):
    study(tmp_path)
    with pytest.raises(InputError, match="split loco/x has no training patient"):
        read_split(tmp_path / "cohort.csv", tmp_path / "splits.csv", Design.LOCO, "x")


def test_missing_member_is_named(tmp_path):
    study(tmp_path)
    embeddings = np.load(tmp_path / "embeddings.npy")
    np.save(tmp_path / "embeddings.npy", embeddings[:2])
    with pytest.raises(ValueError, match="expected 4 members"):
        run(tmp_path)


def test_embeddings_that_are_no_numbers_are_refused(tmp_path):
    study(tmp_path)
    embeddings = np.load(tmp_path / "embeddings.npy")
    embeddings[1, 3, 0] = np.nan
    np.save(tmp_path / "embeddings.npy", embeddings)
    with pytest.raises(
        InputError, match="embeddings of member fold-2 contain numbers that are not"
    ):
        run(tmp_path)


def test_missing_logit_is_an_error(tmp_path):
    study(tmp_path)
    logits = io.read(LOGITS, tmp_path / "network.csv")
    io.write(LOGITS, logits[1:], tmp_path / "network.csv")
    with pytest.raises(ValueError, match="the log-odds of a patient of the split are missing"):
        run(tmp_path)


def test_without_predictors_a_model_is_left_out(tmp_path, caplog):
    study(tmp_path, clinical=False)
    with caplog.at_level(logging.INFO, "thyrocast"):
        predictions = run(tmp_path)
    assert list(predictions) == ["network", "signature", "combined", *HEADS]
    assert "clinical: no predictor in the training set, the model is not fitted" in caplog.text


def test_nothing_selected_predicts_the_prevalence(tmp_path, caplog):
    study(tmp_path)
    np.save(tmp_path / "embeddings.npy", np.ones((FOLDS, 180, FEATURES), np.float32))
    with caplog.at_level(logging.INFO, "thyrocast"):
        predictions = run(tmp_path)
    assert "the LASSO selects no feature" in caplog.text
    for name in ("train", "test"):
        np.testing.assert_allclose(predictions["signature"][name][1], 0.5)
    assert len(io.read(FEATURES_TABLE, tmp_path / "signature" / "features.csv")) == 0
    model = json.loads((tmp_path / "signature" / "model.json").read_text())
    for member in model["members"].values():
        assert member["signature"]["features"] == []
    SignatureModel.model_validate(model)


def test_one_outcome_in_the_training_set(tmp_path, caplog):
    study(tmp_path)
    change_table(COHORT, tmp_path / "cohort.csv", outcome=1)
    with caplog.at_level(logging.INFO, "thyrocast"):
        predictions = run(tmp_path)
    assert "only one outcome" in caplog.text
    assert len(io.read(PATH, tmp_path / "signature" / "path.csv")) == 0
    np.testing.assert_allclose(predictions["signature"]["test"][1], 1)
    np.testing.assert_allclose(predictions["clinical"]["test"][1], 1, atol=1e-5)


def test_a_fold_with_one_outcome_and_few_patients(tmp_path):
    study(tmp_path, n=12, n_test=6)

    def fold(row):
        # Fold 4 has one patient, fold 1 two patients of one outcome.
        number = int(row["patient"][-4:])
        return {0: 1, 2: 1, 5: 4}.get(number, 2 + number % 2 if number > 8 else 2)

    splits = io.read(SPLITS, tmp_path / "splits.csv")
    train = splits["set"] == "train"
    splits.loc[train, "fold"] = splits[train].apply(fold, axis=1)
    io.write(SPLITS, splits, tmp_path / "splits.csv")
    predictions = run(tmp_path)
    for sets in predictions.values():
        assert np.isfinite(sets["train"][1]).all()
        assert np.isfinite(sets["test"][1]).all()
