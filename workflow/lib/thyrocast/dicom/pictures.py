"""Grey-scale PNG and TIFF files that a center exported in place of DICOM."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thyrocast.dicom.header import Record

ENDINGS = {".png", ".tif", ".tiff"}
# Stands where DICOM files have their SOP class.
EXPORT = "export"
_GREY = {"L", "I", "I;16", "I;16B", "F"}


def is_picture(path: str | Path) -> bool:
    """Whether a file is a picture by its ending."""
    return Path(path).suffix.lower() in ENDINGS


def read_record(path: str | Path) -> Record:
    """What a picture's name and header say, as `header.read_header` would of a DICOM file.

    The patient's identifier is the name up to the first ``__``, or without its ending.
    """
    # Imported here: few centers export pictures.
    from PIL import Image as Pictures

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pictures.DecompressionBombWarning)
            with Pictures.open(path) as picture:
                columns, rows = picture.size
                grey = picture.mode in _GREY
                frames = getattr(picture, "n_frames", 1)
    except Exception as error:  # noqa: BLE001 - decoders raise anything on hostile input
        return {"reason": f"unreadable picture ({type(error).__name__})"}
    return {
        "SOPClassUID": EXPORT,
        "PatientID": Path(path).stem.split("__")[0],
        "Rows": rows,
        "Columns": columns,
        "NumberOfFrames": frames,
        "SamplesPerPixel": 1 if grey else 3,
        "BitsAllocated": 16,
        "PixelBytes": -1,
    }


def read_picture(path: str | Path, max_pixels: int) -> NDArray[np.float64]:
    """Grey values of a picture (rows, columns).

    Raises
    ------
    Exception
        If it can't be decoded or is larger than ``max_pixels``.
    """
    from PIL import Image as Pictures

    with Pictures.open(path) as picture:
        if picture.size[0] * picture.size[1] > max_pixels or picture.mode not in _GREY:
            raise ValueError("size or mode")
        values: Any = np.asarray(picture, dtype=np.float64)
    return np.array(values)
