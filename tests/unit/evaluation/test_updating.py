"""Updates at external centers: what is fitted, cross-validated, chosen and divided."""

import numpy as np
import pytest
from scipy import special

import update_model
from thyrocast.config.updating import UpdatingConfig
from thyrocast.contract import io, splits
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.updating import TABLES, TRANSPORTABILITY, UPDATE_PERFORMANCE, UPDATES
from thyrocast.evaluation import updating
from thyrocast.evaluation.updating import Setup, Site

SETUP = Setup(UpdatingConfig(repeats=3), 0.95, 1)


def people(center, n, seed, intercept=0.0, slope=1.0, spread=1.2):
    """Rows of predictions, and components by patient."""
    random = np.random.default_rng(seed)
    linear = random.normal(0.2, spread, n)
    outcome = random.random(n) < special.expit(intercept + slope * linear)
    names = [f"{center}-{index}" for index in range(n)]
    rows = [
        {"design": "external", "split": "all", "model": "network", "center": center}
        | {"patient": name, "outcome": int(y), "probability": float(special.expit(z))}
        for name, y, z in zip(names, outcome, linear, strict=True)
    ]
    return rows, dict(zip(names, random.normal(size=(n, 3)), strict=True))


def study(**site):
    """Predictions, components and performance of a development center and an external one."""
    home, first = people("home", 300, 1)
    away, second = people("away", 300, 2, **site)
    rows = [row | {"set": "train"} for row in home] + [row | {"set": "test"} for row in away]
    return io.build(PREDICTIONS, rows), first | second, performance()


def performance(status="estimated"):
    row = dict.fromkeys(PERFORMANCE.names) | {
        "design": "external", "split": "all", "model": "network", "set": "test",
        "group_kind": "center", "group": "away", "metric": "auc", "status": status,
        "variable": "", "rule": "", "ci_method": "", "note": "",
    }  # fmt: skip
    return io.build(PERFORMANCE, [row])


def evaluate(setup=SETUP, **site):
    predictions, components, scored = study(**site)
    found = updating.evaluate(predictions, scored, components, setup)
    return {table.name: frame for table, frame in found.items()}


def test_a_higher_cure_rate_is_met_by_a_new_intercept():
    found = evaluate(intercept=0.9)
    updates = found["updates"].set_index("step")
    assert updates["chosen"].to_dict() == {"none": 0, "intercept": 1, "slope": 0, "head": 0}
    assert updates.loc["intercept", "intercept"] == pytest.approx(0.9, abs=0.35)
    assert updates["degrees"].dropna().tolist() == [5, 4, 3]
    limits = updates[["intercept_low", "intercept_high"]]
    assert limits.notna().all(axis=1).to_dict() == {
        "none": False, "intercept": True, "slope": True, "head": True,
    }  # fmt: skip
    assert updates["slope_low"].notna().tolist() == [False, False, True, True]
    assert updates.loc["slope", "slope_low"] < 1 < updates.loc["slope", "slope_high"]
    judged = found["update_performance"].set_index(["step", "metric"])
    large = judged.xs("calibration_in_the_large", level="metric")["estimate"]
    assert large["none"] > 0.5
    assert abs(large["intercept"]) < 0.1
    loss = judged.loc[("intercept", "log_loss")]
    assert loss["difference_high"] < 0
    # All patients are moved alike, so that the ranking stays.
    area = judged.xs("auc", level="metric")[["estimate", "ci_low", "ci_high"]]
    assert area.loc["intercept"].tolist() == pytest.approx(area.loc["none"].tolist())
    assert judged["difference"].notna().sum() == 3


