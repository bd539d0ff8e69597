"""Every encoding decodes to the counts that were encoded."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder

from tests.unit.example_scans import center, cohort, neck, nm, save, set_pixels
from thyrocast.dicom.frames import judge
from thyrocast.dicom.header import read_header
from thyrocast.dicom.pixels import PixelError, read_counts

IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
)
RLE, JPEG_LS, JPEG_2000, JPEG_2000_ANY = (
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
)
COUNTS = neck(64, 4.0, total=90_000)
TWO = np.stack([COUNTS, COUNTS[::-1]])


def two_frames(**elements: Any) -> Dataset:
    dataset = nm(TWO, **elements)
    dataset.DetectorVector = [1, 1]
    return dataset


def counts(path: Path, frame: int = 1) -> NDArray[np.float64]:
    assert judge(read_header(path), center(), cohort()).reason == ""
    return read_counts(path, [frame]).image


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED])
def test_uncompressed(tmp_path: Path, syntax: str) -> None:
    np.testing.assert_array_equal(counts(save(two_frames(), tmp_path / "x", syntax)), TWO[1])


def test_big_endian(tmp_path: Path) -> None:
    dataset = two_frames()
    dataset.PixelData = TWO.astype(">u2").tobytes()
    np.testing.assert_array_equal(counts(save(dataset, tmp_path / "x", BIG_ENDIAN)), TWO[1])


@pytest.mark.parametrize("syntax", [RLE, JPEG_LS, JPEG_2000])
@pytest.mark.parametrize("kind", ["u1", "u2", "i2"])
def test_compressed_without_loss(tmp_path: Path, syntax: str, kind: str) -> None:
    dataset = two_frames()
    frames = np.minimum(TWO, 120).astype(kind)
    if kind == "i2":
        frames[:, 0, :3] = -60
    set_pixels(dataset, frames)
    dataset.compress(syntax, frames, generate_instance_uid=False)
    path = tmp_path / "x"
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    np.testing.assert_array_equal(counts(path), frames[1])


def test_jpeg_2000_under_the_lossy_syntax_counts_by_its_codestream(tmp_path: Path) -> None:
    dataset = nm(COUNTS)
    encoder = get_encoder(JPEG_2000)
    coded = encoder.encode(dataset, index=0)
    dataset.PixelData = encapsulate([coded])
    path = save(dataset, tmp_path / "lossless", JPEG_2000_ANY)
    np.testing.assert_array_equal(counts(path, 0), COUNTS)
    # The transform's byte of the COD segment, set to the lossy 9-7 one.
    at = coded.index(b"\xff\x52") + 13
    dataset.PixelData = encapsulate([coded[:at] + b"\x00" + coded[at + 1 :]])
    lossy = read_header(save(dataset, tmp_path / "lossy", JPEG_2000_ANY))
    assert judge(lossy, center(), cohort()).reason == "compressed with loss"


def test_rescale_and_negative_values(tmp_path: Path) -> None:
    frames = TWO.astype(np.int16)
    frames[:, 0, :3] = -30
    dataset = two_frames(RescaleSlope=0.5, RescaleIntercept=-2.0)
    set_pixels(dataset, frames)
    found = read_counts(save(dataset, tmp_path / "x"), [0]).image
    np.testing.assert_allclose(found, frames[0] * 0.5 - 2)
    assert found.min() < 0


def test_frames_are_summed(tmp_path: Path) -> None:
    path = save(two_frames(), tmp_path / "x")
    np.testing.assert_array_equal(read_counts(path, [0, 1]).image, TWO.sum(0))


def test_saturated_pixels_are_counted(tmp_path: Path) -> None:
    frames = np.minimum(TWO, 255).astype(np.uint8)
    frames[0, :4, :8] = 255
    dataset = two_frames()
    set_pixels(dataset, frames)
    found = read_counts(save(dataset, tmp_path / "x"), [0])
    assert found.saturated == pytest.approx((frames[0] == 255).mean())


def test_monochrome1_is_counts_unless_its_edge_is_bright(tmp_path: Path) -> None:
    plain = save(nm(COUNTS, PhotometricInterpretation="MONOCHROME1"), tmp_path / "plain")
    np.testing.assert_array_equal(read_counts(plain, [0]).image, COUNTS)
    inverted = (COUNTS.max() - COUNTS).astype(np.uint16)
    shown = save(nm(inverted, PhotometricInterpretation="MONOCHROME1"), tmp_path / "shown")
    np.testing.assert_array_equal(read_counts(shown, [0]).image, COUNTS)


def test_attributes_that_follow_from_others_may_be_missing(tmp_path: Path) -> None:
    dataset = nm(COUNTS, PixelRepresentation=None, HighBit=None, BitsStored=None)
    np.testing.assert_array_equal(counts(save(dataset, tmp_path / "x"), 0), COUNTS)


def test_more_pixels_than_declared_are_padding(tmp_path: Path) -> None:
    dataset = nm(COUNTS)
    dataset.PixelData += b"\0" * 500
    np.testing.assert_array_equal(counts(save(dataset, tmp_path / "x"), 0), COUNTS)


def test_a_codestream_larger_than_the_header_says_is_refused(tmp_path: Path) -> None:
    dataset = nm(COUNTS)
    dataset.compress(JPEG_2000, COUNTS, generate_instance_uid=False)
    dataset.Rows = 32
    path = tmp_path / "x"
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    with pytest.raises(PixelError):
        read_counts(path, [0])


@pytest.mark.parametrize("change", [{"Rows": 65_535, "Columns": 65_535}, {"BitsAllocated": 12}])
def test_what_can_not_be_decoded_gives_a_reason(tmp_path: Path, change: dict[str, int]) -> None:
    with pytest.raises(PixelError, match="pixels can't be"):
        read_counts(save(nm(COUNTS, **change), tmp_path / "x"), [0])


@pytest.mark.parametrize("factor", [2.0, 4.3, 13.7])
def test_counts_times_a_factor_are_recognized(tmp_path: Path, factor: float) -> None:
    counts = neck(64, 4.0)
    assert not read_counts(save(nm(counts), tmp_path / "a"), [0]).stretched
    stretched = np.round(counts * factor).astype(np.uint16)
    assert read_counts(save(nm(stretched), tmp_path / "b"), [0]).stretched
    # A slope that undoes the factor is no display.
    back = nm(stretched, RescaleSlope=1 / factor, RescaleIntercept=0)
    assert not read_counts(save(back, tmp_path / "c"), [0]).stretched


@pytest.mark.parametrize("total", [500, 20_000, 2_000_000])
@pytest.mark.parametrize("background", [0.0, 0.04, 2.0])
def test_counts_of_any_patient_are_counts(tmp_path: Path, total: float, background: float) -> None:
    counts = neck(128, 2.4, total=total, background=background, lobes=(2.0, 0.5))
    assert not read_counts(save(nm(counts), tmp_path / "a"), [0]).stretched


@pytest.mark.parametrize("intercept", [1000, -200])
def test_an_intercept_that_moves_counts_away_from_zero(tmp_path: Path, intercept: float) -> None:
    dataset = nm(neck(64, 4.0), RescaleSlope=1, RescaleIntercept=intercept)
    with pytest.raises(PixelError, match="rescale intercept"):
        read_counts(save(dataset, tmp_path / "a"), [0])


def test_an_intercept_that_brings_stored_values_back_to_counts(tmp_path: Path) -> None:
    counts = neck(64, 4.0)
    dataset = nm((counts + 1000).astype(np.uint16), RescaleSlope=1, RescaleIntercept=-1000)
    assert (read_counts(save(dataset, tmp_path / "a"), [0]).image == counts).all()
    dataset = nm(counts, RescaleSlope=1, RescaleIntercept=2)
    assert (read_counts(save(dataset, tmp_path / "b"), [0]).image == counts + 2).all()


@pytest.mark.parametrize(("background", "peak"), [(0.05, 3.0), (0.3, 20.0), (1.0, 50.0)])
def test_few_counts_times_a_factor_are_recognized(
    tmp_path: Path, background: float, peak: float
) -> None:
    x = np.linspace(-1, 1, 64)
    mean = background + peak * np.exp(-((x[:, None] / 0.3) ** 2) - (x[None, :] / 0.3) ** 2)
    counts = np.random.default_rng(6).poisson(mean).astype(np.uint16)
    assert not read_counts(save(nm(counts), tmp_path / "a"), [0]).stretched
    assert read_counts(save(nm(2 * counts), tmp_path / "b"), [0]).stretched


def test_an_overlay_in_the_high_bits_is_no_count(tmp_path: Path) -> None:
    counts = np.minimum(neck(64, 4.0), 4095)
    drawn = counts.copy()
    drawn[10:20, 10] |= 0x8000
    dataset = nm(drawn, BitsStored=12, HighBit=11)
    with pytest.raises(PixelError, match="larger than the stored bits"):
        read_counts(save(dataset, tmp_path / "a"), [0])
    dataset.add_new((0x6000, 0x0102), "US", 15)
    assert (read_counts(save(dataset, tmp_path / "b"), [0]).image == counts).all()
