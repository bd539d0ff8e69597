"""A planted marker: in the images of the patients of one outcome, and nowhere else."""

from pathlib import Path

import numpy as np
import pydicom
import yaml

from thyrocast.config.reading import read_simulation
from thyrocast.config.simulation import SimulationConfig
from thyrocast.contract import io
from thyrocast.contract.simulation import TRUTH
from thyrocast.simulation import center

ROOT = Path(__file__).parents[3]
MARKER = {"activity_mbq": 0.2, "right_mm": 50.0, "down_mm": -60.0}


def write(
    folder: Path, marker: dict[str, object] | None
) -> tuple[SimulationConfig, dict[str, int]]:
    """Write a center of 8 patients; return its config, and each patient's outcome by identifier."""
    given = yaml.safe_load((ROOT / "config/simulation/smoke.yaml").read_text(encoding="utf-8"))
    alpha = given["centers"]["alpha"] | {"patients": 8, "extras": {}, "marker": marker}
    config = read_simulation(given | {"centers": {"alpha": alpha}})
    site = config.centers["alpha"]
    center.simulate("alpha", site, config.outcome, config.seed, folder, folder / "truth.csv")
    truth = io.read(TRUTH, folder / "truth.csv")
    return config, dict(zip(truth["dicom_patient"], truth["outcome"], strict=True))


def anterior(folder: Path) -> dict[str, np.ndarray]:
    """The anterior frame of every patient (detector 1, which is the last frame of this center)."""
    files = [
        pydicom.dcmread(file) for file in sorted((folder / "dicom").rglob("*")) if file.is_file()
    ]
    return {str(file.PatientID): file.pixel_array[-1].astype(float) for file in files}


def test_only_the_cured_have_it(tmp_path: Path) -> None:
    config, outcome = write(tmp_path / "with", MARKER)
    _, same = write(tmp_path / "without", None)
    assert outcome == same
    marked, plain = anterior(tmp_path / "with"), anterior(tmp_path / "without")
    camera = config.centers["alpha"].camera
    middle = (camera.matrix - 1) / 2
    row, column = (round(middle + mm / camera.pixel_mm) for mm in (-60.0, 50.0))
    reach = round(20 / camera.pixel_mm)
    around = (slice(row - reach, row + reach + 1), slice(column - reach, column + reach + 1))
    counts = 0.2 * camera.sensitivity * config.centers["alpha"].scintigraphy.duration_s
    assert {outcome[name] for name in plain} == {0, 1}
    for name, image in plain.items():
        excess = float((marked[name] - image)[around].sum())
        if outcome[name]:
            # Most of the marker and some of its scatter; counts vary by chance.
            assert 0.8 * counts < excess < 1.4 * counts
        else:
            np.testing.assert_array_equal(marked[name], image)
