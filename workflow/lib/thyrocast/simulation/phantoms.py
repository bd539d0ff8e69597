"""Endless simulated scintigrams with the truth about them, for the training of networks; no DICOM.

A random scene is seen by a random camera: any pixel size, field, resolution, scatter, number of counts,
position, and sometimes a pinhole, a picture with clipped gray values or a subtracted background.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thyrocast.simulation import scene as scenes
from thyrocast.simulation import solid
from thyrocast.simulation.bodies import Part, Values, texture
from thyrocast.simulation.kinds import THYROIDS, Generator, Kind, log_uniform
from thyrocast.simulation.scene import Scene

#: Attenuation of 140 keV photons in soft tissue without build-up, per mm.
ATTENUATION_PER_MM = 0.0150
#: Largest field, mm: that of a network's window.
FIELD_MM = 320.0
FWHM_TO_SD = 1.0 / 2.354820045
#: Least smoothed contrast and net counts of a gland that a reader could be expected to see.
VISIBLE_CONTRAST, VISIBLE_COUNTS = 0.25, 400.0


@dataclass(frozen=True)
class Camera:
    """A camera and one acquisition.

    Attributes
    ----------
    pixel_mm
        Side of a pixel, mm.
    rows, columns
        Pixels of the matrix.
    x, y
        Position of the isthmus in the field, mm right and down of its middle.
    tilt
        Rotation of the patient, rad.
    fwhm_mm, tail, tail_mm
        Full width at half maximum of the resolution; share and standard deviation (mm) of the photons
        that penetrate the septa.
    scatter, scatter_mm
        Scattered photons per unscattered one, and standard deviation of their displacement, mm.
    counts
        Expected counts in the image.
    magnification
        1 for a parallel collimator; for a pinhole, whose image has no mm, the apparent size.
    levels
        Gray values are clipped there, as a share of the maximum; 1 if nothing is clipped.
    gray
        Gray values per count; 0 if the image has counts.
    subtracted
        Share of the background that the camera subtracted.
    """

    pixel_mm: float
    rows: int
    columns: int
    x: float
    y: float
    tilt: float
    fwhm_mm: float
    tail: float
    tail_mm: float
    scatter: float
    scatter_mm: float
    counts: float
    magnification: float = 1.0
    levels: float = 1.0
    gray: float = 0.0
    subtracted: float = 0.0


@dataclass(frozen=True)
class Phantom:
    """A simulated image with its truth.

    Attributes
    ----------
    counts
        (rows, columns) on the camera's pixels.
    pixel_mm
        Side of a pixel, mm.
    right, left
        Outlines of the lobes on a grid of `grid_mm` with the same upper left corner: (H, W) bool.
    grid_mm
        Side of a pixel of the outlines.
    scene, camera
        What was drawn.
    visible
        Whether the gland is visible; None if a reader could not be sure.
    heterogeneity
        Coefficient of variation of the concentration in the gland: in its volume in a solid scene, otherwise
        over its outline.
    net_counts
        Expected counts from the gland.
    """

    counts: NDArray[np.float64]
    pixel_mm: float
    right: NDArray[np.bool_]
    left: NDArray[np.bool_]
    grid_mm: float
    scene: Scene
    camera: Camera
    visible: bool | None
    heterogeneity: float
    net_counts: float


def draw_camera(rng: Generator, kind: Kind) -> Camera:
    """Draw a camera and an acquisition."""
    pixel = log_uniform(rng, 1.1, 5.8)
    high = wide = rng.uniform(170, 420)
    if rng.random() < 0.35:
        high, wide = rng.uniform(170, 400), rng.uniform(170, 540)
    # The field of the simulation: a wider one is seen as a part, like a window of it.
    high, wide = min(high, FIELD_MM), min(wide, FIELD_MM)
    centered = rng.random() < 0.7
    free = 0.08 if centered else 0.24
    place = rng.normal(0, [free * wide, free * high])
    magnification = 1.0
    if kind in THYROIDS and rng.random() < 0.06:
        magnification, high, wide = rng.uniform(0.7, 1.8), 230.0, 230.0
        place = rng.normal(0, 8, 2)
    special = rng.random()
    return Camera(
        pixel_mm=pixel,
        rows=max(int(high / pixel), 16),
        columns=max(int(wide / pixel), 16),
        x=float(np.clip(place[0], -0.42 * wide, 0.42 * wide)),
        y=float(np.clip(place[1] + 0.04 * high, -0.42 * high, 0.42 * high)),
        tilt=rng.normal(0, 0.09),
        fwhm_mm=log_uniform(rng, 5, 21),
        tail=rng.uniform(0, 0.12) if rng.random() < 0.4 else 0.0,
        tail_mm=rng.uniform(8, 25),
        scatter=rng.uniform(0.05, 0.5),
        scatter_mm=rng.uniform(15, 45),
        counts=log_uniform(rng, 4e3, 3e4) if rng.random() < 0.15 else log_uniform(rng, 3e4, 3e6),
        magnification=magnification,
        levels=rng.uniform(0.25, 0.95) if special < 0.06 else 1.0,
        gray=log_uniform(rng, 0.02, 5) if special < 0.09 else 0.0,
        subtracted=rng.uniform(0.3, 1.2) if special > 0.96 else 0.0,
    )


def render(
    rng: Generator,
    scene: Scene | None = None,
    camera: Camera | None = None,
    *,
    grid_mm: float = 2.0,
) -> Phantom:
    """Render one image.

    Parameters
    ----------
    rng
        Random generator.
    scene, camera
        What is in front of which camera; drawn if None.
    grid_mm
        Pixels of the outlines, mm; the projection is computed on the same grid.
    """
    scene = scene or scenes.draw(rng)
    camera = camera or draw_camera(rng, scene.kind)
    size = (camera.rows * camera.pixel_mm, camera.columns * camera.pixel_mm)
    grid = (int(np.ceil(size[0] / grid_mm)), int(np.ceil(size[1] / grid_mm)))
    gland, other, right, left, heterogeneity = _project(scene, camera, grid, grid_mm, rng)
    down = _detector(camera, camera.rows, grid[0], grid_mm)
    across = _detector(camera, camera.columns, grid[1], grid_mm)
    shares = (1 - camera.tail, camera.tail, camera.scatter)
    layers = []
    for layer in (gland, other):
        spread = [s * (r @ layer @ c.T) for s, r, c in zip(shares, down, across, strict=True) if s]
        layers.append(np.sum(spread, axis=0))
    total = float(layers[0].sum() + layers[1].sum())
    scale = camera.counts / max(total, 1e-30)
    expected = np.maximum(scale * (layers[0] + layers[1]), 0.0)
    counts = rng.poisson(expected).astype(np.float64)
    net = scale * float(layers[0].sum())
    visible = _visible(scene, layers, scale, net, camera)
    counts = _picture(counts, scale * layers[1], camera)
    return Phantom(
        counts, camera.pixel_mm, right, left, grid_mm, scene, camera, visible, heterogeneity, net
    )


def _project(
    scene: Scene, camera: Camera, grid: tuple[int, int], grid_mm: float, rng: Generator
) -> tuple[Values, Values, NDArray[np.bool_], NDArray[np.bool_], float]:
    """Return activity of gland and of everything else, the lobes' outlines, and the heterogeneity."""
    zoom = camera.magnification
    step = grid_mm / zoom
    x = (
        (np.arange(grid[1]) + 0.5) * grid_mm - camera.columns * camera.pixel_mm / 2 - camera.x
    ) / zoom
    y = ((np.arange(grid[0]) + 0.5) * grid_mm - camera.rows * camera.pixel_mm / 2 - camera.y) / zoom
    x, y = x.astype(np.float32), y.astype(np.float32)
    gland = np.zeros(grid, np.float32)
    other = _tissue(scene, x, y, step, rng)
    sides = np.zeros((3, *grid), np.float32)
    for body in scene.bodies:
        if body.amount <= 0:
            continue
        placed = body.moved(0.0, 0.0, camera.tilt)
        box, path = placed.path(x, y)
        if not path.size:
            continue
        seen = np.float32(
            body.amount / body.volume * np.exp(-ATTENUATION_PER_MM * body.depth) * step**2
        )
        if body.part is Part.OTHER:
            other[box] += seen * path
            continue
        gland[box] += seen * path
        index = (Part.RIGHT, Part.LEFT, Part.MIDDLE).index(body.part)
        np.maximum(sides[index][box], path, out=sides[index][box])
    right, left = _sides(sides, x, y, camera.tilt)
    whole = right | left
    heterogeneity = 0.0
    if whole.any():
        if scene.solid:
            found = solid.uneven(scene, x, y, step, sides.max(0), rng)
            factor, heterogeneity = found.factor, found.volume
        else:
            factor = _uneven(scene, x, y, step, rng)
            inside = factor[whole]
            heterogeneity = float(inside.std() / max(inside.mean(), 1e-9))
        before = float(gland.sum())
        gland *= factor
        gland *= before / max(float(gland.sum()), 1e-30)
    return gland, other, right, left, heterogeneity


