"""Predictions are written once, and the ones that were made are used: or the run stops, and says why."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import apply_model
import score_apart
from tests.unit.application.test_apply import patients_of, tested
from thyrocast.application import apply
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.contract import deployment, io
from thyrocast.contract.cohort import COHORT, OUTCOMES
from thyrocast.contract.site_names import Standing
from thyrocast.contract.splits import MEMBER_PREDICTIONS, PREDICTIONS
from thyrocast.errors import InputError
from thyrocast.evaluation.applied import Applied, frozen_only
from thyrocast.evaluation.settings import Settings
from thyrocast.prospective import follow_up, frozen, timing

__all__ = ["tested"]
DAY, NEXT = "2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"
TABLES = {
    "predictions": PREDICTIONS,
    "member_predictions": MEMBER_PREDICTIONS,
    "applied": deployment.APPLIED,
    "patients": deployment.APPLIED_PATIENTS,
    "ledger": deployment.LEDGER,
}


@pytest.fixture(scope="module")
def locked_model(locked: Path) -> apply.Locked:
    return apply.read(locked)


@pytest.fixture
def everyone(locked_model: apply.Locked, tested: Path) -> apply.Patients:
    return patients_of(tested, locked_model.manifest.members)


def among(patients: apply.Patients, rows: slice, **cells: object) -> apply.Patients:
    """Some of the patients, with columns changed."""
    return apply.Patients(
        cohort=patients.cohort.iloc[rows].assign(**cells).reset_index(drop=True),
        embeddings={name: values[rows] for name, values in patients.embeddings.items()},
        logits={name: values[rows] for name, values in patients.logits.items()},
        images=patients.images[rows],
    )


def waiting(patients: apply.Patients) -> apply.Patients:
    """The first eight as prospective patients."""
    nothing = pd.array([None] * 8, dtype="Int64")
    return among(patients, slice(0, 8), role="prospective", outcome=nothing)


def run(
    locked: apply.Locked,
    patients: apply.Patients,
    folder: Path,
    at: str = DAY,
    visit: str = "2026-09-01",
    therapy: str | None = "2026-03-05",
    **more: object,
) -> dict[str, pd.DataFrame]:
    """Apply the model at a time, with the ledger in the folder."""
    names = ("path", "correlates", "activating", "optimism", "signature", "features", *TABLES)
    files = {name: folder / f"{name}.csv" for name in names}
    (folder / "model.json").write_text("{}")
    rows = patients.cohort[["patient", "outcome"]].assign(
        **dict.fromkeys(set(OUTCOMES.names) - {"patient", "outcome"})
    )
    dates = folder / "outcomes.csv"
    found = rows.assign(visit_date=visit or None, therapy_date=therapy, reason="")
    io.write(OUTCOMES, found, dates)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apply, "now", lambda: at)
        apply_model.run(
            locked, patients, 0.1, folder / "model.json", files, folder / "frozen.jsonl", [dates], **more
        )  # fmt: skip
    return {name: io.read(table, files[name]) for name, table in TABLES.items()}


def other_code(patients: apply.Patients) -> apply.Patients:
    """The same patients, for whom the code now computes something else."""
    return dataclasses.replace(
        patients,
        embeddings={name: values + 3 for name, values in patients.embeddings.items()},
        logits={name: values - 1 for name, values in patients.logits.items()},
    )


def test_the_predictions_that_were_made_are_scored(
    locked_model: apply.Locked, everyone: apply.Patients, tmp_path: Path
) -> None:
    """Also if the code would give others by now; those who joined later are marked."""
    made = run(locked_model, waiting(everyone), tmp_path)
    assert set(made["patients"]["standing"]) == {"before"}
    assert made["ledger"]["entries"].to_list() == [8]
    before = (tmp_path / "frozen.jsonl").read_bytes()
    later = run(locked_model, other_code(everyone), tmp_path, at=NEXT)
    assert (tmp_path / "frozen.jsonl").read_bytes() == before
    old = set(made["patients"]["patient"])
    for name in ("predictions", "member_predictions", "applied", "patients"):
        first, second = (
            table[name][table[name]["patient"].isin(old)].reset_index(drop=True)
            for table in (made, later)
        )
        outcome = [column for column in ("outcome",) if column in first]
        pd.testing.assert_frame_equal(
            first.drop(columns=outcome), second.drop(columns=outcome), check_exact=True
        )
    standing = later["patients"].set_index("patient")["standing"]
    assert (standing[list(old)] == "before").all()
    assert (standing.drop(list(old)) == "new").all()
    fresh = run(locked_model, other_code(everyone), tmp_path / "..", at=NEXT)
    assert not fresh["predictions"]["probability"].equals(later["predictions"]["probability"])
    assert set(fresh["patients"]["standing"]) == {"unfrozen"}


def test_a_second_run_adds_only_who_is_new(
    locked_model: apply.Locked, everyone: apply.Patients, tmp_path: Path
) -> None:
    first = waiting(everyone)
    run(locked_model, among(first, slice(0, 3)), tmp_path)
    lines = (tmp_path / "frozen.jsonl").read_text().splitlines()
    run(locked_model, first, tmp_path, at=NEXT)
    again = (tmp_path / "frozen.jsonl").read_text().splitlines()
    assert again[:3] == lines
    assert [json.loads(line)["date"] for line in again] == [DAY] * 3 + [NEXT] * 5
    assert (tmp_path / "frozen.jsonl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("at", "visit", "therapy", "expected"),
    [
        ("2026-08-31T09:59:59Z", "2026-09-01", None, "before"),
        ("2026-08-31T10:00:00Z", "2026-09-01", None, "late"),  # the 1st on the other side of earth
        ("2026-09-02T00:00:00Z", "2026-09-01", "2026-03-05", "late"),
        ("2026-03-05T08:00:00Z", None, "2026-03-05", "before"),
        ("2026-03-06T08:00:00Z", None, "2026-03-05", "undated"),
        ("2026-03-06T08:00:00Z", None, None, "undated"),
    ],
)
def test_a_prediction_counts_if_it_is_earlier_than_the_outcome(
    at: str, visit: str | None, therapy: str | None, expected: str
) -> None:
    dates = pd.Series({"visit_date": visit, "therapy_date": therapy})
    assert timing.standing(at, dates) == expected


def test_who_is_not_frozen_before_the_outcome_is_scored_apart(
    locked_model: apply.Locked, everyone: apply.Patients, tmp_path: Path
) -> None:
    """The outcomes of the others stay; performance of those apart has a table of its own."""
    run(locked_model, waiting(everyone), tmp_path)
    later = run(locked_model, everyone, tmp_path, at=NEXT, visit="2026-02-01")
    standing = later["patients"].set_index("patient")["standing"]
    assert standing.value_counts().to_dict() == {"late": 8, "new": 2}
    thresholds = tmp_path / "thresholds.csv"
    io.write(deployment.THRESHOLDS, locked_model.thresholds, thresholds)
    applied = Applied(thresholds, tmp_path / "applied.csv", tmp_path / "patients.csv")
    main = frozen_only(later["predictions"], applied.apart())
    assert main["outcome"].isna().all()
    io.write(COHORT, everyone.cohort, tmp_path / "cohort.csv")
    small = {"patients": 2, "outcomes": 1}
    config = EvaluationConfig.read({"minimum_count": small, "resamples": 100})
    files = [tmp_path / f"{name}.csv" for name in ("predictions", "member_predictions", "cohort")]
    score_apart.run(*files, applied, Settings(config, 1), tmp_path / "apart.csv")
    found = io.read(deployment.APART, tmp_path / "apart.csv")
    assert set(found.loc[found["group_kind"] == "pooled", "n"]) == {10}
    assert set(found.loc[found["variable"] == "standing", "group"]) == {"late", "new"}


def test_nobody_apart(tmp_path: Path, locked_model: apply.Locked, everyone: apply.Patients) -> None:
    run(locked_model, waiting(everyone), tmp_path)
    later = run(locked_model, among(everyone, slice(0, 8)), tmp_path, at=NEXT)
    apart = Applied(tmp_path, tmp_path, tmp_path / "patients.csv").apart()
    assert apart == {}
    main = frozen_only(later["predictions"], apart)
    pd.testing.assert_frame_equal(main, later["predictions"])


@pytest.fixture(scope="module")
def ledger(
    locked_model: apply.Locked, tested: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The ledger of eight patients."""
    folder = tmp_path_factory.mktemp("ledger")
    run(locked_model, waiting(patients_of(tested, locked_model.manifest.members)), folder)
    return folder / "frozen.jsonl"


