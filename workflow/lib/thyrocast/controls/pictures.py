"""Parts of the standardized images as numbers: what a ridge regression can learn from without a network."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from thyrocast.contract.control_names import Control

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

#: Blocks per side, whose mean intensities are the features.
BLOCKS = 12
#: What is left out around the gland of any patient.
MARGIN_MM = 10.0
#: Smallest share of the image that must be outside of everybody's gland.
LEAST_BACKGROUND = 0.05
#: Side of the marker that is planted.
MARKER_MM = 20.0


class NoBackgroundError(ValueError):
    """Raised if the glands of all patients together cover the image."""


@dataclass(frozen=True)
class Pictures:
    """Images and glands of some patients.

    Attributes
    ----------
    images : ndarray, (n, size, size)
        As in ``images.npy``.
    glands : ndarray of bool, (n, size, size)
    background : ndarray of bool, (size, size)
        Pixels that are far enough from the gland of every patient.
    pixel_mm : float
    """

    images: NDArray[np.float32] = field(repr=False)
    glands: Mask = field(repr=False)
    background: Mask = field(repr=False)
    pixel_mm: float

    def part(self, control: Control) -> Array:
        """Features (n, blocks²) of a part of every image: means of its blocks.

        Parameters
        ----------
        control
            As in `only`.

        Raises
        ------
        NoBackgroundError
            If ``background_alone`` has too few pixels.
        """
        used = np.ones_like(self.background)
        if control is Control.BACKGROUND_ALONE:
            used = self.background
        return _blocks(self.only(control)[0], used)

    def only(self, control: Control) -> tuple[Array, Array]:
        """Every image with only a part of it, and what it was divided by.

        Parameters
        ----------
        control
            ``whole_image``; ``gland_alone``, with 0 outside; ``gland_masked``, with the mean of the
            surroundings in place of the gland, whose outline remains visible; or
            ``background_alone``, in the region where no patient has gland. The last two are divided
            by their mean, since the scale of an image depends on its gland.

        Returns
        -------
        images : ndarray, (n, size, size)
        level : ndarray, (n,)
            1 for ``whole_image`` and ``gland_alone``, which are as they are.

        Raises
        ------
        NoBackgroundError
            If ``background_alone`` has too few pixels.
        """
        images = self.images.astype(np.float64)
        if control is Control.WHOLE_IMAGE:
            return images, np.ones(len(images))
        if control is Control.GLAND_ALONE:
            return images * self.glands, np.ones(len(images))
        if control is Control.GLAND_MASKED:
            outside = (images * ~self.glands).sum(axis=(1, 2)) / (~self.glands).sum(axis=(1, 2))
            level = outside[:, None, None]
            masked = np.where(self.glands, level, images)
            return _divided(masked, level), outside
        if self.background.mean() < LEAST_BACKGROUND:
            raise NoBackgroundError("the glands of all patients together cover the image")
        middle = images[:, self.background].mean(axis=1)
        return _divided(images, middle[:, None, None]) * self.background, middle

    def marked(self, patients: Mask) -> Pictures:
        """A copy with a marker, as intense as the gland, in the background of some patients.

        Parameters
        ----------
        patients : ndarray of bool, (n,)
        """
        side = max(1, round(MARKER_MM / self.pixel_mm))
        # The part of the background that is farthest from everybody's gland.
        depth = ndimage.distance_transform_edt(np.pad(self.background, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        place = tuple(
            slice(max(0, middle - side // 2), middle - side // 2 + side) for middle in (row, column)
        )
        images = self.images.copy()
        for number in np.flatnonzero(patients):
            gland = self.glands[number]
            level = images[number][gland].mean() if gland.any() else images[number].max()
            images[number][place] += level
        return Pictures(images, self.glands, self.background, self.pixel_mm)


def take(
    images: NDArray[np.float32], masks: NDArray[np.uint8], rows: Rows, pixel_mm: float
) -> Pictures:
    """Images of some patients.

    Parameters
    ----------
    images, masks : ndarray, (N, size, size)
        ``images.npy`` and ``masks.npy`` of the cohort, memory-mapped.
    rows : ndarray of int, (n,)
        Rows of the patients.
    pixel_mm : float
        Pixel size of the images.
    """
    glands = np.asarray(masks[rows]) > 0
    background = background_of(np.asarray(glands.any(axis=0)), pixel_mm)
    return Pictures(np.asarray(images[rows], dtype=np.float32), glands, background, pixel_mm)


def background_of(anybody: Mask, pixel_mm: float) -> Mask:
    """Pixels (size, size) that are `MARGIN_MM` from those where anybody has gland."""
    reach = max(1, round(MARGIN_MM / pixel_mm))
    return ~np.asarray(ndimage.binary_dilation(anybody, iterations=reach), dtype=bool)


def _divided(images: Array, level: Array) -> Array:
    return images / np.where(level > 0, level, 1.0)


def _blocks(images: Array, used: Mask) -> Array:
    """Mean of the used pixels (size, size) of each block, (n, blocks²); 0 for a block without any."""
    size = images.shape[-1]
    edges = np.linspace(0, size, min(BLOCKS, size) + 1).round().astype(int)[:-1]

    def totals(values: Array) -> Array:
        return np.add.reduceat(np.add.reduceat(values, edges, axis=-2), edges, axis=-1)

    counts = totals(used.astype(np.float64))
    means = totals(images * used) / np.maximum(counts, 1)
    return np.asarray(means.reshape(len(images), -1))
