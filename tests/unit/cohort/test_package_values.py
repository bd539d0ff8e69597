"""A package has the values that the camera stored."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from tests.unit.cohort.test_package import pack
from tests.unit.example_scans import neck, nm
from tests.unit.hospital import Hospital


@pytest.mark.parametrize("slope", [0.001, 0.01, 0.1, 0.4, 2.5])
def test_counts_that_were_stored_as_multiples_are_sent_as_they_are(
    tmp_path: Path, slope: float
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    stored = np.round(neck(64, 4.0, seed=3) / slope).astype(np.uint32)
    north.scan("a", nm(stored, PatientID="1", RescaleSlope=str(slope), RescaleIntercept="0"))
    assert pack(north, tmp_path / "sent") == 1
    (file,) = (tmp_path / "sent" / "dicom").rglob("*.dcm")
    sent = pydicom.dcmread(file)
    assert np.array_equal(sent.pixel_array, stored)
    assert (sent.RescaleSlope, sent.RescaleIntercept) == (slope, 0)
