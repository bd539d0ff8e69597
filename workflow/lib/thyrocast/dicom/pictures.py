"""Gray-scale PNG and TIFF files that a center exported instead of DICOM."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thyrocast.dicom.elements import Header

SUFFIXES = {".png", ".tif", ".tiff"}
# Value of SOPClassUID for such a file.
EXPORT = "export"
_GRAY = {"L", "I", "I;16", "I;16B", "F"}


def is_picture(path: str | Path) -> bool:
    """Return whether a file is a picture, by its suffix."""
    return Path(path).suffix.lower() in SUFFIXES


def read_picture_header(path: str | Path) -> Header:
    """Read what a picture's name and header contain, as `header.read_header` does for DICOM.

    The patient's identifier is the name up to the first ``__``, or without its suffix.
    """
    # Imported here: few centers export pictures.
    from PIL import Image as Pictures

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pictures.DecompressionBombWarning)
            with Pictures.open(path) as picture:
                columns, rows = picture.size
                gray = picture.mode in _GRAY
                frames = getattr(picture, "n_frames", 1)
    except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile input
        return Header(reason=f"unreadable picture ({type(error).__name__})")
    values: dict[str, str | int] = {
        "SOPClassUID": EXPORT,
        "PatientID": Path(path).stem.split("__")[0],
        "Rows": rows,
        "Columns": columns,
        "NumberOfFrames": frames,
        "SamplesPerPixel": 1 if gray else 3,
        "BitsAllocated": 16,
    }
    return Header(values, pixel_bytes=-1)


def read_picture(path: str | Path, max_pixels: int) -> NDArray[np.float64]:
    """Return the gray values of a picture, (rows, columns).

    Raises
    ------
    Exception
        If it can't be decoded, is larger than `max_pixels` or is not gray.
    """
    from PIL import Image as Pictures

    with Pictures.open(path) as picture:
        if picture.size[0] * picture.size[1] > max_pixels or picture.mode not in _GRAY:
            raise ValueError("size or mode")
        values: Any = np.asarray(picture, dtype=np.float64)
    return np.array(values)
