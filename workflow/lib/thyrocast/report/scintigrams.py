"""Small pictures of scintigrams, for the internal page only."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

#: Smallest side (pixels) and JPEG quality of a picture.
PIXELS, QUALITY = 96, 70
#: Quantile of the pixels that is shown in white.
WHITE = 0.999


@dataclass(frozen=True)
class Scintigrams:
    """The standardized images of a cohort.

    Attributes
    ----------
    path
        images.npy, (n, size, size).
    rows
        Row of each patient in it.
    """

    path: Path
    rows: Mapping[str, int] = field(repr=False)

    def picture(self, patient: str) -> str:
        """Draw a patient's scintigram, square roots in gray, as a data URL."""
        images = np.load(self.path, mmap_mode="r", allow_pickle=False)
        root = np.sqrt(np.maximum(images[self.rows[patient]], 0))
        gray = np.clip(root / max(float(np.quantile(root, WHITE)), 1e-12), 0, 1)
        drawn = Image.fromarray((255 * gray).round().astype(np.uint8))
        factor = -(-PIXELS // drawn.width)
        if factor > 1:
            drawn = drawn.resize((factor * drawn.width,) * 2, Image.Resampling.NEAREST)
        drawn.thumbnail((2 * PIXELS, 2 * PIXELS))
        buffer = io.BytesIO()
        drawn.save(buffer, "JPEG", quality=QUALITY, optimize=True)
        return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
