"""A locked model predicts as the study that made it, and flags who is unlike its training patients."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import apply_model
from thyrocast.application import apply
from thyrocast.contract import deployment, io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import FEATURES, LOGITS, PREDICTIONS, SPLITS
from thyrocast.locked import bundle

TABLES = {
    "predictions": PREDICTIONS,
    "applied": deployment.APPLIED,
    "patients": deployment.APPLIED_PATIENTS,
    "features": FEATURES,
}


@pytest.fixture(scope="module")
def tested(parts: bundle.Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test patients of the study as a cohort of their own, in which nobody is trained on."""
    folder = tmp_path_factory.mktemp("tested")
    source = parts.embeddings.parent
    division = parts.division
    test = (division["set"] == "test").to_numpy()
    patients = division.loc[test, "patient"]
    cohort = parts.cohort.set_index("patient", drop=False).loc[patients].reset_index(drop=True)
    io.write(COHORT, cohort.assign(role="external"), folder / "cohort.csv")
    io.write(SPLITS, division[test], folder / "splits.csv")
    np.save(folder / "embeddings.npy", np.load(source / "embeddings.npy")[:, test])
    logits = io.read(LOGITS, source / "network.csv")
    io.write(LOGITS, logits[logits["patient"].isin(patients)], folder / "network.csv")
    rng = np.random.default_rng(0)
    np.save(folder / "images.npy", rng.random((len(cohort), 8, 8), dtype=np.float32))
    return folder


@pytest.fixture(scope="module")
def locked_model(locked: Path) -> apply.Locked:
    return apply.read(locked)


def patients_of(folder: Path, members: list[str]) -> apply.Patients:
    names = ("cohort.csv", "splits.csv", "embeddings.npy", "network.csv", "images.npy")
    return apply.read_patients(*(folder / name for name in names), members)


def run(locked_model: apply.Locked, tested: Path, folder: Path) -> dict[str, pd.DataFrame]:
    patients = patients_of(tested, locked_model.manifest.members)
    names = (
        "member_predictions",
        "path",
        "correlates",
        "activating",
        "optimism",
        "signature",
        "ledger",
        *TABLES,
    )
    files = {name: folder / f"{name}.csv" for name in names}
    apply_model.run(
        locked_model, patients, 0.1, tested / "cohort.csv", files, folder / "frozen.jsonl"
    )
    return {name: io.read(table, files[name]) for name, table in TABLES.items()}


def test_predictions_are_those_of_the_study_to_the_bit(
    parts: bundle.Parts, locked_model: apply.Locked, tested: Path, tmp_path: Path
) -> None:
    found = run(locked_model, tested, tmp_path)["predictions"]
    expected = parts.predictions[parts.predictions["set"] == "test"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_features_are_those_of_the_study(
    parts: bundle.Parts, locked_model: apply.Locked, tested: Path, tmp_path: Path
) -> None:
    found = run(locked_model, tested, tmp_path)["features"]
    expected = io.read(FEATURES, parts.model.with_name("features.csv"))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_the_table_of_predictions(locked_model: apply.Locked, tested: Path, tmp_path: Path) -> None:
    tables = run(locked_model, tested, tmp_path)
    applied = tables["applied"]
    assert set(applied["locked_model"]) == {locked_model.manifest.hash}
    assert applied["predicted_at"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()
    first = locked_model.thresholds.drop_duplicates("model").set_index("model")["threshold"]
    called = applied["probability"] >= applied["model"].map(first)
    assert (applied["called_cured"].to_numpy() == called.to_numpy()).all()
    with_sets = applied["prediction"].notna()
    assert (
        (applied.loc[with_sets, "p_cured"] > 0.1)
        .eq(applied.loc[with_sets, "prediction"].isin(["cured", "uncertain"]))
        .all()
    )
    images = tables["patients"]["image"]
    assert images.nunique() == len(images)


def test_patients_unlike_the_training_patients_are_flagged(
    locked_model: apply.Locked, tested: Path
) -> None:
    patients = patients_of(tested, locked_model.manifest.members)
    cohort = patients.cohort.assign(pixel_mm=2.3, q_gross_counts=22_000.0)
    cohort.loc[0, "pixel_mm"] = 6.0
    embeddings = {name: values.copy() for name, values in patients.embeddings.items()}
    for values in embeddings.values():
        values[1] += 100
    changed = dataclasses.replace(patients, cohort=cohort, embeddings=embeddings)
    found = apply.flags(locked_model, changed, apply.now())
    assert found.loc[0, "acquisition"] == "pixel_mm"
    assert found.loc[0, "outside"]
    assert found.loc[1, "acquisition"] == ""
    assert found.loc[1, "distance"] > 1
    assert found.loc[1, "outside"]
    assert not found.loc[2:, "acquisition"].any()


def test_a_model_without_calibration_has_no_sets(locked_model: apply.Locked, tested: Path) -> None:
    patients = patients_of(tested, locked_model.manifest.members)
    forecast = dataclasses.replace(apply.predict(locked_model, patients), p_values={})
    table = apply.predictions(
        locked_model, forecast, apply.flags(locked_model, patients, apply.now()), 0.1
    )
    assert table["prediction"].isna().all()
    assert table["p_cured"].isna().all()
