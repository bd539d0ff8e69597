"""ResNet50 for one-channel scintigrams: initialization, weights from and to files, device."""

import hashlib
import json
import logging
import os
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet

from thyrocast.errors import InputError
from thyrocast.fileio import atomic

LOGGER = logging.getLogger("thyrocast")
FEATURES = 2048


class ScintigramResNet50(ResNet):  # type: ignore[misc]
    """torchvision's ResNet50 (He et al. 2016) with a one-channel stem and one logit, P(cured).

    The names of its parameters are torchvision's, so that its weights can be read elsewhere.
    """

    def __init__(self) -> None:
        # Residual branches start at zero (Goyal et al. 2017, section 5.1): with the few hundred
        # steps of a small cohort the network then starts shallow and learns.
        super().__init__(Bottleneck, [3, 4, 6, 3], num_classes=1, zero_init_residual=True)
        self.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")

    def blocks(self, images: Tensor, last: str = "layer4") -> Tensor:
        """Activations (n, channels, height, width) after the block called ``last``."""
        x: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for name in ("layer1", "layer2", "layer3", "layer4"):
            x = getattr(self, name)(x)
            if name == last:
                break
        return x

    def pool(self, activations: Tensor) -> Tensor:
        """Embedding (n, 2048): the global average of the last block's activations."""
        return torch.flatten(self.avgpool(activations), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logit (n,) of P(cured) for standardized images (n, 1, size, size)."""
        logit: Tensor = self.fc(self.pool(self.blocks(images)))
        return logit.squeeze(1)


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation of the square root of the training images."""

    mean: float
    std: float

    def apply(self, images: Tensor) -> Tensor:
        """Square root and standardize images (n, size, size); gives (n, 1, size, size)."""
        return ((images.clamp_min(0).sqrt() - self.mean) / self.std).unsqueeze(1)


def initialize(seed: int, weights: str = "random", sha256: str | None = None) -> ScintigramResNet50:
    """Make a network as training finds it.

    Parameters
    ----------
    seed
        Determines the random weights; the same for all members of a split, so that their feature
        spaces stay roughly aligned when embeddings are cross-fitted.
    weights
        ``random`` or the path of a local state dict (`.safetensors`, `.pth`, `.pt`).
    sha256
        Expected hash of that file.

    Raises
    ------
    InputError
        If the file lacks, has another hash, or does not hold a ResNet50.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ScintigramResNet50()
    if weights != "random":
        _start_from(network, Path(weights), sha256)
    return network


def _start_from(network: ScintigramResNet50, path: Path, sha256: str | None) -> None:
    state = _adapt(_read_state_dict(path, sha256))
    own = network.state_dict()
    head = {"fc.weight", "fc.bias"}
    counters = {name for name in own if name.endswith("num_batches_tracked")}
    missing = sorted(own.keys() - state.keys() - head - counters)
    odd = sorted(
        name for name, value in state.items() if name not in own or value.shape != own[name].shape
    )
    if missing or odd:
        fault = (
            f"lacks {missing[0]!r}" if missing else f"holds {odd[0]!r} of another shape or model"
        )
        raise InputError(
            f"network.weights {path} {fault} ({len(missing)} parameters missing, {len(odd)} unfit): "
            "expected a state dict with torchvision's names for ResNet50"
        )
    network.load_state_dict(state, strict=False)


def _read_state_dict(path: Path, sha256: str | None) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError(
            f"network.weights {path} is no file: give the path of local weights, or `random`"
        )
    if sha256 is None:
        raise InputError(
            f"network.sha256 is missing for network.weights {path}: put `sha256sum {path}` there"
        )
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise InputError(
            f"network.weights {path} has SHA-256 {found}, but network.sha256 says {sha256}: "
            "fetch the file anew, or correct the hash if this file is the one you mean"
        )
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the readers raise what they like on a broken file
        raise InputError(
            f"network.weights {path} can't be read as a state dict: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(
            f"network.weights {path} is not a plain state dict: expected a mapping from "
            "torchvision's parameter names to tensors; save `model.state_dict()`"
        )
    return state


def _adapt(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Drop the classifier and sum a three-channel stem: the same answer as to a gray RGB image."""
    adapted = {name: value for name, value in state.items() if not name.startswith("fc.")}
    stem = adapted.get("conv1.weight")
    if stem is not None and stem.ndim == 4 and stem.shape[1] == 3:
        adapted["conv1.weight"] = stem.sum(dim=1, keepdim=True)
    return adapted


def save(
    path: Path, network: ScintigramResNet50, normalization: Normalization, facts: dict[str, Any]
) -> None:
    """Write weights, normalization and ``facts`` about the training; the same input, the same bytes."""
    # One metadata entry: safetensors writes several in an order that changes between processes.
    text = json.dumps(facts | {"normalization": asdict(normalization)}, sort_keys=True)
    tensors = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    with atomic(path) as temporary:
        safetensors.torch.save_file(tensors, temporary, metadata={"thyrocast": text})


def load(path: Path) -> tuple[ScintigramResNet50, Normalization, dict[str, Any]]:
    """Read what `save` wrote: the network in evaluation mode, its normalization and the facts."""
    with safetensors.safe_open(path, framework="pt") as file:
        facts = json.loads((file.metadata() or {}).get("thyrocast", "{}"))
        names = file.keys()
        state = {name: file.get_tensor(name) for name in names}
    if "normalization" not in facts:
        raise InputError(f"weights {path} were not written by train_network: run that rule again")
    with torch.device("meta"):
        network = ScintigramResNet50()
    network.load_state_dict(state, assign=True)
    return network.eval(), Normalization(**facts.pop("normalization")), facts


def choose_device(gpus: int, allow_cpu: bool = False, rank: int = 0) -> torch.device:
    """Choose the processor for ``gpus`` 0, else a GPU that the scheduler lets this job see.

    Parameters
    ----------
    gpus
        How many the job needs.
    allow_cpu
        Whether the processor will do where there is no GPU at all.
    rank
        Which of the job's GPUs, from 0.

    Raises
    ------
    InputError
        If fewer GPUs are visible than asked for.
    """
    if not gpus:
        return torch.device("cpu")
    seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if seen >= gpus:
        return torch.device("cuda", rank)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    fact = (
        f"torch {torch.__version__} sees {seen or 'no'} GPU (CUDA_VISIBLE_DEVICES is {visible!r})"
    )
    if seen:
        raise InputError(
            f"network.gpus is {gpus}, but {fact}: ask the scheduler for as many on one node, or set "
            "network.gpus to what a job gets"
        )
    if not allow_cpu:
        raise InputError(
            f"network.gpus is {gpus}, but {fact}: ask the scheduler for a GPU, install a CUDA build "
            "of torch, or set network.gpus to 0 or network.allow_cpu to true to use the processor"
        )
    if rank == 0:
        LOGGER.warning("%s; network.allow_cpu is true, so the processor does the work", fact)
    return torch.device("cpu")


def configure(threads: int) -> None:
    """Fix all that could change the last bit between two runs on the same machine."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    # Filling fresh memory finds bugs of torch, not ours, and costs bandwidth.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32; speed is what bfloat16 is for


def seed_libraries(seed: int) -> None:
    """Put every library's own generator in a state that follows from ``seed``."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for whoever still draws from the global one
    random.seed(seed)


def autocast_type(precision: str, device: torch.device) -> torch.dtype | None:
    """bfloat16 where ``precision`` and the device call for it, else None for float32."""
    if precision == "auto":
        fit = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fit else None
    return torch.bfloat16 if precision == "bfloat16" else None
