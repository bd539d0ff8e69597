"""Training images on their way to the device, so that no step waits for the disk."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thyrocast.network.patients import CHUNK, Patients

# Share of the GPU's free memory that images may take; the rest is the network's.
RESIDENT_SHARE = 0.25


class Loader:
    """Gives batches of images (k, size, size) on the device.

    On a GPU where the member's images fit, they move there once. Elsewhere a thread reads the next
    batch from the memory map while the present one is trained on.
    """

    def __init__(self, patients: Patients, device: torch.device) -> None:
        self.patients = patients
        self.device = device
        self.resident = self._move_all() if self._fit() else None

    def _fit(self) -> bool:
        if self.device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self.device)
        size = len(self.patients) * int(np.prod(self.patients.images.shape[1:])) * 4
        return size < RESIDENT_SHARE * free

    def _move_all(self) -> Tensor:
        parts = [
            torch.from_numpy(self.patients.load(slice(start, start + CHUNK))).to(self.device)
            for start in range(0, len(self.patients), CHUNK)
        ]
        return torch.cat(parts)

    def _read(self, positions: NDArray[np.int64]) -> Tensor:
        images = torch.from_numpy(self.patients.load(positions))
        return images.pin_memory() if self.device.type == "cuda" else images

    def batches(self, positions: Sequence[NDArray[np.int64]]) -> Iterator[Tensor]:
        """Yield the images at each of these groups of positions, one group read ahead."""
        if self.resident is not None:
            for group in positions:
                yield self.resident[torch.from_numpy(group).to(self.device)]
            return
        with ThreadPoolExecutor(max_workers=1) as reader:
            ahead = [reader.submit(self._read, group) for group in positions[:1]]
            for index in range(len(positions)):
                images = ahead.pop().result()
                ahead += [reader.submit(self._read, g) for g in positions[index + 1 : index + 2]]
                yield images.to(self.device, non_blocking=True)
