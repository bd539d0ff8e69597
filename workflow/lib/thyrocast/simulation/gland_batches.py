"""Batches of phantoms for the training of the gland finder."""

import numpy as np
from numpy.typing import NDArray

from thyrocast.image.gland_network import GRID_MM, WINDOW, features
from thyrocast.simulation import phantoms
from thyrocast.simulation.kinds import Generator

Batch = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]


def batch(size: int, seed: int, step: int) -> Batch:
    """Return the batch of a step of a training: features, lobes, field, visibility of `size` phantoms.

    Each step has a random generator of its own, so that an interrupted training continues with the phantoms
    that it would have seen. The shapes are those of `thyrocast.network.gland_network.Batch`.
    """
    rng = np.random.default_rng([seed, step])
    examples = [_example(rng) for _ in range(size)]
    return (
        np.stack([example[0] for example in examples]),
        np.stack([example[1] for example in examples]),
        np.stack([example[2] for example in examples]),
        np.array([example[3] for example in examples], np.int64),
    )


def _example(
    rng: Generator,
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], int]:
    phantom = phantoms.render(rng, grid_mm=GRID_MM)
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
