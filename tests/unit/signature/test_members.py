"""Members: what they must not see, and that they predict their fold as they predict new patients."""

import numpy as np
import pytest
from scipy.special import expit

from tests.unit.signature.example_split import (
    HEADS,
    MODELS,
    auc,
    forests,
    run,
    split_of,
    stored,
    study,
)
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.names import Model, fold_member
from thyrocast.contract.splits import LOGITS, MEMBER_PREDICTIONS, PREDICTIONS
from thyrocast.evaluation import prediction_sets, samples
from thyrocast.signature import forest
from thyrocast.signature.model import predict
from thyrocast.signature.split import read_logits


@pytest.mark.parametrize("fold", [1, 3])
def test_nothing_of_a_fold_reaches_its_own_member(tmp_path, fold):
    # Other outcomes of the fold, and other embeddings and log-odds of its patients by all networks.
    study(tmp_path)
    run(tmp_path)
    member = fold_member(fold)
    before, trees = stored(tmp_path).members[member], forests(tmp_path)[member]
    data = split_of(tmp_path)
    patients = data.cohort["patient"][data.fold == fold]
    rng = np.random.default_rng(5)
    embeddings = np.load(tmp_path / "embeddings.npy")
    shape = embeddings[:, data.fold == fold].shape
    embeddings[:, data.fold == fold] = rng.exponential(50, shape)
    np.save(tmp_path / "embeddings.npy", embeddings)
    cohort = io.read(COHORT, tmp_path / "cohort.csv")
    changed = cohort["patient"].isin(patients)
    # The share of the cured in the training set stays.
    cohort.loc[changed, "outcome"] = 1 - cohort.loc[changed, "outcome"]
    cohort.loc[changed, ["age", "gland_mass", "q_mass"]] = 99.0, np.nan, 1e3
    io.write(COHORT, cohort, tmp_path / "cohort.csv")
    run(tmp_path)
    after = stored(tmp_path).members[member]
    assert after.signature.model_dump() == before.signature.model_dump()
    assert [head.model_dump() for head in after.heads.values()] == [
        head.model_dump() for head in before.heads.values()
    ]
    for name in (Model.HANDCRAFTED, Model.CLINICAL):
        assert after.baselines[name].model_dump() == before.baselines[name].model_dump()
    values = rng.normal(size=(20, len(after.signature.features)))
    np.testing.assert_array_equal(
        forest.probability(forests(tmp_path)[member], values), forest.probability(trees, values)
    )


def test_the_fold_of_a_member_is_predicted_like_new_patients(tmp_path):
    # Test patients who are copies of the patients of fold 2 in all that its member sees.
    study(tmp_path, n=120, n_test=30)
    data = split_of(tmp_path)
    own, new = np.flatnonzero(data.fold == 2), np.flatnonzero(~data.train)
    embeddings = np.load(tmp_path / "embeddings.npy")
    embeddings[1, new] = embeddings[1, own]
    np.save(tmp_path / "embeddings.npy", embeddings)
    logits = io.read(LOGITS, tmp_path / "network.csv").set_index(["member", "patient"])
    names = data.cohort["patient"]
    values = logits.loc["fold-2", "logit"].loc[names[own]].to_numpy()
    logits.loc[[("fold-2", name) for name in names[new]], "logit"] = values
    io.write(LOGITS, logits.reset_index(), tmp_path / "network.csv")
    run(tmp_path)
    table = io.read(MEMBER_PREDICTIONS, tmp_path / "member_predictions.csv")
    table = table[table["member"] == "fold-2"].set_index(["model", "patient"])["logit"]
    for model in ("network", "signature", *HEADS):
        first, second = (table[model].loc[names[rows]] for rows in (own, new))
        np.testing.assert_allclose(first, second, atol=1e-9)


def test_prediction_sets_of_the_stored_model_are_those_of_the_study(fitted):
    folder, _ = fitted
    data, model = split_of(folder), stored(folder)
    new = ~data.train
    logits = read_logits(folder / "network.csv", data)
    embeddings = dict(zip(logits, np.load(folder / "embeddings.npy")[:, new], strict=True))
    odds = {member: values[new] for member, values in logits.items()}
    found = predict(model, forests(folder), data.cohort[new], embeddings, odds)
    own = samples.read(io.read(PREDICTIONS, folder / "predictions.csv"))
    by_key = prediction_sets.p_values(
        io.read(PREDICTIONS, folder / "predictions.csv"),
        own.train,
        io.read(MEMBER_PREDICTIONS, folder / "member_predictions.csv"),
    )
    assert {name for _, name in by_key} == set(MODELS)
    for name, values in found.p_values.items():
        expected = by_key["north", name][["p_not_cured", "p_cured"]].to_numpy()
        np.testing.assert_allclose(values, expected)


def test_two_folds_are_refused(tmp_path):
    study(tmp_path, folds=2)
    with pytest.raises(ValueError, match="2 folds of training patients"):
        run(tmp_path)


def test_three_folds_are_enough(tmp_path):
    study(tmp_path, n=160, signal=1.5, folds=3)
    predictions = run(tmp_path)
    for model in ("network", "signature", "combined"):
        assert auc(*predictions[model]["train"]) > 0.7, model
        assert auc(*predictions[model]["test"]) > 0.7, model


def test_without_recalibration_log_odds_are_averaged_as_they_are(tmp_path):
    study(tmp_path)
    predictions = run(tmp_path, recalibration="none")
    data = split_of(tmp_path)
    logits = read_logits(tmp_path / "network.csv", data)
    mean = np.mean([values[~data.train] for values in logits.values()], axis=0)
    np.testing.assert_allclose(predictions["network"]["test"][1], expit(mean))
    assert stored(tmp_path).members["fold-1"].scales == {}