def test_no_patient_is_predicted_by_an_update_that_was_fitted_to_it():
    random = np.random.default_rng(4)
    linear, outcome = random.normal(size=60), random.random(60) < 0.5
    features = random.normal(size=(60, 3))
    site = Site("away", "network", linear, outcome, features)
    before = updating.cross_validated("head", site, SETUP)
    # With the outcome of a patient changed, the folds of a stratified division change as well: the
    # division is fixed here by changing the patient's features instead.
    moved = features.copy()
    moved[0] += 5
    after = updating.cross_validated("head", Site("away", "network", linear, outcome, moved), SETUP)
    for repeat in range(3):
        fold = updating._folds(
            outcome,
            5,
            np.random.default_rng(updating.seeds.derive(1, "updating", "away", str(repeat))),
        )
        update = updating.updating.fit(
            "head", linear[fold != fold[0]], features[fold != fold[0]], outcome[fold != fold[0]]
        )
        before[0] -= update.apply(linear[:1], features[:1])[0] / 3
        after[0] -= update.apply(linear[:1], moved[:1])[0] / 3
    assert before[0] == pytest.approx(0, abs=1e-9)
    assert after[0] == pytest.approx(0, abs=1e-9)


def test_parts_of_the_difference_add_up():
    found = evaluate(slope=0.4)["transportability"].set_index("part")
    assert found.loc["difference", "estimate"] == pytest.approx(
        found["estimate"].drop("difference").sum()
    )
    assert found.loc["coefficients", "ci_high"] < 0
    assert found["n_development"].tolist() == [300] * 4
    in_sample = evaluate(Setup(UpdatingConfig(repeats=1), 0.95, 1, in_sample=True))
    assert set(in_sample["transportability"]["status"]) == {"not_estimable"}
    assert in_sample["transportability"]["note"].str.contains("in-sample").all()


def test_a_suppressed_center_shows_no_number():
    predictions, components, _ = study()
    found = updating.evaluate(predictions, performance("suppressed"), components, SETUP)
    assert set(found[UPDATES]["status"]) == {"suppressed"}
    assert found[UPDATES].drop(columns=["chosen"]).select_dtypes("number").isna().all(axis=None)
    assert found[UPDATE_PERFORMANCE].empty
    assert found[TRANSPORTABILITY].empty


def test_components_do_not_depend_on_the_site():
    random = np.random.default_rng(5)
    x = random.normal(size=(80, 40)) * np.linspace(3, 1, 40)
    train = np.arange(80) < 50
    found = updating.components(x, train, 3)
    assert found[train].mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
    assert found[train].std(axis=0) == pytest.approx(np.ones(3))
    other = x.copy()
    other[60:] += 10
    assert updating.components(other, train, 3)[:60] == pytest.approx(found[:60])


def test_a_locked_model_that_is_applied_has_no_training_patients_here():
    predictions, features, scored = study(intercept=0.9)
    here = predictions[predictions["set"] == "test"].reset_index(drop=True)
    found = updating.evaluate(here, scored, features, SETUP)
    assert found[UPDATES].loc[found[UPDATES]["chosen"], "step"].tolist() == ["intercept"]
    assert set(found[TRANSPORTABILITY]["status"]) == {"not_estimable"}
    assert (
        found[TRANSPORTABILITY]["note"]
        .str.contains("training patients are not in this study")
        .all()
    )


def test_the_rule_writes_its_tables(tmp_path):
    predictions, _, scored = study(intercept=0.5)
    order = predictions.drop_duplicates("patient")
    division = order.assign(fold=order["set"].map({"train": 1}))
    io.write(
        splits.SPLITS, division[["design", "split", "patient", "set", "fold"]], tmp_path / "s.csv"
    )
    io.write(PREDICTIONS, predictions, tmp_path / "p.csv")
    io.write(PERFORMANCE, scored, tmp_path / "performance.csv")
    embeddings = np.random.default_rng(1).normal(size=(2, len(order), 50)).astype(np.float32)
    np.save(tmp_path / "e.npy", embeddings)
    outputs = {table.name: tmp_path / f"{table.name}.csv" for table in TABLES}
    update_model.run(
        tmp_path / "p.csv", tmp_path / "performance.csv", tmp_path / "s.csv", tmp_path / "e.npy",
        0, ["full", "fold-1"], None, SETUP, outputs,
    )  # fmt: skip
    for table in TABLES:
        assert len(io.read(table, outputs[table.name])) > 0