def _sides(
    sides: Values, x: Values, y: Values, tilt: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Divide the outline into lobes: isthmus and pyramid at the patient's midline."""
    midline = np.cos(tilt) * x[None, :] + np.sin(tilt) * y[:, None]
    right_lobe, left_lobe, middle = sides
    lobes = np.where(
        (right_lobe > 0) | (left_lobe > 0), right_lobe > left_lobe, np.less(midline, 0)
    )
    whole = (right_lobe > 0) | (left_lobe > 0) | (middle > 0)
    if not right_lobe.any() and not left_lobe.any() and middle.any():
        # A gland that did not descend is divided at its own middle.
        column = float((middle.sum(0) @ x) / middle.sum())
        lobes = np.broadcast_to(x[None, :] < column, whole.shape)
    return whole & lobes, whole & ~lobes


def _uneven(scene: Scene, x: Values, y: Values, step: float, rng: Generator) -> Values:
    """Return the relative concentration of the gland: smooth texture and nodules."""
    shape = (len(y), len(x))
    factor = np.ones(shape, np.float32)
    if scene.unevenness > 0.01:
        field = texture(max(shape), step, scene.texture_mm, rng)[: shape[0], : shape[1]]
        factor = np.exp(np.float32(scene.unevenness) * field)
    for fx, fy, size, gain in scene.foci:
        across = np.exp(-np.square((x - fx) / size) / 2)
        down = np.exp(-np.square((y - fy) / size) / 2)
        factor *= np.maximum(1 + np.float32(gain) * down[:, None] * across[None, :], 0.02)
    return factor


def _tissue(scene: Scene, x: Values, y: Values, step: float, rng: Generator) -> Values:
    """Return the activity per pixel in the body's soft tissue."""
    shape = (len(y), len(x))
    if scene.background <= 0:
        return np.zeros(shape, np.float32)
    neck, flare, rise = scene.body_width, rng.uniform(8, 25), rng.uniform(6, 14)
    half = neck + rng.uniform(80, 170) * _logistic((y - scene.shoulders) / flare)
    half += rng.uniform(-10, 28) * _logistic(-(scene.head + y) / rise)
    deep = np.minimum(half, neck + 45)
    middle = rng.normal(0, 4)
    inside = 1 - np.square((x[None, :] - middle) / half[:, None])
    thick = 2 * deep[:, None] * np.sqrt(np.maximum(inside, 0))
    seen = -np.expm1(-ATTENUATION_PER_MM * thick) / ATTENUATION_PER_MM
    field = texture(max(shape), step, rng.uniform(15, 60), rng)[: shape[0], : shape[1]]
    tissue = np.exp(np.float32(rng.uniform(0, 0.3)) * field)
    return np.asarray(scene.background * step**2 * seen * tissue, np.float32)


def _detector(camera: Camera, pixels: int, grid: int, grid_mm: float) -> list[Values]:
    """Return matrices (pixels, grid) of resolution, septal tail and scatter with the pixels' area."""
    edges = np.arange(pixels + 1) * camera.pixel_mm
    points = (np.arange(grid) + 0.5) * grid_mm
    distance = (edges[:, None] - points[None, :]).astype(np.float32)
    found = []
    for sd in (camera.fwhm_mm * FWHM_TO_SD, camera.tail_mm, camera.scatter_mm):
        # The logistic function is close to the normal distribution; its tails are a little longer.
        found.append(np.diff(_logistic(1.702 / sd * distance), axis=0))
    return found


def _logistic(value: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -60, 60))))


