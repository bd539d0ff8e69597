"""Small nuclear-medicine files, made for single tests."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.config.image import ImageConfig
from thyrocast.config.reading import read_block
from thyrocast.dicom.frames import FileVerdict, confirm, judge
from thyrocast.dicom.header import read_header
from thyrocast.dicom.pixels import read_frames

NM = "1.2.840.10008.5.1.4.1.1.20"
SC = "1.2.840.10008.5.1.4.1.1.7"
VECTOR_TAGS = {"EnergyWindowVector": 0x00540010, "DetectorVector": 0x00540020}


def center(**changes: Any) -> CenterConfig:
    """A center's block with its defaults; blocks within it are changed key by key."""
    block: dict[str, Any] = {
        "name": "north",
        "role": "development",
        "dicom": "dicom",
        "clinical": "table.csv",
        "columns": {"patient": "id", "outcome": "result"},
        "outcome": {"rule": "given", "cured": ["yes"], "not_cured": ["no"]},
    }
    block |= changes
    block = {key: value for key, value in block.items() if value is not None}
    return read_block(CenterConfig, block)


def cohort(**changes: Any) -> CohortConfig:
    """The cohort's block with its defaults."""
    return read_block(CohortConfig, changes)


def image(**changes: Any) -> ImageConfig:
    """The image's block with its defaults."""
    return read_block(ImageConfig, changes)


def code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    """An item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


ANTERIOR = code("399321004", "Anterior projection")
POSTERIOR = code("399001007", "Posterior projection")
TC99M = code("72454006", "^99m^Technetium")
IODINE123 = code("21572004", "^123^Iodine")
IODINE131 = code("1368003", "^131^Iodine")


def detector(view: Dataset | None = None, **elements: Any) -> Dataset:
    """An item of DetectorInformationSequence."""
    item = Dataset()
    item.CollimatorType = "PARA"
    if view is not None:
        item.ViewCodeSequence = Sequence([view])
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def window(low: float, high: float) -> Dataset:
    """An item of EnergyWindowInformationSequence, limits in keV."""
    limits, item = Dataset(), Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = low, high
    item.EnergyWindowRangeSequence = Sequence([limits])
    return item


def nm(
    pixels: NDArray[Any] | None = None,
    detectors: list[Dataset] | None = None,
    windows: list[Dataset] | None = None,
    radionuclide: Dataset | None = TC99M,
    **elements: Any,
) -> Dataset:
    """An NM object; ``elements`` are set last, those that are None are deleted."""
    frames = np.atleast_3d(neck() if pixels is None else pixels)
    if pixels is None or pixels.ndim == 2:
        frames = (neck() if pixels is None else pixels)[None]
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = NM, generate_uid(), "NM"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID, dataset.PatientName = "1", "Doe^Jane"
    dataset.PatientBirthDate, dataset.PatientSex = "19800101", "F"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]
    dataset.StudyDate = dataset.AcquisitionDate = "20200103"
    dataset.StudyTime = dataset.AcquisitionTime = "101500"
    dataset.Manufacturer, dataset.ManufacturerModelName = "SIEMENS NM", "Symbia Intevo"
    dataset.ActualFrameDuration = 300_000
    drug = Dataset()
    drug.RadionuclideTotalDose, drug.RadiopharmaceuticalStartTime = 74.0, "100000"
    if radionuclide is not None:
        drug.RadionuclideCodeSequence = Sequence([radionuclide])
    dataset.RadiopharmaceuticalInformationSequence = Sequence([drug])
    items = [detector(ANTERIOR)] if detectors is None else detectors
    ranges = [window(126, 154)] if windows is None else windows
    count = len(frames)
    dataset.NumberOfFrames = count
    dataset.FrameIncrementPointer = list(VECTOR_TAGS.values())
    dataset.DetectorInformationSequence, dataset.NumberOfDetectors = Sequence(items), len(items)
    dataset.EnergyWindowInformationSequence = Sequence(ranges)
    dataset.NumberOfEnergyWindows = len(ranges)
    dataset.DetectorVector = [min(n, len(items) - 1) + 1 for n in range(count)]
    dataset.EnergyWindowVector = [1] * count
    dataset.PixelSpacing = [2.0, 2.0]
    set_pixels(dataset, frames)
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def set_pixels(dataset: Dataset, frames: NDArray[Any]) -> None:
    """Put frames (n, rows, columns) of unsigned or signed integers into an object."""
    bits = frames.dtype.itemsize * 8
    dataset.Rows, dataset.Columns = frames.shape[1:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(frames.dtype.kind == "i")
    dataset.PixelData = frames.tobytes()


def save(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write an object as a file, uncompressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


@functools.cache
def neck(
    size: int = 128,
    pixel_mm: float = 2.0,
    lobes: tuple[float, float] = (1.0, 1.0),
    salivary: float = 0.15,
    background: float = 0.04,
    total: float = 400_000,
    shift: tuple[float, float] = (0.0, 0.0),
    seed: int | None = 1,
) -> NDArray[np.uint16]:
    """Counts of a neck: two lobes with an isthmus, salivary glands, soft tissue, blurred.

    ``lobes`` are the densities of the right and left lobe; ``shift`` moves the gland (down and
    right) in mm; ``seed`` None leaves out the noise.
    """
    from scipy import ndimage

    fine = 4
    step = pixel_mm / fine
    axis = (np.arange(size * fine) + 0.5) * step - size * pixel_mm / 2
    y, x = np.meshgrid(axis - shift[0], axis - shift[1], indexing="ij")

    def ellipsoid(row: float, column: float, tall: float, wide: float) -> NDArray[Any]:
        inside = 1 - ((y - row) / tall) ** 2 - ((x - column) / wide) ** 2
        return np.sqrt(np.maximum(inside, 0.0))

    density = background * (np.abs(x) < 65)
    density = density + lobes[0] * ellipsoid(0, -17, 28, 13) + lobes[1] * ellipsoid(0, 17, 28, 13)
    density = density + 0.3 * min(lobes) * ellipsoid(12, 0, 8, 14)
    for side in (-1, 1):
        density = density + salivary * ellipsoid(-85, 27 * side, 11, 14)
    density = ndimage.gaussian_filter(density, 3.4 / step)
    counts = density.reshape(size, fine, size, fine).sum((1, 3))
    counts *= total / counts.sum()
    if seed is None:
        return np.round(counts).astype(np.uint16)
    return np.random.default_rng(seed).poisson(counts).astype(np.uint16)


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    """A comma-separated clinical table."""
    header = list(rows[0])
    lines = [",".join(header), *(",".join(row[name] for name in header) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def judged(tmp_path: Path, dataset: Dataset, **changes: Any) -> FileVerdict:
    """What the header of a file says, for a center with ``changes`` in its block."""
    return judge(read_header(save(dataset, tmp_path / "scan")), center(**changes), cohort())


def confirmed(tmp_path: Path, dataset: Dataset, **changes: Any) -> FileVerdict:
    """The same, after a look at the pixels."""
    found = judged(tmp_path, dataset, **changes)
    return confirm(found, lambda frames: read_frames(tmp_path / "scan", 10**6, frames))
