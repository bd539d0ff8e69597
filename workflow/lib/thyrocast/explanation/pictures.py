"""Pictures of maps: the scintigram in gray, the map in color, the outline of the gland."""

import math

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Smallest side of an overlay, pixels.
OVERLAY_PIXELS = 256
#: Opacity of the overlay where the map is 1.
OPACITY = 0.7
#: Quantile of the pixels that is shown in white.
WHITE = 0.999


def overlay(
    image: NDArray[np.float32], heat: NDArray[np.float32], gland: NDArray[np.bool_]
) -> Image.Image:
    """Draw a map in viridis over the scintigram in gray, with the gland's outline in white.

    The lower the map, the more of the scintigram is visible. Both are enlarged to at least
    `OVERLAY_PIXELS`, the scintigram without interpolation.

    Parameters
    ----------
    image, heat, gland
        (size, size) scintigram, map and mask of the gland.
    """
    factor = max(1, math.ceil(OVERLAY_PIXELS / image.shape[-1]))
    side = factor * image.shape[-1]
    root = np.sqrt(np.maximum(image, 0))
    gray = np.clip(root / max(float(np.quantile(root, WHITE)), 1e-12), 0, 1)
    base = np.kron(gray, np.ones((factor, factor)))[..., None]
    smooth = Image.fromarray(heat.astype(np.float32)).resize(
        (side, side), Image.Resampling.BILINEAR
    )
    strength = np.clip(np.asarray(smooth), 0, 1)
    colors = matplotlib.colormaps["viridis"](strength)[..., :3]
    opacity = OPACITY * strength[..., None]
    blended = (1 - opacity) * base + opacity * colors
    blended[_outline(np.kron(gland, np.ones((factor, factor))) > 0)] = 1.0
    return Image.fromarray((blended * 255).round().astype(np.uint8))


def _outline(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mask of the pixels of a region that are adjacent to pixels outside it."""
    padded = np.pad(region, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return region & ~core
