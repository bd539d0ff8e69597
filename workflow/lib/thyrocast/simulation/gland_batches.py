"""Batches of phantoms for the training of the gland finder."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thyrocast.image.gland_network import GRID_MM, WINDOW, features
from thyrocast.simulation import lookalikes, phantoms, scene
from thyrocast.simulation.kinds import Generator
from thyrocast.simulation.phantoms import Phantom

Batch = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]

#: Share of phantoms that are turned, and of these the ones by 180 degrees; others are turned by 90.
TURNED, HEAD_DOWN = 0.07, 0.75


def batch(size: int, seed: int, step: int, lookalike: float = 0.0) -> Batch:
    """Return the batch of a step of a training: features, lobes, field, visibility of `size` phantoms.

    Each step has a random generator of its own, so that an interrupted training continues with the phantoms
    that it would have seen. The shapes are those of `thyrocast.network.gland_network.Batch`.

    Parameters
    ----------
    size
        Number of phantoms.
    seed, step
        Seed and number of the batch.
    lookalike
        Share of phantoms from `lookalikes`. Unless it is 0, some images are turned as well: a thyroid with
        the head down, or sideways, must not be accepted.
    """
    rng = np.random.default_rng([seed, step])
    examples = [_example(rng, lookalike) for _ in range(size)]
    return (
        np.stack([example[0] for example in examples]),
        np.stack([example[1] for example in examples]),
        np.stack([example[2] for example in examples]),
        np.array([example[3] for example in examples], np.int64),
    )


def draw(rng: Generator, lookalike: float) -> Phantom:
    """Draw one phantom of the training; a share of them from `lookalikes`."""
    if not lookalike:
        return phantoms.render(rng, grid_mm=GRID_MM)
    drawn = lookalikes.draw(rng) if rng.random() < lookalike else scene.draw(rng)
    phantom = phantoms.render(rng, drawn, grid_mm=GRID_MM)
    return turned(phantom, rng) if rng.random() < TURNED else phantom


def turned(phantom: Phantom, rng: Generator) -> Phantom:
    """Turn an image: it shows a thyroid, but none that may be used.

    The lobe on the left side of the image keeps the name of the right one, as the finder marks it.
    """
    quarters = 2 if rng.random() < HEAD_DOWN else int(rng.choice([1, 3]))
    whole = np.rot90(phantom.right | phantom.left, quarters)
    if quarters == 2:
        right, left = np.rot90(phantom.left, 2), np.rot90(phantom.right, 2)
    else:
        columns = np.arange(whole.shape[1])
        middle = float(whole.sum(0) @ columns) / max(int(whole.sum()), 1)
        right, left = whole & (columns <= middle), whole & (columns > middle)
    return replace(
        phantom,
        counts=np.rot90(phantom.counts, quarters),
        right=right,
        left=left,
        visible=False if phantom.visible else phantom.visible,
    )


def _example(
    rng: Generator, lookalike: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], int]:
    phantom = draw(rng, lookalike)
    shape = tuple(
        min(int(pixels * phantom.pixel_mm / GRID_MM), WINDOW) for pixels in phantom.counts.shape
    )
    counts = np.zeros((WINDOW, WINDOW), np.float32)
    field = np.zeros((WINDOW, WINDOW), np.bool_)
    lobes = np.zeros((2, WINDOW, WINDOW), np.bool_)
    top, left = (
        int(rng.integers((WINDOW - side) // 2, (WINDOW - side + 1) // 2 + 1)) for side in shape
    )
    box = (slice(top, top + shape[0]), slice(left, left + shape[1]))
    counts[box] = phantoms.regrid(phantom.counts, phantom.pixel_mm, GRID_MM, (shape[0], shape[1]))
    field[box] = True
    lobes[0][box] = phantom.right[: shape[0], : shape[1]]
    lobes[1][box] = phantom.left[: shape[0], : shape[1]]
    if rng.random() < 0.5:
        # The mirror image of a neck is a neck.
        counts, field, lobes = counts[:, ::-1], field[:, ::-1], lobes[::-1, :, ::-1]
    visible = -1 if phantom.visible is None else int(phantom.visible)
    return features(counts, field.astype(np.float32)), lobes, field, visible
