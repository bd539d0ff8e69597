"""What is compared with the maps of some test patients: other methods, other members, other places."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from thyrocast import fileio
from thyrocast.config.explanation import LEAST_GRID, CamMethod, CamTarget, ExplanationConfig
from thyrocast.explanation import perturbation
from thyrocast.explanation.perturbation import Curves
from thyrocast.network import gradcam, randomization
from thyrocast.network.gradcam import Member
from thyrocast.network.image_set import ImageSet

Maps = NDArray[np.float32]


@dataclass(frozen=True)
class Compared:
    """Maps of n of the N test patients, evidence for cure by the network of the first member.

    Attributes
    ----------
    positions : ndarray of int, (n,)
        Of the patients among the test patients; none if nothing is compared.
    methods : dict of ndarray, (n, cells, cells)
        By method; that of the config first.
    members : ndarray, (members, N, cells, cells)
        Maps of all test patients, whose means are reported.
    curves
        Deletion and insertion.
    """

    positions: NDArray[np.intp]
    methods: dict[CamMethod, Maps]
    members: Maps
    curves: Curves


def compute(
    member: Member,
    data: ImageSet,
    members: Maps,
    settings: ExplanationConfig,
    device: torch.device,
    seed: int,
) -> Compared:
    """Compute what is compared; nothing if the grid is too coarse or it is not requested.

    Parameters
    ----------
    member
        The first member.
    data
        N test patients.
    members : ndarray, (members, N, cells, cells)
        Their maps by each member.
    settings
        Config of the explanation.
    device
        Where the network runs.
    seed : int
        Determines the places of the moved maps.
    """
    network, normalization = member
    positions = randomization.chosen(data, settings)
    if settings.grid_at(data.size, network.architecture) < LEAST_GRID:
        positions = positions[:0]
    few = data.take(positions)
    order = (settings.method, *(one for one in CamMethod if one is not settings.method))
    empty = np.zeros((0, *members.shape[2:]), np.float32)
    methods = dict.fromkeys(order, empty)
    if len(positions):
        methods = {method: _maps(member, few, settings, method, device) for method in order}
    moved = settings.moved if len(positions) else 0
    own = methods[settings.method] if moved else empty
    images = few.load(slice(0, len(own)))
    curves = perturbation.curves(network, normalization, images, own, moved, device, seed)
    return Compared(positions, methods, members, curves)


def _maps(
    member: Member,
    data: ImageSet,
    settings: ExplanationConfig,
    method: CamMethod,
    device: torch.device,
) -> Maps:
    """Maps (n, cells, cells) by one method."""
    own = settings.model_copy(update={"target": CamTarget.CURED, "method": method})
    return np.concatenate([batch.maps for batch in gradcam.explain([member], data, own, device)])


def save(compared: Compared, path: Path) -> None:
    """Write compared.npz."""
    arrays: dict[str, Any] = {
        "positions": compared.positions,
        "members": compared.members,
        "deletion": compared.curves.deletion,
        "insertion": compared.curves.insertion,
    } | {f"method/{name}": maps for name, maps in compared.methods.items()}
    with fileio.atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
