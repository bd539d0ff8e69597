"""What can't be read as it is stops the main process of Snakemake before any job."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from thyrocast.config.reading import read_study
from thyrocast.contract.files import VERSION
from thyrocast.errors import InputError
from thyrocast.planning import study

ROOT = Path(__file__).resolve().parents[3]
ROW = {"level": "0.95", "outcomes": "observed", "simulated": "0", "contract": str(VERSION)}


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """A study of three centers with a fictitious table each."""
    centers = []
    for name in ("north", "south", "west"):
        folder = tmp_path / name / "dicom"
        folder.mkdir(parents=True)
        (folder / "scan").write_bytes(b"x")
        rows = "".join(f"{n};ja;{day};{n + 20}\n" for n, day in enumerate((14, 21, 28, 25), 1))
        (tmp_path / name / "table.csv").write_text(f"ID;Erfolg;Absetzen;fT4\n{rows}")
        columns = {
            "patient": "ID", "outcome": "Erfolg", "withdrawal_days": "Absetzen", "ft4": "fT4",
        }  # fmt: skip
        centers.append(
            {
                "name": name,
                "role": "development",
                "dicom": str(folder),
                "clinical": str(tmp_path / name / "table.csv"),
                "columns": columns,
                "outcome": {"rule": "given", "cured": ["ja"], "not_cured": ["nein"]},
            }
        )
    return {"study": "test", "centers": centers}


def check(given: dict[str, Any]) -> None:
    study.check_inputs(read_study(given))


def test_what_a_column_contradicts_stops_with_a_line_per_fault(given: dict[str, Any]) -> None:
    check(given)
    table = Path(given["centers"][0]["clinical"])
    table.write_text("ID;Erfolg;Absetzen;fT4\n1;ja;14;2,5\n2;ja;14;1,9\n3;nein;21;3,1\n")
    given["centers"][1]["units"] = {"ft4": "furlong"}
    with pytest.raises(InputError) as caught:
        check(given)
    first, second = str(caught.value).split("\n")[1:]
    assert "center north, column 'fT4': the median of its 3 numbers is 2.5 pmol/L" in first
    assert "center south, key units.ft4: 'furlong' can't be converted to pmol/L" in second


def test_a_center_whose_unit_differs_from_the_others_stops(given: dict[str, Any]) -> None:
    table = Path(given["centers"][2]["clinical"])
    table.write_text("ID;Erfolg;Absetzen;fT4\n1;ja;3;21\n2;ja;3,5;25\n3;nein;4;30\n")
    with pytest.raises(InputError, match="center west, key units.withdrawal_days: .* weeks would"):
        check(given)
    given["centers"][2]["accept"] = {"unusual_values": ["withdrawal_days"]}
    check(given)


@pytest.mark.parametrize("folder", [".", ".."])
def test_the_project_is_no_export(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(tmp_path / "north")
    given["centers"][0]["dicom"] = folder
    with pytest.raises(InputError, match="center north, key dicom: folder .* the project itself"):
        check(given)


def test_a_path_may_begin_with_the_home_folder(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    given["centers"][0] |= {"dicom": "~/north/dicom", "clinical": "~/north/table.csv"}
    (tmp_path / "doctor.csv").write_bytes(b"\xef\xbb\xbfpatient,probability\nnorth-1,0.5\n")
    external = {"name": "doctor", "table": "~/doctor.csv"}
    given["evaluation"] = {"external_predictions": [external]}
    check(given)
    found = read_study(given)
    assert found.evaluation.external_predictions[0].table == str(tmp_path / "doctor.csv")


def test_external_predictions_are_checked_whole(given: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "doctor.csv").write_text("patient,probability\nnorth-1,0.5\nnorth-2,70\n")
    external = {"name": "doctor", "table": str(tmp_path / "doctor.csv")}
    given["evaluation"] = {"external_predictions": [external]}
    with pytest.raises(InputError, match="doctor: patient north-2 has probability '70'"):
        check(given)


def test_a_table_of_results_is_no_exchange_file(given: dict[str, Any]) -> None:
    given["evaluation"] = {"summaries": ["performance.csv"]}
    with pytest.raises(
        InputError, match="followed no disclosure rule; ask each center for an exchange"
    ):
        check(given)


def test_exchange_files_alone_are_no_study(given: dict[str, Any]) -> None:
    given["centers"] = [{"name": "north", "exchange": "north.json"}]
    with pytest.raises(InputError, match="key centers: has exchange files only, expected"):
        check(given)
    given["model"] = "model.zip"
    with pytest.raises(InputError, match="key centers: has exchange files only, expected"):
        check(given)


def test_reading_a_table_imports_no_large_library(given: dict[str, Any]) -> None:
    code = (
        "import sys; from thyrocast.planning import study;"
        "assert not {'numpy', 'pandas', 'pint', 'openpyxl'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow" / "lib")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
