"""Find the regions of uptake on an anterior scintigram.

A region is the basin of one maximum of the smoothed image, cut at a fraction of its own height, so
that a hot nodule does not hide the rest of the gland.

Constants without another source were chosen on the simulated glands of tests/unit/image/test_image.py.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

Image = NDArray[np.float64]
Labels = NDArray[np.int32]

#: Fraction of a region's height over background at which its edge is drawn. 0.5 would be the
#: edge of a flat object after any blurring, but a lobe becomes thinner toward its edge.
EDGE = 0.35
#: Smallest area of a region, cm².
SMALLEST_CM2 = 1.0
#: Pixels below this fraction of the maximum contain air, not tissue.
AIR = 0.02
#: If tissue fills at most this fraction of the image, the background is the median of all pixels.
TISSUE_SHARE = 0.2
#: Least ratio of the maximum to the background.
CONTRAST = 1.3
#: Smallest distance between two maxima, and from a maximum to the edge of the image, mm.
PEAK_DISTANCE_MM = 8
#: Smallest height of a maximum over background, as a fraction of the highest one.
PEAK_HEIGHT = 0.08
#: Pixels below this fraction of the highest maximum over background belong to no basin.
BASIN_HEIGHT = 0.04
#: Most maxima that are used, the highest first.
MOST_PEAKS = 24
#: Basins are joined if the ridge between them has at least this fraction of the lower one's height.
RIDGE = 0.6


@dataclass(frozen=True)
class Region:
    """One region of uptake.

    Attributes
    ----------
    label
        Number of the region in the image of labels.
    row, column
        Centroid, weighted by counts over background, mm from the upper left corner.
    area
        Area, cm².
    counts
        Sum over background.
    height
        Maximum over background, counts per pixel.
    """

    label: int
    row: float
    column: float
    area: float
    counts: float
    height: float


def background_level(smooth: Image) -> float:
    """Return counts per pixel of the background: the tissue's median in a smoothed image (H, W)."""
    tissue = smooth[smooth > AIR * smooth.max()]
    enough = tissue.size > TISSUE_SHARE * smooth.size
    return float(np.median(tissue if enough else smooth))


def find_regions(smooth: Image, floor: float, grid_mm: float) -> tuple[Labels, list[Region]]:
    """Find the regions of uptake.

    Parameters
    ----------
    smooth
        (H, W) smoothed counts on square pixels.
    floor
        Background, counts per pixel.
    grid_mm
        Side of a pixel, mm.

    Returns
    -------
    labels : ndarray
        (H, W) number of each pixel's region, 0 for none; regions that are too small are included.
    regions : list of Region
        The regions of at least `SMALLEST_CM2`.
    """
    nothing = np.zeros(smooth.shape, np.int32)
    top = float(smooth.max())
    if top <= 0 or top < CONTRAST * floor:
        return nothing, []
    distance = max(int(PEAK_DISTANCE_MM / grid_mm), 1)
    peaks = peak_local_max(  # type: ignore[no-untyped-call]  # scikit-image has no types
        smooth,
        min_distance=distance,
        threshold_abs=floor + PEAK_HEIGHT * (top - floor),
        exclude_border=distance,
        num_peaks=MOST_PEAKS,
    )
    if not len(peaks):
        return nothing, []
    labels = _basins(smooth, peaks, floor, top)
    boxes = enumerate(ndimage.find_objects(labels), 1)
    found = (_measure(smooth, labels, n, box, floor, grid_mm) for n, box in boxes if box)
    return labels, [region for region in found if region]


def _basins(smooth: Image, peaks: NDArray[np.int64], floor: float, top: float) -> Labels:
    """Return the basins of the maxima, cut at a fraction of their heights; join adjacent ones."""
    markers = np.zeros(smooth.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    uptake = smooth > floor + BASIN_HEIGHT * (top - floor)
    basins = watershed(-smooth, markers, mask=uptake)  # type: ignore[no-untyped-call]  # scikit-image has no types
    heights = np.concatenate([[np.inf], smooth[tuple(peaks.T)]])
    inside = smooth >= floor + EDGE * (heights[basins] - floor)
    labels = np.where(inside, basins, 0).astype(np.int32)
    return _join(labels, smooth, heights, floor)


def _measure(
    smooth: Image,
    labels: Labels,
    label: int,
    box: tuple[slice, slice],
    floor: float,
    grid_mm: float,
) -> Region | None:
    inside = labels[box] == label
    net = np.where(inside, smooth[box] - floor, 0.0)
    total = net.sum()
    area = inside.sum() * grid_mm**2 / 100
    if total <= 0 or area < SMALLEST_CM2:
        return None
    rows = (np.arange(box[0].start, box[0].stop) + 0.5) * grid_mm
    columns = (np.arange(box[1].start, box[1].stop) + 0.5) * grid_mm
    return Region(
        label,
        float(net.sum(1) @ rows / total),
        float(net.sum(0) @ columns / total),
        float(area),
        float(total),
        float(smooth[box][inside].max() - floor),
    )


def _join(labels: Labels, smooth: Image, heights: Image, floor: float) -> Labels:
    """Join basins that touch at a ridge nearly as high as the lower of the two maxima."""
    parent = list(range(len(heights)))

    def root(label: int) -> int:
        while parent[label] != label:
            label = parent[label]
        return label

    ridges: dict[tuple[int, int], float] = {}
    for here, there, low in (
        (labels[:-1], labels[1:], np.minimum(smooth[:-1], smooth[1:])),
        (labels[:, :-1], labels[:, 1:], np.minimum(smooth[:, :-1], smooth[:, 1:])),
    ):
        touch = (here != there) & (here > 0) & (there > 0)
        for a, b, height in zip(here[touch], there[touch], low[touch], strict=True):
            pair = (min(a, b), max(a, b))
            ridges[pair] = max(ridges.get(pair, 0.0), float(height))
    for (a, b), height in ridges.items():
        if height - floor >= RIDGE * (min(heights[a], heights[b]) - floor):
            parent[root(int(a))] = root(int(b))
    return np.array([root(label) for label in range(len(heights))], np.int32)[labels]
