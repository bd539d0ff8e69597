"""Images of which networks see a part only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from thyrocast import fileio
from thyrocast.contract.control_names import Control, ImagePart
from thyrocast.controls.pictures import NoBackgroundError, Pictures, background_of
from thyrocast.errors import InputError

#: Images that are in memory at once.
CHUNK = 256


def hide(
    images: Path, masks: Path, part: ImagePart, field_mm: float, shown: Path, known: Path
) -> None:
    """Write the cohort's images with one part only, and masks for the networks' augmentation.

    Parameters
    ----------
    images, masks
        images.npy and masks.npy of the cohort, (n, size, size).
    part
        What remains.
    field_mm : float
        Side of an image.
    shown, known
        Files to write. Without gland, the masks are empty: the counts of a pixel, which the augmentation uses, are
        derived from the counts in the gland.

    Raises
    ------
    InputError
        If the glands of all patients together cover the image.

    Notes
    -----
    Where the gland is missing, images were divided by a mean of what remains, as the scale of an image depends on
    its gland. The median of these means over the cohort is the unit again, so that a pretrained network sees values
    like those it knows. Neither this constant nor the background, which is outside of everybody's gland, depends on an outcome.
    """
    every = np.load(images, mmap_mode="r", allow_pickle=False)
    glands = np.load(masks, mmap_mode="r", allow_pickle=False)
    pixel_mm = field_mm / every.shape[-1]
    anybody = np.zeros(every.shape[1:], dtype=bool)
    chunks = [slice(start, start + CHUNK) for start in range(0, len(every), CHUNK)]
    for chunk in chunks:
        anybody |= (np.asarray(glands[chunk]) > 0).any(axis=0)
    background = background_of(anybody, pixel_mm)
    levels: list[float] = []
    with fileio.atomic(shown) as temporary:
        written = open_memmap(temporary, mode="w+", dtype=np.float32, shape=every.shape)
        for chunk in chunks:
            own = np.asarray(glands[chunk]) > 0
            pictures = Pictures(np.asarray(every[chunk]), own, background, pixel_mm)
            try:
                written[chunk], level = pictures.only(Control(part.value))
            except NoBackgroundError as error:
                raise InputError(
                    f"key controls.networks.parts: {error}, so that no background remains: remove {part.value}"
                ) from None
            levels += level.tolist()
        unit = float(np.median(levels)) if levels else 1.0
        for chunk in chunks:
            written[chunk] *= unit
        written.flush()
        del written
    kept = glands if part is ImagePart.GLAND_ALONE else np.zeros_like(glands)
    with fileio.atomic(known) as temporary, temporary.open("wb") as file:
        np.save(file, kept)
