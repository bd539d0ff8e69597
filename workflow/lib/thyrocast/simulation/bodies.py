"""Bodies of activity as a camera in front of the patient sees them: closed formulas in its plane.

Coordinates in mm: x to the right of the image (the patient's left), y down. A body is a superellipse
that may be tapered and bent; the path of a ray through it falls from its middle to its edge.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]


class Part(StrEnum):
    """What a body belongs to."""

    RIGHT = "right"
    LEFT = "left"
    MIDDLE = "middle"
    OTHER = "other"


@dataclass(frozen=True)
class Body:
    """A body with even uptake.

    Attributes
    ----------
    part
        The lobe it belongs to; `MIDDLE` is isthmus or pyramidal lobe, `OTHER` is no thyroid.
    x, y
        Center, mm.
    across, along, thick
        Semi-axes: across and along its own axis in the plane, and along the ray, mm.
    angle
        Direction of its axis from the vertical, rad, clockwise.
    amount
        Activity, relative to the injected one, as it would be counted without attenuation.
    depth
        Depth of its middle under the skin, mm.
    power
        Exponent of the outline: 2 is an ellipse, more is closer to a rectangle.
    taper, bend
        Relative change of the width from the middle to the end, and displacement of the ends, mm.
    """

    part: Part
    x: float
    y: float
    across: float
    along: float
    thick: float
    angle: float = 0.0
    amount: float = 0.0
    depth: float = 20.0
    power: float = 2.0
    taper: float = 0.0
    bend: float = 0.0

    def moved(self, x: float, y: float, tilt: float) -> "Body":
        """Return the body after a rotation by `tilt` (rad) around the origin and a shift (mm)."""
        cos, sin = np.cos(tilt), np.sin(tilt)
        return replace(
            self,
            x=float(cos * self.x - sin * self.y) + x,
            y=float(sin * self.x + cos * self.y) + y,
            angle=self.angle + tilt,
        )

    def path(self, x: Values, y: Values) -> tuple[tuple[slice, slice], Values]:
        """Return where the body is in a grid and the length of the rays in it.

        Parameters
        ----------
        x, y
            (columns,) and (rows,) centers of the pixels, mm, increasing.

        Returns
        -------
        box
            Rows and columns around the body.
        ndarray
            Length of the rays in this box, mm; 0 outside the body.
        """
        reach = np.hypot(self.along, self.across) * (1 + abs(self.taper)) + abs(self.bend)
        rows = slice(*np.searchsorted(y, [self.y - reach, self.y + reach]))
        columns = slice(*np.searchsorted(x, [self.x - reach, self.x + reach]))
        right, down = x[None, columns] - self.x, y[rows, None] - self.y
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        u, v = cos * right + sin * down, (cos * down - sin * right) / np.float32(self.along)
        u = (u - np.float32(self.bend) * v * v) / np.float32(self.across)
        if self.taper:
            u = u / np.maximum(1 + np.float32(self.taper) * v, np.float32(0.2))
        if self.power == 2.0:
            inside = 1 - u * u - v * v
        else:
            inside = 1 - np.abs(u) ** np.float32(self.power) - np.abs(v) ** np.float32(self.power)
        return (rows, columns), np.float32(2 * self.thick) * np.sqrt(np.maximum(inside, 0))

    @property
    def volume(self) -> float:
        """Volume, mm³: of the ellipsoid with these axes, corrected for the exponent of the outline."""
        ellipsoid = 4.0 / 3.0 * np.pi * self.across * self.along * self.thick
        return float(ellipsoid * (1 + 0.24 * (1 - (2.0 / self.power) ** 2)))


def texture(side: int, step: float, scale: float, rng: np.random.Generator) -> Values:
    """Draw a smooth random field (side, side) with mean 0 and standard deviation about 1.

    Parameters
    ----------
    side
        Pixels per side.
    step
        Size of a pixel, mm.
    scale
        Distance over which the field changes (standard deviation of its kernel), mm.
    rng
        Random generator.
    """
    knots = max(int(np.ceil(side * step / (1.5 * scale))) + 4, 6)
    place = (np.arange(knots) - 2) * 1.5 * scale
    line = (np.arange(side) + 0.5) * step
    basis = np.exp(-np.square((line[:, None] - place[None, :]) / scale) / 2).astype(np.float32)
    basis /= np.sqrt(np.square(basis).sum(1, keepdims=True))
    return np.asarray(basis @ rng.standard_normal((knots, knots), np.float32) @ basis.T)