def _visible(
    scene: Scene, layers: list[Values], scale: float, net: float, camera: Camera
) -> bool | None:
    if scene.kind not in THYROIDS:
        return False
    gland, other = layers
    if net < VISIBLE_COUNTS:
        return None
    inside = gland > 0.3 * gland.max()
    contrast = float(gland[inside].mean() / max(float(other[inside].mean()), 1e-30))
    shares = float(gland.sum()) * np.exp(ATTENUATION_PER_MM * 25) / max(scene.uptake, 1e-9)
    in_field = shares / (1 + camera.scatter)
    background = scale * float(other[inside].sum())
    clear = net / np.sqrt(net + background + 1.0)
    if contrast > VISIBLE_CONTRAST and clear > 12 and in_field > 0.3:
        return True
    return None


def _picture(counts: NDArray[np.float64], other: Values, camera: Camera) -> NDArray[np.float64]:
    if camera.subtracted:
        counts = np.maximum(counts - camera.subtracted * float(np.median(other)), 0.0)
    if camera.levels < 1:
        counts = np.minimum(counts, np.ceil(camera.levels * counts.max()))
    if camera.gray:
        counts = np.round(counts * camera.gray)
    return counts


def regrid(
    counts: NDArray[np.float64], pixel_mm: float, grid_mm: float, grid: tuple[int, int]
) -> Values:
    """Resample counts (R, C) to pixels of `grid_mm` (rows, columns), linearly in cumulative counts."""
    found = counts.astype(np.float32)
    for axis in (0, 1):
        old = np.arange(counts.shape[axis] + 1) * pixel_mm
        new = np.arange(grid[axis] + 1) * grid_mm
        overlap = np.minimum(old[None, 1:], new[1:, None]) - np.maximum(
            old[None, :-1], new[:-1, None]
        )
        share = (np.maximum(overlap, 0) / pixel_mm).astype(np.float32)
        found = share @ found if axis == 0 else found @ share.T
    return np.asarray(found)
