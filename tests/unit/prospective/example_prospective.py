"""Rows of the private table of a prospective center, and pictures of its patients."""

import io as streams
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from thyrocast.contract import io
from thyrocast.contract.deployment import PROSPECTIVE

HASH = "0123456789ab" + "c" * 52


def rows(**changes: object) -> pd.DataFrame:
    """One patient, two models."""
    cells: dict[str, object] = {
        "patient": "west-0123456789ab",
        "identifier": "MRN4711",
        "center": "west",
        "scan_date": "2026-02-27",
        "predicted_at": "2026-03-01T10:00:00Z",
        "locked_model": HASH,
        "model": ["network", "signature"],
        "main": [False, True],
        "probability": [1 / 3, 0.734],
        "threshold": [0.6, 0.55],
        "called_cured": [False, True],
        "p_not_cured": [0.4, 0.05],
        "p_cured": [0.05, 0.6],
        "prediction": ["not_cured", "cured"],
        "members_agree": [1.0, 0.8],
        "disagrees": [True, False],
        "distance": 0.5,
        "acquisition": "",
        "outside": False,
        "quality": "",
        "clinical_changed": False,
    }
    return io.conform(PROSPECTIVE, pd.DataFrame(cells | changes, index=[0, 1]))


def picture(side: int = 256) -> bytes:
    """A picture like those of the maps, as PNG."""
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    output = streams.BytesIO()
    Image.fromarray(pixels).save(output, "PNG")
    return output.getvalue()


def pictures(folder: Path) -> Path:
    """A folder with the picture of the patient."""
    folder.mkdir()
    (folder / "west-0123456789ab.png").write_bytes(picture())
    return folder