@pytest.mark.parametrize("line", [0, 4, 7])
@pytest.mark.parametrize("edit", ["number", "hashed", "delete", "repeat", "garbage"])
def test_an_edited_ledger_is_refused(
    ledger: Path, everyone: apply.Patients, tmp_path: Path, line: int, edit: str
) -> None:
    lines = ledger.read_text().splitlines()
    cells = json.loads(lines[line])
    cells["probability"]["network"] = 0.123
    if edit == "hashed":
        cells["own"] = frozen.own_hash(cells)
    if edit in ("number", "hashed"):
        lines[line] = json.dumps(cells, sort_keys=True, separators=(",", ":"))
    elif edit == "delete":
        del lines[line]
    elif edit == "repeat":
        lines.insert(line, lines[line])
    else:
        lines[line] = "{}"
    path = tmp_path / "frozen.jsonl"
    path.write_text("\n".join(lines) + "\n")
    if line == 7 and edit in ("hashed", "delete"):
        # The file alone cannot show this; the hash of its last line, which was passed on, does.
        made, found = (
            follow_up.table(frozen.read(file), everyone.cohort) for file in (ledger, path)
        )
        assert found["head"].item() != made["head"].item()
        return
    with pytest.raises(InputError, match="the ledger of frozen predictions was edited"):
        frozen.read(path)


