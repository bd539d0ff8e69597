"""A gamma camera: projection with attenuation, point spread, scatter, decay and counting noise.

Projections of ellipsoids are closed formulas, so that a view takes milliseconds; the point-spread
function is a sum of two separable Gaussians (Cherry, Sorenson, Phelps, Physics in
Nuclear Medicine, 4th ed., ch. 14-15).
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from thyrocast.contract.names import View
from thyrocast.simulation.anatomy import NECK_CENTER, NECK_RADIUS, Neck, rotation

Values = NDArray[np.float64]

#: Narrow-beam attenuation of 140 keV photons in soft tissue; scattered photons are added separately.
ATTENUATION_PER_MM = 0.0150
SCATTER_FRACTION = 0.25
SCATTER_SD_MM = 24.0
FWHM_TO_SD = 1.0 / 2.354820045

# Direction of the camera around the patient, rad: 0 in front, a quarter turn at the left side.
VIEW_ANGLES = {
    View.ANTERIOR: 0.0,
    View.LEFT_ANTERIOR_OBLIQUE: np.pi / 4,
    View.RIGHT_ANTERIOR_OBLIQUE: -np.pi / 4,
    View.POSTERIOR: np.pi,
}


@dataclass(frozen=True)
class Camera:
    """A detector and its collimator.

    Attributes
    ----------
    matrix
        Pixels per side.
    pixel_mm
        Size of a pixel, mm.
    sensitivity
        Counts per second and MBq in air.
    resolution_mm
        Full width at half maximum of the point spread at 100 mm, mm.
    distance_mm
        From the collimator to the surface of the neck, mm.
    """

    matrix: int
    pixel_mm: float
    sensitivity: float
    resolution_mm: float
    distance_mm: float


def _body_radius(y: Values) -> Values:
    """Return half the width of the body (torso, neck, head) at height `y`, mm."""
    torso = 130.0 / (1.0 + np.exp((y + 75.0) / 9.0))
    head = 16.0 / (1.0 + np.exp(-(y - 75.0) / 7.0))
    return np.asarray(NECK_RADIUS + torso + head)


def _surface(u: Values, y: Values) -> tuple[Values, Values]:
    """Return front and back of the body along the line of sight, mm from the neck's axis."""
    half = np.sqrt(np.maximum(np.square(_body_radius(y)) - np.square(u), 0.0))
    # A chest is wider than deep.
    half = np.minimum(half, NECK_RADIUS + 40.0)
    return half, -half


