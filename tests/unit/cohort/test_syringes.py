"""A dose syringe is not a gland, and its image gives the injected activity."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.example_scans import (
    detector,
    nm,
)
from tests.unit.hospital import Hospital, assemble, read_cohort, scan
from thyrocast import physics


def test_a_syringe_in_the_image_gives_way_to_the_gland(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    axis = (np.arange(64) + 0.5) * 4.0 - 128
    rod = np.exp(-((axis[:, None] / 5) ** 2) / 2 - (axis[None, :] / 12) ** 2 / 2)
    dose = np.random.default_rng(1).poisson(2000 * rod).astype(np.uint16)
    # The same description as the gland's, and taken for longer.
    north.scan("a", nm(dose, PatientID="1", ActualFrameDuration=400_000))
    north.scan("b", scan("1"))
    out = assemble(tmp_path / "a", [north])
    assert read_cohort(out)["duration_s"].tolist() == [300]


def test_the_uptake_comes_from_the_syringe(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    dose = np.zeros((64, 64), np.uint16)
    dose[30:33, 30:33] = 2000
    north.scan(
        "a",
        nm(
            dose, [detector()], PatientID="1", SeriesDescription="Syringe full",
            ActualFrameDuration=10_000, AcquisitionTime="101500",
        ),
    )  # fmt: skip
    north.scan("b", scan("1"))
    (row,) = read_cohort(assemble(tmp_path / "a", [north])).to_dict("records")
    # Of the same counts, more activity under the skin, by tissue of 2 to 3 cm.
    assert row["q_uptake"] / (100 * row["q_rate"] / 1800) == pytest.approx(1.4, abs=0.15)


def test_of_two_syringes_without_description_the_earlier_is_full(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    for name, counts, time in (("z", 2000, "101000"), ("a", 100, "102000")):
        dose = np.zeros((64, 64), np.uint16)
        dose[30:33, 30:33] = counts
        north.scan(
            name,
            nm(
                dose, [detector()], PatientID="1", SeriesDescription="Spritze",
                ActualFrameDuration=10_000, AcquisitionTime=time,
            ),
        )  # fmt: skip
    north.scan("b", scan("1"))
    (row,) = read_cohort(assemble(tmp_path / "a", [north])).to_dict("records")
    rate = 1800 * physics.tc99m_left(5)
    assert row["q_uptake"] / (100 * row["q_rate"] / rate) == pytest.approx(1.4, abs=0.15)
