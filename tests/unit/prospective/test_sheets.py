"""The table and the sheet of a prospective patient: plain words, every flag, no identity."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import write_sheets
from tests.unit.prospective import example_prospective as example
from thyrocast.contract import deployment, io
from thyrocast.contract.cohort import RECORDS, SCANS
from thyrocast.contract.manifest import Manifest
from thyrocast.contract.splits import MEMBER_PREDICTIONS
from thyrocast.prospective import overview, sheet, sheet_pdf

MODEL = Manifest.model_construct(hash=example.HASH, simulated=False)


def one(tmp_path: Path, simulated: bool = False, **changes: object) -> sheet.Sheet:
    """The sheet of a patient with these cells."""
    folder = tmp_path / "pictures"
    found = folder if folder.exists() else example.pictures(folder)
    model = Manifest.model_construct(hash=example.HASH, simulated=simulated)
    (only,) = sheet.sheets(example.rows(**changes), model, 0.1, found)
    return only


def test_the_sheet_says_everything_in_plain_words(tmp_path: Path) -> None:
    page = sheet.page(one(tmp_path, acquisition="pixel_mm", quality="pinhole", outside=True))
    for words in (
        "west-0123456789ab",
        "2026-02-27",
        "2026-03-01 10:00:00 UTC",
        "Signature of the locked model 0123456789ab",
        "73 %",
        "Of 100 patients with this prediction, about 73 would be cured",
        "expects cure",
        "Prediction set: cured. The model excludes failure at an accepted error of 10%.",
        "Out of range: the acquisition is unlike that of the training patients (Pixel size, mm).",
        "20% of the model&#39;s networks are on the other side",
        "another decision by Network",
        "Quality of the scan: pinhole",
        "33 %",
        "Intended use",
        "data:image/png;base64,",
    ):
        assert words in page, words
    assert page.count("For research use only") == 2


@pytest.mark.parametrize("prediction", ["uncertain", "atypical"])
def test_it_says_if_the_model_cannot_decide(tmp_path: Path, prediction: str) -> None:
    assert "The model cannot decide" in one(tmp_path, prediction=["cured", prediction]).prediction


def test_without_threshold_and_calibration(tmp_path: Path) -> None:
    nothing = {"threshold": np.nan, "called_cured": None, "prediction": None}
    nothing |= {"members_agree": np.nan, "disagrees": None}
    found = one(tmp_path, **{name: [value, value] for name, value in nothing.items()})
    assert "no decision" in found.decision
    assert "no prediction set" in found.prediction
    assert found.flags == ()
    assert "None." in sheet.page(found)


@pytest.mark.parametrize(
    ("probability", "percent", "many"),
    [(0.0, "below 1 %", "fewer than 1"), (1.0, "above 99 %", "more than 99"), (0.5, "50 %", "about 50")],
)  # fmt: skip
def test_nothing_is_claimed_to_be_certain(probability: float, percent: str, many: str) -> None:
    assert sheet.percent(probability) == percent
    assert many in sheet.meaning(probability)


def test_nothing_on_it_identifies_the_patient(tmp_path: Path) -> None:
    found = one(tmp_path)
    assert "4711" not in sheet.page(found)
    assert "4711" not in repr(found)


def test_text_is_not_markup(tmp_path: Path) -> None:
    found = one(tmp_path, center="<b>&west")
    assert "&lt;b&gt;&amp;west" in sheet.page(found)
    assert sheet_pdf.draw(found).startswith(b"%PDF")


def test_a_simulated_model_says_so(tmp_path: Path) -> None:
    assert "simulated" in sheet.page(one(tmp_path, simulated=True))


def test_the_pdf_is_one_page_and_the_same_every_time(tmp_path: Path) -> None:
    found = one(tmp_path, acquisition=" ".join(["pixel_mm"] * 300), quality="pinhole")
    content = sheet_pdf.draw(found)
    assert content == sheet_pdf.draw(found)
    assert len(re.findall(rb"/Type /Page\b", content)) == 1
    assert b"/MediaBox [ 0 0 595.2756 841.8898 ]" in content


def test_the_pdf_has_the_text_of_the_page(tmp_path: Path, needs: Callable[..., None]) -> None:
    needs("pdftotext")
    file = tmp_path / "sheet.pdf"
    file.write_bytes(sheet_pdf.draw(one(tmp_path)))
    done = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True)
    text = " ".join(done.stdout.split())
    assert text.count("For research use only") == 2
    assert "west-0123456789ab" in text
    assert "Prediction set: cured." in text


def tables(folder: Path) -> overview.Files:
    """Files of two patients: the second one's best scan could not be used."""
    at, models = "2026-03-01T10:00:00Z", ["network", "signature"]
    patients = ["west-1", "west-2"]
    pairs = [(patient, model) for patient in patients for model in models]
    applied = pd.DataFrame(pairs, columns=["patient", "model"]).assign(
        locked_model=example.HASH, predicted_at=at, center="west",
        probability=[0.7, 0.6, 0.2, 0.6], called_cured=[True, True, False, True],
        p_not_cured=0.1, p_cured=0.5, prediction="uncertain", outside=False,
    )  # fmt: skip
    flags = pd.DataFrame({"patient": patients}).assign(
        locked_model=example.HASH, predicted_at=at, center="west", distance=0.1, acquisition="",
        outside=False, image="f" * 64, standing="before", clinical_changed=[False, True],
    )  # fmt: skip
    members = pd.DataFrame(
        [(p, m, f"fold-{k}", k - 2.0) for p, m in pairs for k in (1, 2, 3)],
        columns=["patient", "model", "member", "logit"],
    ).assign(design="external", split="all", set="test")
    cuts = pd.DataFrame({"model": models, "rule": "youden", "threshold": 0.5, "signal": True})
    scans = pd.DataFrame(
        [("west-1", 0, "ok.dcm", ""), ("west-2", 0, "bad.dcm", ""), ("west-2", 1, "2.dcm", "pinhole")],
        columns=["patient", "rank", "file", "flags"],
    ).assign(identifier="MRN", frames="0", kind="static", view_by="code", turn=0, simulated=False,
             scan_date="2026-02-27")  # fmt: skip
    records = pd.DataFrame({"patient": patients, "rank": [0, 1]}).assign(usable=True, reason="")
    made = {
        "predictions": (deployment.APPLIED, applied), "patients": (deployment.APPLIED_PATIENTS, flags),
        "thresholds": (deployment.THRESHOLDS, cuts), "members": (MEMBER_PREDICTIONS, members),
        "scans": (SCANS, scans), "records": (RECORDS, records),
    }  # fmt: skip
    for name, (table, frame) in made.items():
        io.write(table, frame.reindex(columns=list(table.names)), folder / f"{name}.csv")
    paths = {name: folder / f"{name}.csv" for name in made}
    return overview.Files(**(paths | {"records": [paths["records"]]}))