def project(neck: Neck, angle: float, matrix: int, pixel_mm: float) -> Values:
    """Compute the activity per mm² that a perfect camera would detect through the tissue.

    Parameters
    ----------
    neck
        The patient.
    angle
        Direction of the camera (`VIEW_ANGLES`), rad.
    matrix, pixel_mm
        Pixels per side and their size, mm.

    Returns
    -------
    ndarray
        (matrix, matrix), fraction of the injected activity per mm²; rows from head to feet, columns
        to the right as seen from the camera.
    """
    # Camera coordinates: u to the right of the image, v to the head, w to the camera.
    turn = rotation(1, -angle) @ rotation(2, neck.tilt)
    centers = neck.centers @ turn.T
    shapes = turn @ neck.shapes @ turn.T
    line = (np.arange(matrix) - (matrix - 1) / 2) * pixel_mm
    u = line - neck.offset[0]
    v = -line - neck.offset[1]
    axis = rotation(1, -angle) @ np.array([NECK_CENTER[0], 0.0, NECK_CENTER[1]])

    def depth_of(columns: Values, rows: Values, w: Values) -> Values:
        front, _ = _surface(columns - axis[0], rows)
        return np.asarray(np.maximum(front - (w - axis[2]), 0.0))

    gland = np.zeros((matrix, matrix))
    other = np.zeros((matrix, matrix))
    for center, shape, held, thyroid in zip(
        centers, shapes, neck.concentrations, neck.thyroid, strict=True
    ):
        # Chord of the line of sight through the ellipsoid, and the depth of its middle.
        s = shape[2, 2]
        q = shape[:2, 2]
        flat = shape[:2, :2] - np.outer(q, q) / s
        reach = np.sqrt(np.diag(np.linalg.inv(flat)))
        columns = np.flatnonzero(np.abs(u - center[0]) <= reach[0])
        rows = np.flatnonzero(np.abs(v - center[1]) <= reach[1])
        if not len(columns) or not len(rows):
            continue
        du, dv = (u[columns] - center[0])[None, :], (v[rows] - center[1])[:, None]
        inside = 1.0 - (flat[0, 0] * du**2 + 2 * flat[0, 1] * du * dv + flat[1, 1] * dv**2)
        chord = 2.0 * np.sqrt(np.maximum(inside, 0.0) / s)
        middle = center[2] - (q[0] * du + q[1] * dv) / s
        depth = depth_of(u[columns][None, :], v[rows][:, None], middle)
        target = gland if thyroid else other
        target[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += (
            held * chord * np.exp(-ATTENUATION_PER_MM * depth)
        )

    foci = neck.focus_centers @ turn.T
    width = 2.0 * np.square(neck.focus_sizes)[:, None]
    across = np.exp(-np.square(u - foci[:, :1]) / width)
    along = np.exp(-np.square(v - foci[:, 1:2]) / width) * neck.focus_gains[:, None]
    seen = gland.sum()
    gland *= np.clip(1.0 + along.T @ across, 0.1, 3.0)
    # Foci move activity within the gland: its uptake does not change.
    gland *= seen / gland.sum()

    front, back = _surface((u - axis[0])[None, :], v[:, None])
    thickness = front - back
    body = neck.background * -np.expm1(-ATTENUATION_PER_MM * thickness) / ATTENUATION_PER_MM
    return np.asarray(gland + other + body)


@cache
def _spread(matrix: int, pixel_mm: float, sd_mm: float) -> Values:
    """Return the matrix that blurs a line of pixels with a Gaussian; counts may leave the field."""
    line = np.arange(matrix) * pixel_mm
    kernel = np.exp(-np.square(line[:, None] - line[None, :]) / (2 * sd_mm**2))
    return np.asarray(kernel * (pixel_mm / (sd_mm * np.sqrt(2 * np.pi))))


def blur(image: Values, camera: Camera) -> Values:
    """Apply point spread and scatter of the camera; sums of counts grow by the scatter fraction."""
    # Resolution worsens with distance; the gland is about 25 mm under the surface.
    fwhm = camera.resolution_mm * (0.35 + 0.65 * (camera.distance_mm + 25.0) / 100.0)
    sharp = _spread(camera.matrix, camera.pixel_mm, fwhm * FWHM_TO_SD)
    wide = _spread(camera.matrix, camera.pixel_mm, SCATTER_SD_MM)
    return np.asarray(sharp @ image @ sharp + SCATTER_FRACTION * (wide @ image @ wide))


def count_rate(neck: Neck, view: View, camera: Camera, activity_mbq: float) -> Values:
    """Compute expected counts per second and pixel while this activity of the injection remains.

    Returns
    -------
    ndarray
        (matrix, matrix), counts/s.
    """
    if view is View.POSTERIOR:
        # The headrest keeps the second detector head at a distance.
        camera = replace(camera, distance_mm=camera.distance_mm + 40.0)
    # A pixel counts over its whole area, which matters at a lobe's edge, so average finer pixels.
    finer = max(1, round(camera.pixel_mm / 1.2))
    side = camera.matrix
    seen = project(neck, VIEW_ANGLES[view], side * finer, camera.pixel_mm / finer)
    seen = seen.reshape(side, finer, side, finer).mean(axis=(1, 3))
    return blur(seen, camera) * (activity_mbq * camera.sensitivity * camera.pixel_mm**2)


def acquire(rate: Values, seconds: float, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Draw the counts of an acquisition: Poisson with mean `rate` (counts/s) times `seconds`."""
    return np.minimum(rng.poisson(rate * seconds), np.iinfo(np.uint16).max).astype(np.uint16)


def point(
    camera: Camera, activity_mbq: float, place: tuple[float, float], size: tuple[float, float]
) -> Values:
    """Compute the expected counts per second and pixel of a small source without attenuation.

    Parameters
    ----------
    camera
        The detector.
    activity_mbq
        Activity, MBq.
    place
        Position from the middle of the field, to the right and down, mm.
    size
        Standard deviation of its extent across and along, mm.
    """
    line = (np.arange(camera.matrix) - (camera.matrix - 1) / 2) * camera.pixel_mm
    across = np.exp(-np.square(line - place[0]) / (2 * size[0] ** 2))
    along = np.exp(-np.square(line - place[1]) / (2 * size[1] ** 2))
    shape = np.outer(along, across)
    shape /= shape.sum()
    return blur(shape, camera) * (activity_mbq * camera.sensitivity)


def syringe(camera: Camera, activity_mbq: float) -> Values:
    """Compute the expected counts per second and pixel of a syringe across the field."""
    return point(camera, activity_mbq, (0.0, 0.0), (12.0, 3.0))
