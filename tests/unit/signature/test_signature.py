"""The signature stage: what is learned, from whom, and what it says when there is nothing to learn."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit
from skops import io as skops

import fit_signature
from thyrocast import fileio, seeds
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import columns as contract_columns
from thyrocast.errors import InputError
from thyrocast.signature import files, fitting, forest, lasso

FEATURES = 80
FOLDS = 4


SETTINGS = SignatureConfig().plain() | {
    "forest": {"trees": 40, "smallest_leaf": [5]},
    "penalties": 15,
    "imputations": 2,
}
MODELS = ["network", "signature", "handcrafted", "clinical", "combined"]


def auc(outcome, probability):
    cured, failed = probability[outcome == 1], probability[outcome == 0]
    return float(np.mean(cured[:, None] > failed) + 0.5 * np.mean(cured[:, None] == failed))


def study(
    folder: Path,
    n: int = 120,
    n_test: int = 60,
    signal: float = 1.0,
    memory: float = 3.0,
    seed: int = 0,
    clinical: bool = True,
    folds: int = FOLDS,
) -> np.ndarray:
    """A split whose networks see the outcome with ``signal`` and memorize their training patients.

    A member's features are a mix of what it sees and, for patients it was trained on, of their
    outcomes with strength ``memory``: what overfitting does to embeddings.
    """
    rng = np.random.default_rng(seed)
    total = n + n_test
    outcome = (np.arange(total) % 2).astype(int)
    train = np.arange(total) < n
    fold = np.where(train, (np.arange(total) // 2) % folds + 1, 0)
    seen = rng.normal(size=(total, 5))
    seen[:, 0] += signal * (2 * outcome - 1)
    mixing = rng.normal(size=(5, FEATURES))
    embeddings = np.zeros((1 + folds, total, FEATURES), np.float32)
    rows = []
    names = [f"north-{i:04d}" for i in range(total)]
    for member in range(1 + folds):
        known = train & (fold != member) if member else train
        view = seen.copy()
        view[known, 1] += memory * (2 * outcome[known] - 1)
        own = mixing + 0.2 * rng.normal(size=mixing.shape)
        embeddings[member] = np.maximum(view @ own + rng.normal(size=(total, FEATURES)), 0)
        logit = view[:, 0] + memory * known * (2 * outcome - 1)
        name = f"fold-{member}" if member else "full"
        rows += [
            (names[i], "train" if train[i] else "test", fold[i] or "", name, repr(float(logit[i])))
            for i in range(total)
        ]
    np.save(folder / "embeddings.npy", embeddings)
    fileio.write_csv(
        folder / "network.csv", ("patient", "set", "fold", "member", "logit"), rows[::-1]
    )
    fileio.write_csv(
        folder / "splits.csv",
        ("design", "split", "patient", "set", "fold"),
        [("loco", "x", names[0], "test", "")]
        + [
            ("loco", "north", names[i], "train" if train[i] else "test", fold[i] or "")
            for i in range(total)
        ],
    )
    columns = (*contract_columns.CLINICAL, *contract_columns.QUANTITIES)
    cohort = []
    for i in range(total):
        row = dict.fromkeys(columns, "")
        row |= {"patient": names[i], "center": "north", "role": "development"}
        row["outcome"] = int(outcome[i])
        if clinical:
            row["age"] = round(float(rng.normal(45, 10)), 1)
            row["gland_mass"] = round(float(np.exp(rng.normal(3.5 - 0.3 * outcome[i], 0.4))), 1)
            row["activity"] = 400 if rng.random() < 0.5 else 600
            row["trab"] = "" if rng.random() < 0.3 else round(float(np.exp(rng.normal(1, 1))), 2)
            row["q_mass"] = round(float(np.exp(rng.normal(3.5 - 0.3 * outcome[i], 0.3))), 1)
        cohort.append(row)
    header = ("patient", "center", "role", "outcome", *columns)
    fileio.write_csv(folder / "cohort.csv", header, cohort[::-1])
    return outcome


def run(folder: Path, **settings):
    fit_signature.run(
        cohort=folder / "cohort.csv",
        splits=folder / "splits.csv",
        embeddings=folder / "embeddings.npy",
        network=folder / "network.csv",
        folder=folder / "signature",
        predictions=folder / "predictions.csv",
        design="loco",
        split="north",
        settings=SETTINGS | settings,
        seed=1,
    )
    return read(folder)


def read(folder: Path):
    """Predictions as {model: {set: (outcome, probability)}}."""
    result = {}
    for row in fileio.read_csv(folder / "predictions.csv"):
        cells = result.setdefault(row["model"], {}).setdefault(row["set"], [])
        cells.append((float(row["outcome"] or "nan"), float(row["probability"])))
    return {
        model: {name: np.array(cells).T for name, cells in sets.items()}
        for model, sets in result.items()
    }


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    study(folder)
    return folder, run(folder)


def test_every_model_predicts_every_patient(fitted):
    folder, predictions = fitted
    assert list(predictions) == MODELS
    rows = fileio.read_csv(folder / "predictions.csv")
    assert tuple(rows[0]) == files.PREDICTIONS
    assert len(rows) == 5 * 180
    assert {row["center"] for row in rows} == {"north"}
    for sets in predictions.values():
        assert sets["train"].shape == (2, 120)
        assert sets["test"].shape == (2, 60)
        assert ((sets["train"][1] >= 0) & (sets["train"][1] <= 1)).all()


def test_training_and_test_discriminate_alike(fitted):
    # Memorized outcomes must not show: cross-fitted probabilities are worth what new ones are.
    _, predictions = fitted
    for model in ("network", "signature", "combined"):
        train, test = (auc(*predictions[model][name]) for name in ("train", "test"))
        assert test > 0.75
        assert train == pytest.approx(test, abs=0.12)


def test_files_of_the_signature(fitted):
    folder, predictions = fitted
    path = fileio.read_csv(folder / "signature" / "path.csv")
    assert tuple(path[0]) == files.PATH
    assert [row["chosen"] for row in path].count("1") == 1
    chosen = next(row for row in path if row["chosen"] == "1")
    assert float(chosen["cv_deviance"]) == min(float(row["cv_deviance"]) for row in path)
    features = fileio.read_csv(folder / "signature" / "features.csv")
    assert tuple(features[0]) == files.FEATURES
    assert len(features) == int(chosen["nonzero"])
    importance = [float(row["importance"]) for row in features]
    assert importance == sorted(importance, reverse=True)
    assert sum(importance) == pytest.approx(1)
    # What is written predicts what was predicted.
    model = fileio.read_json(folder / "signature" / "model.json")
    stored = folder / "signature" / "forest.skops"
    classifier = forest.load(stored)
    embeddings = np.load(folder / "embeddings.npy").astype(float)
    again = forest.probability(classifier, fitting.select(model["signature"], embeddings[0, 120:]))
    change = model["recalibration"]["signature"]
    again = expit(change["intercept"] + change["slope"] * logit(again))
    np.testing.assert_allclose(again, predictions["signature"]["test"][1], atol=1e-12)


def test_same_seed_same_bytes(fitted, tmp_path):
    folder, _ = fitted
    study(tmp_path)
    run(tmp_path)
    names = ("model.json", "path.csv", "forest.skops")
    for name in ("predictions.csv", *(f"signature/{name}" for name in names)):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def change_test_patients(folder: Path) -> None:
    """Other outcomes, other embeddings, other logits, other predictors for all test patients."""
    rng = np.random.default_rng(9)
    embeddings = np.load(folder / "embeddings.npy")
    embeddings[:, 120:] = rng.exponential(50, embeddings[:, 120:].shape)
    np.save(folder / "embeddings.npy", embeddings)
    test = {r["patient"] for r in fileio.read_csv(folder / "splits.csv") if r["set"] == "test"}
    test -= {"north-0000"}  # a test patient of another split only
    cohort = fileio.read_csv(folder / "cohort.csv")
    for row in cohort:
        if row["patient"] in test:
            row["outcome"] = rng.choice(["0", "1", ""])
            row["age"] = "999"
            row["sex"] = "alien"
            row["gland_mass"] = ""
            row["q_mass"] = "1e9"
    fileio.write_csv(folder / "cohort.csv", list(cohort[0]), cohort)
    network = fileio.read_csv(folder / "network.csv")
    for row in network:
        if row["patient"] in test:
            row["logit"] = repr(float(rng.normal(0, 30)))
    fileio.write_csv(folder / "network.csv", list(network[0]), network)


@pytest.mark.parametrize("embeddings", ["cross_fitted", "in_sample"])
def test_nothing_of_the_test_set_reaches_the_fit(tmp_path, embeddings):
    study(tmp_path)
    before = run(tmp_path, embeddings=embeddings)
    files = ["model.json", "path.csv", "features.csv"]
    bytes_before = [(tmp_path / "signature" / name).read_bytes() for name in files]
    change_test_patients(tmp_path)
    after = run(tmp_path, embeddings=embeddings)
    assert [(tmp_path / "signature" / name).read_bytes() for name in files] == bytes_before
    for model in MODELS:
        np.testing.assert_array_equal(after[model]["train"], before[model]["train"])
        assert (after[model]["test"][1] != before[model]["test"][1]).any()
        assert np.isfinite(after[model]["test"][1]).all()


@pytest.mark.parametrize("fold", [1, 3])
def test_nothing_of_a_fold_reaches_its_own_predictions(tmp_path, fold):
    # Another outcome of one fold's patients changes the stage fitted to all, but of the fold's own
    # cross-fitted probabilities only what the others' networks, recalibration and so on carry.
    study(tmp_path)
    patients = files.read_patients(
        tmp_path / "cohort.csv", tmp_path / "splits.csv", "loco", "north"
    )
    embeddings = np.load(tmp_path / "embeddings.npy").astype(float)
    own = patients.fold == fold
    features = np.zeros(embeddings.shape[1:])
    features[patients.train], _ = fitting._places(patients, embeddings, crossed=True)
    rest = patients.train & ~own
    stage = fitting.fit_stage(
        features[rest], patients.outcome[rest], SETTINGS,
        seeds.derive(seeds.derive(1, "loco", "north", "signature"), "signature", f"without-{fold}"),
    )  # fmt: skip
    expected = stage.predict(features[own])
    predictions = run(tmp_path, recalibration="none")
    place = np.flatnonzero(patients.fold[patients.train] == fold)
    np.testing.assert_allclose(predictions["signature"]["train"][1][place], expected, atol=1e-12)


def test_two_folds_leave_enough_to_tune_on(tmp_path):
    # Without one of two folds the other's patients are all there is to choose a penalty on.
    study(tmp_path, n=160, signal=1.5, folds=2)
    predictions = run(tmp_path)
    for model in ("network", "signature", "combined"):
        assert auc(*predictions[model]["train"]) > 0.7, model


def test_optimism_is_measured_where_it_is_asked_for(tmp_path):
    study(tmp_path, signal=0.0, memory=0.0, n=80, n_test=2)
    run(tmp_path, selection="count", features=8)
    assert fileio.read_csv(tmp_path / "signature" / "optimism.csv") == []
    run(tmp_path, selection="count", features=8, optimism_resamples=6)
    auc_row, brier_row = fileio.read_csv(tmp_path / "signature" / "optimism.csv")
    # There is nothing to find: what the forest seems to know of its own patients is optimism.
    assert float(auc_row["apparent"]) > 0.85
    assert float(auc_row["corrected"]) < float(auc_row["apparent"]) - 0.08
    assert float(brier_row["corrected"]) > float(brier_row["apparent"])


def test_copies_of_a_patient_share_a_tuning_fold(monkeypatch):
    rng = np.random.default_rng(0)
    people = np.sort(rng.integers(0, 40, 40))
    outcome = (people % 2).astype(float)
    seen, fit = [], lasso.cross_validate

    def remember(features, outcome, folds, lambdas):
        seen.append(folds)
        return fit(features, outcome, folds, lambdas)

    monkeypatch.setattr(fitting.lasso, "cross_validate", remember)
    fitting.fit_stage(rng.normal(size=(40, 5))[people], outcome, SETTINGS, 1, people=people)
    assert all(len(set(seen[0][people == person])) == 1 for person in people)


def test_shuffled_outcomes_are_chance_cross_fitted_and_perfect_in_sample(tmp_path):
    # The networks have memorized outcomes that nothing predicts.
    honest, apparent = [], []
    for seed in range(3):
        study(tmp_path, signal=0.0, memory=6.0, seed=seed, n_test=2, clinical=False)
        crossed = run(tmp_path)
        honest.append([auc(*crossed[m]["train"]) for m in ("network", "signature", "combined")])
        published = run(tmp_path, embeddings="in_sample")
        apparent.append([auc(*published[m]["train"]) for m in ("network", "signature")])
    assert np.mean(honest, axis=0) == pytest.approx(0.5, abs=0.1)
    assert np.min(apparent) > 0.99


def test_published_protocol_keeps_sixteen_features_and_the_network_as_it_is(tmp_path):
    study(tmp_path, memory=1.0)
    predictions = run(
        tmp_path, embeddings="in_sample", selection="count", features=16, penalties=100
    )
    model = fileio.read_json(tmp_path / "signature" / "model.json")
    assert len(model["signature"]["features"]) == 16
    assert model["recalibration"] == {"network": {"intercept": 0.0, "slope": 1.0}}
    assert model["signature"]["matrix"] is None
    assert auc(*predictions["signature"]["train"]) > 0.99


@pytest.mark.parametrize("model", ["network", "signature"])
def test_recalibrated_probabilities_match_the_training_outcomes(fitted, model):
    _, predictions = fitted
    outcome, probability = predictions[model]["train"]
    assert probability.mean() == pytest.approx(outcome.mean(), abs=1e-6)


def test_prospective_patients_are_predicted_and_never_fitted(tmp_path):
    study(tmp_path)
    cohort = fileio.read_csv(tmp_path / "cohort.csv")
    for row in cohort:
        if int(row["patient"][-4:]) >= 120:
            row |= {"outcome": "", "role": "prospective"}
    fileio.write_csv(tmp_path / "cohort.csv", list(cohort[0]), cohort)
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
    cohort = fileio.read_csv(tmp_path / "cohort.csv")
    cohort[-1]["outcome"] = ""
    fileio.write_csv(tmp_path / "cohort.csv", list(cohort[0]), cohort)
    with pytest.raises(InputError, match="center north, patient north-0000, cohort.csv"):
        run(tmp_path)


def test_missing_member_is_named(tmp_path):
    study(tmp_path)
    embeddings = np.load(tmp_path / "embeddings.npy")
    np.save(tmp_path / "embeddings.npy", embeddings[:2])
    with pytest.raises(ValueError, match="expected 5 members"):
        run(tmp_path)


def test_no_predictor_leaves_the_model_out(tmp_path, caplog):
    study(tmp_path, clinical=False)
    with caplog.at_level(logging.INFO, "thyrocast"):
        predictions = run(tmp_path)
    assert list(predictions) == ["network", "signature", "combined"]
    assert "clinical: no predictor in the training set, the model is left out" in caplog.text


def test_nothing_selected_predicts_the_prevalence(tmp_path, caplog):
    study(tmp_path)
    np.save(tmp_path / "embeddings.npy", np.ones((1 + FOLDS, 180, FEATURES), np.float32))
    with caplog.at_level(logging.INFO, "thyrocast"):
        predictions = run(tmp_path)
    assert "the LASSO selects no feature" in caplog.text
    for name in ("train", "test"):
        np.testing.assert_allclose(predictions["signature"][name][1], 0.5)
    assert fileio.read_csv(tmp_path / "signature" / "features.csv") == []
    model = json.loads((tmp_path / "signature" / "model.json").read_text())
    assert model["signature"]["features"] == []


def test_one_outcome_in_the_training_set(tmp_path, caplog):
    study(tmp_path)
    cohort = fileio.read_csv(tmp_path / "cohort.csv")
    for row in cohort:
        row["outcome"] = "1"
    fileio.write_csv(tmp_path / "cohort.csv", list(cohort[0]), cohort)
    with caplog.at_level(logging.INFO, "thyrocast"):
        predictions = run(tmp_path)
    assert "one outcome only" in caplog.text
    assert fileio.read_csv(tmp_path / "signature" / "path.csv") == []
    np.testing.assert_allclose(predictions["signature"]["test"][1], 1)
    np.testing.assert_allclose(predictions["clinical"]["test"][1], 1, atol=1e-5)


def test_a_fold_with_one_outcome_and_few_patients(tmp_path):
    study(tmp_path, n=12, n_test=6)
    rows = fileio.read_csv(tmp_path / "splits.csv")
    for row in rows:
        if row["set"] == "train":
            # Fold 4 holds one patient, fold 1 two of one outcome.
            number = int(row["patient"][-4:])
            row["fold"] = {0: 1, 2: 1, 5: 4}.get(number, 2 + number % 2 if number > 8 else 2)
    fileio.write_csv(tmp_path / "splits.csv", list(rows[0]), rows)
    predictions = run(tmp_path)
    for sets in predictions.values():
        assert np.isfinite(sets["train"][1]).all()
        assert np.isfinite(sets["test"][1]).all()


def test_forest_is_the_same_on_any_number_of_threads():
    rng = np.random.default_rng(0)
    features, outcome = rng.normal(size=(60, 5)), (np.arange(60) % 2).astype(float)
    settings = {"trees": 120, "smallest_leaf": [2, 5]}
    one, two = (forest.fit(features, outcome, settings, 3, threads) for threads in (1, 2))
    np.testing.assert_array_equal(
        forest.probability(one, features), forest.probability(two, features)
    )
    assert len(one.estimators_) == 120


def test_forest_takes_the_leaf_with_the_better_out_of_bag_score():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(150, 4))
    noise = (rng.random(150) < 0.5).astype(float)
    settings = {"trees": 100, "smallest_leaf": [1, 40]}
    assert forest.fit(features, noise, settings, 0).min_samples_leaf == 40
    clear = ((features[:, 0] > 0) ^ (features[:, 1] > 0)).astype(float)
    assert forest.fit(features, clear, settings, 0).min_samples_leaf == 1


def test_a_file_with_something_else_is_not_let_in(tmp_path):
    skops.dump({"not": "a forest"}, tmp_path / "forest.skops")
    with pytest.raises(InputError, match="holds a dict"):
        forest.load(tmp_path / "forest.skops")
