"""A locked model is updated at a center: the new model predicts as the ladder's step did, and names its parent."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import lock_update
from tests.unit.locked import example_bundle
from thyrocast.application import apply, updates
from thyrocast.config.study import StudyConfig
from thyrocast.contract import deployment, io
from thyrocast.contract.cohort import COHORT, SCANS
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.names import Model
from thyrocast.contract.splits import SPLITS
from thyrocast.errors import InputError
from thyrocast.evaluation import updating
from thyrocast.ledgers import ledger, looks, update_ledger
from thyrocast.locked import bundle, updated, verify
from thyrocast.planning import bundles, models
from thyrocast.sharing import exchange
from thyrocast.statistics import inputs
from thyrocast.statistics import updating as formulas

N = 240
#: Truth at the center: intercept, slope, effect of the first component; and the step that finds it.
TRUTHS = {
    "intercept": (-1.6, 1.0, 0.0),
    "slope": (0.0, -0.2, 0.0),
    "head": (0.0, 1.0, 1.5),
    "none": (0.0, 1.0, 0.0),
}


def scans(names: list[str]) -> pd.DataFrame:
    """Table `SCANS`: the hash of an identifier depends on the number of the patient only."""
    frame = pd.DataFrame({"patient": names}).assign(
        rank=0, file="a.dcm", frames="0", kind="static", view_by="code", turn=0, simulated=False,
        identifier="MRN", flags="", person_identifier=[people([name])[name] for name in names],
    )  # fmt: skip
    return frame.reindex(columns=list(SCANS.names))


def people(names: Iterable[str]) -> dict[str, str]:
    return {name: f"person {name.rpartition('-')[2]}" for name in names}


@dataclasses.dataclass
class Center:
    """A simulated center to which the small locked model was applied."""

    patients: apply.Patients
    files: lock_update.Inputs
    study: StudyConfig


def simulated(locked: Path, parts: bundle.Parts, truth: str, folder: Path) -> Center:
    """Write the files of a study that applied the model to `N` patients."""
    # Closed testing rejects a step that is right in some 5 % of samples (7 of 120 with other seeds); these
    # seeds are not among them.
    model, random = apply.read(locked), np.random.default_rng(100 + len(truth))
    members = model.manifest.members
    rows = random.integers(len(parts.cohort), size=N)
    names = [f"west-{number:04d}" for number in range(N)]
    cohort = parts.cohort.iloc[rows].assign(patient=names, center="west", role="external")
    known = model.domain.members
    embeddings = {
        name: (
            known[name].mean
            + random.normal(size=(N, len(known[name].variances)))
            * np.sqrt(known[name].variances)
            @ known[name].components
        ).astype(np.float32)
        for name in members
    }
    shared = random.normal(0, 2, N)
    logits = {name: shared + random.normal(0, 0.3, N) for name in members}
    patients = apply.Patients(cohort.reset_index(drop=True), embeddings, logits, [""] * N)
    forecast = apply.predict(model, patients)
    intercept, slope, effect = TRUTHS[truth]
    first = updates.components(model.domain, members[0], embeddings[members[0]], 1)[:, 0]
    odds = intercept + slope * inputs.logit(forecast.probability[Model.NETWORK]) + effect * first
    cured = (random.random(N) < expit(odds)).astype(int)
    patients.cohort["outcome"] = pd.array(cured, dtype="Int64")
    files = lock_update.Inputs(
        locked, *(folder / f"{name}.csv" for name in ("predictions", "performance", "splits")),
        folder / "embeddings.npy", folder / "cohort.csv", folder / "scans.csv",
    )  # fmt: skip
    predictions = apply.as_split(forecast, patients)
    predictions = predictions[predictions["model"].isin(["network", "signature"])]
    io.write(PREDICTIONS, predictions.reset_index(drop=True), files.predictions)
    scored = [
        dict.fromkeys(PERFORMANCE.names)
        | {"design": "external", "split": "all", "model": name, "set": "test", "variable": ""}
        | {"group_kind": "center", "group": "west", "metric": "auc", "status": "estimated"}
        | {"rule": "", "ci_method": "", "note": ""}
        for name in ("network", "signature")
    ]
    io.write(PERFORMANCE, io.build(PERFORMANCE, scored), files.performance)
    division = pd.DataFrame({"design": "external", "split": "all", "patient": names, "set": "test"})
    io.write(SPLITS, division.assign(fold=pd.array([None] * N, dtype="Int64")), files.splits)
    np.save(files.embeddings, np.stack([embeddings[name] for name in members]))
    io.write(COHORT, patients.cohort, files.cohort)
    io.write(SCANS, scans(names), files.scans)
    center = example_bundle.CONFIG["centers"][0] | {"name": "west", "role": "external"}
    study = StudyConfig.read(
        {"study": "site", "centers": [center], "model": str(locked), "updating": {"repeats": 2}}
        | {"pseudonym_key": str(folder / "key")}
    )
    return Center(patients, files, study)


@pytest.fixture(scope="module")
def intercept(
    locked: Path, parts: bundle.Parts, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Center, Path]:
    """A center whose rate of cure is lower, and the model that was updated there."""
    folder = tmp_path_factory.mktemp("intercept")
    center = simulated(locked, parts, "intercept", folder)
    lock_update.run(center.files, "west", center.study, folder / "updated")
    return center, folder / "updated"


@pytest.mark.parametrize("truth", ["intercept", "slope", "head"])
def test_the_updated_model_predicts_as_the_chosen_step_of_the_ladder(
    locked: Path, parts: bundle.Parts, truth: str, tmp_path: Path
) -> None:
    center = simulated(locked, parts, truth, tmp_path)
    lock_update.run(center.files, "west", center.study, tmp_path / "updated")
    verify.unpack(tmp_path / "updated", tmp_path / "copy")
    parent, child = apply.read(locked), apply.read(tmp_path / "copy")
    assert child.manifest.update is not None
    change = child.manifest.update.models[Model.NETWORK]
    assert change.step == truth
    before = apply.predict(parent, center.patients)
    after = apply.predict(child, center.patients)
    features = updates.components(parent.domain, "fold-1", center.patients.embeddings["fold-1"], 3)
    linear = inputs.logit(before.probability[Model.NETWORK])
    outcome = center.patients.cohort["outcome"].to_numpy(int) == 1
    step = formulas.fit(truth, linear, features, outcome)
    expected = expit(step.apply(linear, features))
    np.testing.assert_allclose(after.probability[Model.NETWORK], expected, rtol=0, atol=1e-12)
    assert np.abs(expected - before.probability[Model.NETWORK]).max() > 0.05
    # Prediction sets depend on ranks: they remain only if ranks do.
    assert (Model.NETWORK in after.p_values) == (truth == "intercept")
    for name in set(before.probability) - set(child.manifest.update.models):
        np.testing.assert_array_equal(after.probability[name], before.probability[name])


def test_a_model_that_fits_is_not_updated(
    locked: Path, parts: bundle.Parts, tmp_path: Path
) -> None:
    center = simulated(locked, parts, "none", tmp_path)
    predictions = io.read(PREDICTIONS, center.files.predictions)
    keep = predictions["model"] == "network"
    io.write(PREDICTIONS, predictions[keep].reset_index(drop=True), center.files.predictions)
    performance = io.read(PERFORMANCE, center.files.performance)
    keep = performance["model"] == "network"
    io.write(PERFORMANCE, performance[keep].reset_index(drop=True), center.files.performance)
    with pytest.raises(InputError, match="chooses no update for any model"):
        lock_update.run(center.files, "west", center.study, tmp_path / "updated")
    few = center.study.exchange.model_copy(update={"patients": N + 1})
    study = center.study.model_copy(update={"exchange": few})
    with pytest.raises(InputError, match=f"an update needs {N + 1} patients"):
        lock_update.run(center.files, "west", study, tmp_path / "updated")
    hidden = io.read(PERFORMANCE, center.files.performance).assign(status="suppressed")
    io.write(PERFORMANCE, hidden, center.files.performance)
    with pytest.raises(InputError, match="too few patients with an outcome"):
        lock_update.run(center.files, "west", center.study, tmp_path / "updated")
    assert not (tmp_path / "updated").exists()


def test_what_was_changed_is_stated_and_all_else_is_the_parents(
    locked: Path, intercept: tuple[Center, Path]
) -> None:
    center, child = intercept
    parent = bundles.read_manifest(bundles.find(locked))
    manifest = bundles.read_manifest(bundles.find(child))
    assert manifest.parent == parent.hash
    assert manifest.hash != parent.hash
    assert manifest.update is not None
    assert (manifest.update.center, manifest.update.patients) == ("west", N)
    assert manifest.update.cured == int(center.patients.cohort["outcome"].sum())
    assert manifest.files.keys() - parent.files.keys() == {deployment.PARENT}
    changed = {name for name in parent.files if manifest.files[name] != parent.files[name]}
    assert changed == set(deployment.CHANGED)
    assert "Updated at center west" in (child / deployment.CARD).read_text()
    # The threshold is chosen again for updated models only.
    tables = [io.read(deployment.THRESHOLDS, model / "thresholds.csv") for model in (locked, child)]
    before, after = (table.set_index(["model", "rule"])["threshold"] for table in tables)
    assert after.index.sort_values().equals(before.index.sort_values())
    assert not after["network"].equals(before["network"])
    assert after["clinical"].equals(before["clinical"])
    # No row of a patient: the only numbers of the center are counts and the steps.
    text = (child / "manifest.json").read_text()
    assert "west-" not in text
    # Exchange files name the parent and the child apart.
    assert models.hash_of(child / "manifest.json") != models.hash_of(locked / "manifest.json")


def test_equal_input_gives_equal_bytes(intercept: tuple[Center, Path], tmp_path: Path) -> None:
    center, child = intercept
    study = center.study.model_copy(update={"pseudonym_key": str(tmp_path / "key")})
    lock_update.run(center.files, "west", study, tmp_path / "again")
    for path in sorted(child.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(child)).read_bytes()


def test_a_missing_or_altered_parent_is_refused(
    locked: Path, intercept: tuple[Center, Path], tmp_path: Path
) -> None:
    child = intercept[1]
    tampered = example_bundle.copy(child, tmp_path / "missing")
    (tampered / deployment.PARENT).unlink()
    example_bundle.refused(tampered, deployment.PARENT, "missing")
    tampered = example_bundle.copy(child, tmp_path / "altered")
    content = json.loads((tampered / deployment.PARENT).read_text())
    content["files"]["thresholds.csv"]["sha256"] = "0" * 64
    content["hash"] = bundles.whole_hash(content)
    example_bundle.replace(tampered, deployment.PARENT, json.dumps(content).encode())
    example_bundle.refused(tampered, deployment.PARENT, "is not the manifest of the parent")
    # A file of the parent that was changed, with all hashes of the child as if it had always been so.
    tampered = example_bundle.copy(child, tmp_path / "weights")
    example_bundle.replace(tampered, "ranges.csv", (tampered / "ranges.csv").read_bytes() + b"\n")
    example_bundle.refused(tampered, "ranges.csv differs from that of its parent")
    tampered = example_bundle.copy(child, tmp_path / "config")
    example_bundle.edit(tampered, outcomes="shuffled")
    example_bundle.refused(tampered, "outcomes differs from that of its parent")
    tampered = example_bundle.copy(child, tmp_path / "unstated")
    example_bundle.edit(tampered, update=None)
    example_bundle.refused(tampered, "names a parent or an update")
    tampered = example_bundle.copy(locked, tmp_path / "claimed")
    example_bundle.edit(tampered, parent="a" * 64)
    example_bundle.refused(tampered, deployment.PARENT)


def test_a_parent_that_is_an_update_or_no_manifest_is_refused(
    locked: Path, intercept: tuple[Center, Path], tmp_path: Path
) -> None:
    child = intercept[1]
    own = json.loads((child / "manifest.json").read_text())
    trained = json.loads((locked / "manifest.json").read_text())
    further = trained["files"] | {"extra.csv": trained["files"]["thresholds.csv"]}
    cases = {
        "update": (own, "its parent is an update itself"),
        "short": ({"hash": ""}, "key format: Field required"),
        "further": (trained | {"files": further}, "extra.csv differs from that of its parent"),
    }
    for name, (parent, words) in cases.items():
        tampered = example_bundle.copy(child, tmp_path / name)
        parent["hash"] = bundles.whole_hash(parent)
        example_bundle.replace(tampered, deployment.PARENT, json.dumps(parent).encode())
        example_bundle.edit(tampered, parent=parent["hash"])
        example_bundle.refused(tampered, words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"member": "fold-9"}, "updates by the network fold-9"),
        ({"models": {"elastic_net": "first"}}, "which this model does not contain"),
        ({"models": {"network": {"coefficients": [0.1] * 99}}}, "more coefficients than"),
        ({"models": {"network": {"slope": -1.0}}}, "slope -1.0, expected 1 for the step intercept"),
        ({"models": {"network": {"coefficients": [0.1]}}}, "1 coefficients for the step intercept"),
        ({"models": {"network": {"step": "slope", "coefficients": [0.1]}}}, "for the step slope"),
        ({"models": {"network": {"step": "head"}}}, "0 coefficients for the step head"),
        ({"models": {"network": {"step": "none"}}}, "the step none"),
    ],
)
def test_an_update_of_what_the_model_does_not_have_is_refused(
    intercept: tuple[Center, Path], tmp_path: Path, changes: dict, words: str
) -> None:
    tampered = example_bundle.copy(intercept[1], tmp_path / "model")
    update = json.loads((tampered / "manifest.json").read_text())["update"]
    first = update["models"]["network"]
    if "models" in changes:
        changed = {name: first if new == "first" else first | new
                   for name, new in changes["models"].items()}  # fmt: skip
        changes = {"models": changed}
    example_bundle.edit(tampered, update=update | changes)
    example_bundle.refused(tampered, words)


def test_an_update_is_not_updated_again(intercept: tuple[Center, Path], tmp_path: Path) -> None:
    center, child = intercept
    # Far from the truth, so that a further update is chosen.
    rows = io.read(PREDICTIONS, center.files.predictions)
    files = dataclasses.replace(center.files, model=child, predictions=tmp_path / "p.csv")
    io.write(PREDICTIONS, rows, files.predictions)
    with pytest.raises(InputError, match="is an update of"):
        lock_update.run(files, "west", center.study, tmp_path / "again")


def test_results_on_patients_of_the_update_are_marked(
    intercept: tuple[Center, Path], tmp_path: Path
) -> None:
    center, child = intercept
    model = bundles.read_manifest(bundles.find(child)).hash
    kept = update_ledger.place(center.study.pseudonym_key)
    cohort = center.patients.cohort
    later = cohort.assign(patient=[f"west-{number}" for number in range(1000, 1000 + N)])
    renamed = cohort.assign(patient=cohort["patient"].str.replace("west", "west2"))
    both = pd.concat([cohort.iloc[:50], later], ignore_index=True)
    assert update_ledger.fitted_to(kept, model, cohort, people(cohort["patient"])) == N
    assert update_ledger.fitted_to(kept, model, both, people(both["patient"])) == 50
    assert update_ledger.fitted_to(kept, model, later, people(later["patient"])) == 0
    assert update_ledger.fitted_to(kept, "0" * 64, cohort, people(cohort["patient"])) == 0
    # Pseudonyms contain the center's name, marks do not.
    assert update_ledger.fitted_to(kept, model, renamed, people(renamed["patient"])) == N
    # A line of an older version.
    old = tmp_path / "old"
    old.write_text(json.dumps({"locked_model": model, "marks": looks.marks(cohort)}) + "\n")
    assert update_ledger.fitted_to(old, model, both, people(both["patient"])) == 50
    assert "west-" not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    found = looks.append(tmp_path / "looks", "2026-01-01T00:00:00Z", model, both, {}, 50)
    assert looks.table(found)["fitted_to"].tolist() == [50]
    assert looks.read(tmp_path / "looks") == found
    kept.write_text("{}\n")
    with pytest.raises(InputError, match="line 1"):
        update_ledger.fitted_to(kept, model, cohort, people(cohort["patient"]))


def test_an_update_that_shows_a_patient_by_difference_is_refused(
    intercept: tuple[Center, Path], tmp_path: Path
) -> None:
    center, child = intercept
    key = tmp_path / "key"
    study = center.study.model_copy(update={"pseudonym_key": str(key)})
    outcome = center.patients.cohort.set_index("patient")["outcome"].astype("int64")
    hashes, sent = people(outcome.index), ledger.place(key)
    # A file, or another update, of all patients but one.
    fewer = exchange.check_update("west", study.exchange, outcome.iloc[1:], hashes, sent)
    exchange.add_update(sent, "earlier", "west", "b" * 64, fewer)
    with pytest.raises(InputError, match="would show the difference: new patients"):
        lock_update.run(center.files, "west", study, tmp_path / "updated")
    assert not (tmp_path / "updated").exists()
    assert not update_ledger.place(key).exists()
    sent.unlink()
    # The update itself is in the ledger: once, although it is written twice.
    lock_update.run(center.files, "west", study, tmp_path / "updated")
    lock_update.run(center.files, "west", study, tmp_path / "updated")
    (entry,), (known,) = ledger.read(sent), update_ledger.read(update_ledger.place(key))
    manifest = bundles.read_manifest(bundles.find(child))
    assert entry.file == known.locked_model == manifest.hash
    assert (len(entry.people), sum(entry.people.values())) == (N, int(outcome.sum()))
    with pytest.raises(InputError, match="would show the difference"):
        exchange.check_update("west2", study.exchange, outcome.iloc[1:], hashes, sent)


def test_no_model_is_on_disk_that_no_ledger_knows(
    intercept: tuple[Center, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    center = intercept[0]
    study = center.study.model_copy(update={"pseudonym_key": str(tmp_path / "key")})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(update_ledger, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        lock_update.run(center.files, "west", study, tmp_path / "updated")
    assert not (tmp_path / "updated" / "manifest.json").exists()


def test_models_that_predicted_other_patients_are_not_updated_together(
    intercept: tuple[Center, Path],
) -> None:
    rows = io.read(PREDICTIONS, intercept[0].files.predictions)
    assert len(updated.outcomes(rows, "west", ["network", "signature"])) == N
    one = (rows["model"] == "signature") & (rows["patient"] == "west-0003")
    with pytest.raises(InputError, match="signature did not predict 1 of the 240 patients"):
        updated.outcomes(rows[~one], "west", ["network", "signature"])


def test_components_are_those_of_the_training_patients(locked: Path, parts: bundle.Parts) -> None:
    known = apply.read(locked).domain
    train = (parts.division["set"] == "train").to_numpy()
    fold = parts.division["fold"].to_numpy(dtype=int, na_value=0)
    own = np.load(parts.embeddings)[0][train & (fold != 1)]
    scores = updates.components(known, "fold-1", own, 2)
    assert scores.mean(axis=0) == pytest.approx(np.zeros(2), abs=1e-6)
    expected = updating.components(own.astype(float), np.ones(len(own), dtype=bool), 2)
    for ours, theirs in zip(scores.T, expected.T, strict=True):
        assert abs(np.corrcoef(ours, theirs)[0, 1]) == pytest.approx(1, abs=1e-9)
