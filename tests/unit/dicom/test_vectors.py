"""The vectors that assign frames to windows and detectors are as long as there are frames."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.example_scans import ANTERIOR, POSTERIOR, center, cohort, detector, neck, nm, save
from thyrocast.dicom.frames import judge
from thyrocast.dicom.header import read_header

TWO = np.stack([neck(64, 4.0, seed=1), neck(64, 4.0, seed=2)])


@pytest.mark.parametrize(
    ("keyword", "values"),
    [("DetectorVector", [1]), ("EnergyWindowVector", [1]), ("DetectorVector", 1)],
)
def test_a_vector_that_ends_before_the_last_frame_is_a_reason(
    tmp_path: Path, keyword: str, values: Any
) -> None:
    dataset = nm(TWO, [detector(ANTERIOR), detector(POSTERIOR)], **{keyword: values})
    verdict = judge(read_header(save(dataset, tmp_path / "scan")), center(), cohort())
    assert verdict.reason == "a vector of the frames that is shorter than their number"


@pytest.mark.parametrize(
    ("keyword", "values", "reason"),
    [
        ("DetectorVector", [1, 2, 1], "a vector of the frames that is longer than their number"),
        ("EnergyWindowVector", [1, 1, 1, 1], ""),
        ("DetectorVector", [1, 2, 0, 0], ""),
    ],
)
def test_a_longer_vector_is_a_reason_unless_it_is_padded_or_says_the_same(
    tmp_path: Path, keyword: str, values: list[int], reason: str
) -> None:
    dataset = nm(TWO, [detector(ANTERIOR), detector(POSTERIOR)], **{keyword: values})
    verdict = judge(read_header(save(dataset, tmp_path / "scan")), center(), cohort())
    assert (verdict.reason, bool(verdict.scans)) == (reason, not reason)
