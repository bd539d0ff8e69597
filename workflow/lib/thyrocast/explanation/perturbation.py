"""Deletion and insertion curves of maps (Petsiuk, Das and Saenko, BMVC 2018), next to those of moved maps.

The pixels that a map marks first are deleted from the image, or are inserted into a blurred image, and the network
predicts again. If the map shows what raises the prediction, it falls, or rises, faster than with the same
map at random places of its grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from thyrocast.explanation import grids, placements
from thyrocast.network.model import Network, Normalization

Floats = NDArray[np.float32]

#: Shares of the pixels that are deleted or inserted, those marked first before the others.
FRACTIONS = np.array([0.0, 0.05, 0.15, 0.4, 1.0])
#: Standard deviation of the blur as a share of the image's side: the lobes disappear in it.
BLUR = 0.1
#: Images of a patient that are predicted at once.
AT_ONCE = 32


@dataclass(frozen=True)
class Curves:
    """Mean probability of cure along the curves of n patients.

    Attributes
    ----------
    deletion, insertion : ndarray, (n, 1 + moved)
        By the map, then by the moved maps; NaN for a map of zeros.
    """

    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]


def curves(
    network: Network,
    normalization: Normalization,
    images: Floats,
    maps: Floats,
    moved: int,
    device: torch.device,
    seed: int,
) -> Curves:
    """Compute the areas under the curves.

    Parameters
    ----------
    network, normalization
        In evaluation mode.
    images : ndarray, (n, size, size)
        Standardized images.
    maps : ndarray, (n, cells, cells)
        Evidence for cure in each image by this network.
    moved : int
        Random places of each map.
    device
        Where the network runs.
    seed : int
        Determines the random places, and the order of pixels that are marked alike.
    """
    # On a processor, convolutions are a third faster in this order of the memory.
    network = network.eval().to(device)
    network.to(memory_format=torch.channels_last)
    found = np.full((2, len(images), 1 + moved), np.nan)
    for n, (image, heat) in enumerate(zip(images, maps, strict=True)):
        if not heat.any():
            continue
        orders = _orders(heat, moved, image.shape[-1], np.random.default_rng([seed, n]))
        # Batches of one patient's images, so that the curves do not depend on who else is explained.
        plain = normalization.apply(torch.from_numpy(_changed(image, orders)))
        with torch.inference_mode():
            logits = [
                network(part.to(device, memory_format=torch.channels_last)).double().cpu()
                for part in torch.split(plain, AT_ONCE)
            ]
        found[:, n] = _areas(torch.cat(logits).sigmoid().numpy(), 1 + moved)
    return Curves(*found)


def _orders(heat: Floats, moved: int, pixels: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Place of every pixel in the order of the map and of moved ones, (1 + moved, pixels²).

    Pixels that are marked alike, such as all those outside of a map that is zero there, are in random order.
    """
    cells = heat.shape[-1]
    every = placements.turned(heat[None])[0]
    # The first place is that of the map itself.
    chosen = 1 + random.choice(8 * cells**2 - 1, moved, replace=False)
    maps = [heat]
    for place in chosen:
        turn, row, column = np.unravel_index(place, (8, cells, cells))
        maps.append(np.roll(every[turn], (row, column), axis=(0, 1)))
    large = grids.enlarge(np.stack(maps), pixels).reshape(1 + moved, -1)
    order = np.lexsort((random.random(large.shape), -large))
    place_of = np.empty_like(order)
    np.put_along_axis(place_of, order, np.arange(pixels**2)[None], axis=1)
    return place_of


def _changed(image: Floats, orders: NDArray[np.intp]) -> Floats:
    """Images of a patient: as it is, empty, blurred; then deleted and inserted ones, by map and share."""
    # The body around the gland covers more than half of an image.
    empty = np.full_like(image, np.median(image))
    along = _blur(image.shape[-1])
    blurred = along @ image @ along.T
    marked = orders[:, None] < FRACTIONS[1:-1, None] * image.size
    marked = marked.reshape(-1, *image.shape)
    return np.concatenate(
        [
            np.stack([image, empty, blurred]),
            np.where(marked, empty, image),
            np.where(marked, image, blurred),
        ]
    ).astype(np.float32)


def _blur(pixels: int) -> NDArray[np.float64]:
    """Gaussian weights (pixels, pixels) along one axis; at the border, of the pixels that there are."""
    distance = np.subtract.outer(np.arange(pixels), np.arange(pixels)) / (BLUR * pixels)
    weights = np.exp(-(distance**2) / 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _areas(probability: NDArray[np.float64], maps: int) -> NDArray[np.float64]:
    """Areas (2, maps) under both curves from the probabilities of the images of `_changed`."""
    image, empty, blurred = (np.full((maps, 1), value) for value in probability[:3])
    deleted, inserted = probability[3:].reshape(2, maps, -1)
    heights = [np.hstack([image, deleted, empty]), np.hstack([blurred, inserted, image])]
    return np.asarray([np.trapezoid(height, FRACTIONS, axis=1) for height in heights])