def test_the_table_joins_predictions_flags_and_scan(tmp_path: Path) -> None:
    found = overview.table(tables(tmp_path), "west", "signature").set_index(["patient", "model"])
    assert found["main"].to_list() == [False, True, False, True]
    assert found["disagrees"].to_list() == [False, False, True, False]
    # log-odds of -1, 0 and 1: two of three members are at or above one half
    assert found["members_agree"].round(3).to_list() == [0.667, 0.667, 0.333, 0.667]
    assert found.loc["west-2", "quality"].to_list() == ["pinhole"] * 2
    assert found.loc["west-2", "clinical_changed"].all()
    assert overview.table(tables(tmp_path), "east", "signature").empty
    other = overview.table(tables(tmp_path), "west", "clinical")
    assert other.loc[other["main"], "model"].unique().tolist() == ["network"]


def test_files_are_private(tmp_path: Path) -> None:
    documents = tmp_path / "manifest.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write_sheets.documents, "read", lambda kind, path: MODEL)
        write_sheets.run(
            tables(tmp_path), documents, tmp_path, "west", "signature", 0.1,
            tmp_path / "own" / "predictions.csv", tmp_path / "own" / "sheets",
        )  # fmt: skip
    files = sorted((tmp_path / "own").rglob("*.*"))
    assert [file.name for file in files] == [
        "predictions.csv", "west-1.html", "west-1.pdf", "west-2.html", "west-2.pdf",
    ]  # fmt: skip
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
