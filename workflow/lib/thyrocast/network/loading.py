"""Training images on the device, read in advance so that no step waits for the disk."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thyrocast.network.image_set import ImageSet

#: Share of the GPU's free memory that images may use; the network needs the rest.
RESIDENT_SHARE = 0.25


class Loader:
    """Batches of images (k, size, size) on the device.

    If the device is a GPU with enough memory, all images are moved there once. Otherwise a thread
    reads the next batch from the memory map while the current one is trained on.

    Parameters
    ----------
    data
        Training patients of a member.
    device
        Where the network runs.
    """

    def __init__(self, data: ImageSet, device: torch.device) -> None:
        self.data = data
        self.device = device
        self.resident = self._move_all() if self._fit() else None

    def _fit(self) -> bool:
        if self.device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self.device)
        size = len(self.data) * int(np.prod(self.data.images.shape[1:])) * 4
        return size < RESIDENT_SHARE * free

    def _move_all(self) -> Tensor:
        return torch.cat(
            [torch.from_numpy(self.data.load(p)).to(self.device) for p in self.data.chunks()]
        )

    def _read(self, positions: NDArray[np.int64]) -> Tensor:
        images = torch.from_numpy(self.data.load(positions))
        return images.pin_memory() if self.device.type == "cuda" else images

    def batches(self, positions: Sequence[NDArray[np.int64]]) -> Iterator[Tensor]:
        """Yield the images at each group of positions; the next group is read in advance."""
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