def test_an_edited_ledger_stops_the_run(
    locked_model: apply.Locked, everyone: apply.Patients, ledger: Path, tmp_path: Path
) -> None:
    (tmp_path / "frozen.jsonl").write_text(ledger.read_text().replace("north-00", "north-10", 1))
    with pytest.raises(InputError, match="was edited"):
        run(locked_model, everyone, tmp_path, at=NEXT)
    assert not (tmp_path / "predictions.csv").exists()


def test_another_model_or_image_or_error_is_refused(
    locked_model: apply.Locked, everyone: apply.Patients, tmp_path: Path
) -> None:
    run(locked_model, waiting(everyone), tmp_path)
    other = locked_model.manifest.model_copy(update={"hash": "f" * 64})
    with pytest.raises(InputError, match="made by the locked model .* names ffffffffffff"):
        run(dataclasses.replace(locked_model, manifest=other), everyone, tmp_path, at=NEXT)
    patient = everyone.cohort["patient"].iloc[2]
    images = [*everyone.images]
    images[2] = "0" * 64
    changed = dataclasses.replace(everyone, images=images)
    with pytest.raises(InputError, match=f"{patient}: the standardized image is not the one"):
        run(locked_model, changed, tmp_path, at=NEXT)
    allowed = run(locked_model, changed, tmp_path, at=NEXT, withdrawn=[patient])
    standing = allowed["patients"].set_index("patient")["standing"]
    assert standing[patient] == Standing.WITHDRAWN
    with pytest.raises(InputError, match=r"set evaluation.prediction_sets.error to 0\.1"):
        entries = frozen.read(tmp_path / "frozen.jsonl")
        rules = frozen.Rules(locked_model.manifest.hash, 0.2)
        frozen.check(entries, everyone, rules)


def test_a_slow_clock_dates_no_prediction(
    locked_model: apply.Locked, everyone: apply.Patients, tmp_path: Path
) -> None:
    """Predictions would look earlier than they are, and outcomes later."""
    first, last = waiting(everyone).cohort["patient"].iloc[[0, -1]]
    scans = {first: DAY[:10], last: "2026-02-28"}
    timing.check_clock(DAY, None, scans)
    with pytest.raises(InputError, match=f"patient {first}: by this machine's clock it is 2024-"):
        timing.check_clock("2024-03-01T12:00:00Z", None, scans)
    # A day earlier in UTC may be the day of the scan elsewhere on earth.
    timing.check_clock("2026-02-28T12:00:00Z", None, scans)
    run(locked_model, waiting(everyone), tmp_path)
    before = (tmp_path / "frozen.jsonl").read_bytes()
    more = dataclasses.replace(
        everyone, cohort=everyone.cohort.assign(role="prospective", outcome=pd.NA)
    )
    with pytest.raises(InputError, match="but the last frozen prediction was made at"):
        run(locked_model, more, tmp_path, at="2026-02-01T12:00:00Z")
    assert (tmp_path / "frozen.jsonl").read_bytes() == before


def test_a_renamed_patient_is_not_predicted_twice(
    locked_model: apply.Locked, everyone: apply.Patients, tmp_path: Path
) -> None:
    run(locked_model, waiting(everyone), tmp_path)
    old = everyone.cohort["patient"].iloc[2]
    names = everyone.cohort["patient"].replace({old: "west-renamed"})
    renamed = dataclasses.replace(everyone, cohort=everyone.cohort.assign(patient=names))
    with pytest.raises(InputError, match=f"patient west-renamed: has the image of {old}"):
        run(locked_model, renamed, tmp_path, at=NEXT)
    found = run(locked_model, renamed, tmp_path, at=NEXT, withdrawn=[old])["patients"]
    assert found.set_index("patient")["standing"]["west-renamed"] == Standing.NEW


def test_changed_clinical_values_are_flagged(
    locked_model: apply.Locked, everyone: apply.Patients, tmp_path: Path
) -> None:
    run(locked_model, waiting(everyone), tmp_path)
    activity = np.arange(len(everyone.cohort)) + 9000.0
    changed = dataclasses.replace(everyone, cohort=everyone.cohort.assign(activity=activity))
    found = run(locked_model, changed, tmp_path, at=NEXT)["patients"]
    assert found["clinical_changed"].to_list()[:8] == [True] * 8
    assert found["clinical_changed"].isna().to_list()[8:] == [True] * 2


def test_a_renamed_center_is_refused(
    locked_model: apply.Locked, everyone: apply.Patients, tmp_path: Path
) -> None:
    """Otherwise predictions made after the outcome would replace the frozen ones."""
    run(locked_model, waiting(everyone), tmp_path)
    renamed = among(everyone, slice(None), center="west_followup")
    with pytest.raises(InputError, match="restore its block and name in the config"):
        run(locked_model, renamed, tmp_path, at=NEXT)


def test_what_another_run_has_frozen_meanwhile_is_checked(
    locked_model: apply.Locked,
    everyone: apply.Patients,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Here the first look at the ledger is before the other run wrote."""
    run(locked_model, waiting(everyone), tmp_path)
    monkeypatch.setattr(frozen, "read", lambda _: [])
    other = dataclasses.replace(waiting(everyone), images=["0" * 64] * 8)
    with pytest.raises(InputError, match="standardized image is not the one"):
        run(locked_model, other, tmp_path, at=NEXT)


def test_frozen_patients_who_are_left_out_are_counted(
    locked_model: apply.Locked,
    everyone: apply.Patients,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Leaving failures out of the table would otherwise improve the results without a word."""
    run(locked_model, waiting(everyone), tmp_path)
    gone = everyone.cohort["patient"].iloc[2:4].to_list()
    some = among(everyone, slice(4, None))
    found = run(locked_model, some, tmp_path, at=NEXT)["ledger"]
    assert (found["entries"].item(), found["missing"].item()) == (8, 4)
    assert "4 patients have a frozen prediction, but are not in the cohort" in caplog.text
    assert all(patient in caplog.text for patient in gone)
    found = run(locked_model, some, tmp_path, at=NEXT, withdrawn=gone)["ledger"]
    assert found["missing"].item() == 2


def test_a_withdrawn_patient_who_is_nowhere_is_refused(
    locked_model: apply.Locked, everyone: apply.Patients, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"prospective\.withdrawn: north-999 is neither"):
        run(locked_model, waiting(everyone), tmp_path, withdrawn=["north-999"])
