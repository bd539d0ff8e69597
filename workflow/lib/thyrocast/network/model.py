"""Networks for one-channel scintigrams: initialization, reading and writing weights, device."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from thyrocast.config.choices import RANDOM, Architecture, Precision, Pretraining
from thyrocast.errors import InputError
from thyrocast.fileio import atomic
from thyrocast.image import encoder
from thyrocast.network.compact import ScintigramCompact
from thyrocast.network.pretrained import SHIPPED, Pretrained

if TYPE_CHECKING:
    from thyrocast.config.network import NetworkConfig
    from thyrocast.network.resnet50 import ScintigramResNet50

LOGGER = logging.getLogger("thyrocast")


#: A name only: importing torchvision takes seconds, which no job of the compact network needs.
Network: TypeAlias = "ScintigramResNet50 | ScintigramCompact"


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation of the square root of the training images."""

    mean: float
    std: float

    def apply(self, images: Tensor) -> Tensor:
        """Take the square root of images (n, size, size) and standardize; returns (n, 1, size, size)."""
        return ((images.clamp_min(0).sqrt() - self.mean) / self.std).unsqueeze(1)


#: Normalization that changes nothing.
AS_IT_IS = Normalization(0.0, 1.0)


def initialize(
    seed: int, settings: NetworkConfig | None = None, pretrained: Pretrained | None = None
) -> Network:
    """Return the network that training starts from.

    Parameters
    ----------
    seed
        Determines the random weights; the same for all members of a split, so that their feature
        spaces stay roughly aligned when embeddings are cross-fitted.
    settings
        Architecture, and what it has learned before: nothing, simulated scintigrams, or a local state dict
        (`.safetensors`, `.pth`, `.pt`). None is a ResNet50 that has learned nothing.
    pretrained
        What `pretrain_network` made, if the settings ask for simulation and thyrocast ships no such weights.

    Raises
    ------
    InputError
        If the file of weights is missing, has another hash, or contains no ResNet50.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = create(settings.architecture if settings else Architecture.RESNET50)
    if settings is None:
        return network
    if settings.pretraining is Pretraining.SIMULATION:
        if isinstance(network, ScintigramCompact):
            network.body.start_from(pretrained.arrays() if pretrained else encoder.load())
        elif pretrained is None:
            raise InputError(
                "network.pretraining is simulation, but no pretrained network was given: "
                "run the rule pretrain_network"
            )
        else:
            _start_from(network, pretrained.tensors, f"pretrained network {pretrained.name}")
    elif settings.weights != RANDOM and not isinstance(network, ScintigramCompact):
        state = _read_state_dict(Path(settings.weights), settings.sha256)
        _start_from(network, state, f"network.weights {settings.weights}")
    return network


def origin(settings: NetworkConfig, pretrained: Pretrained | None = None) -> str:
    """Say where the weights come from that `initialize` returns."""
    if settings.pretraining is Pretraining.SIMULATION:
        return pretrained.origin if pretrained else SHIPPED
    return RANDOM if settings.weights == RANDOM else f"file, SHA-256 {settings.sha256}"


def create(architecture: Architecture) -> Network:
    """Return a network with random weights."""
    if architecture is Architecture.COMPACT:
        return ScintigramCompact()
    # Imported here: see `Network`.
    from thyrocast.network.resnet50 import ScintigramResNet50

    return ScintigramResNet50()


def _start_from(network: ScintigramResNet50, given: Mapping[str, Tensor], source: str) -> None:
    state = _adapt(given)
    own = network.state_dict()
    head = {"fc.weight", "fc.bias"}
    counters = {name for name in own if name.endswith("num_batches_tracked")}
    missing = sorted(own.keys() - state.keys() - head - counters)
    odd = sorted(
        name for name, value in state.items() if name not in own or value.shape != own[name].shape
    )
    if missing or odd:
        fault = (
            f"does not contain {missing[0]!r}"
            if missing
            else f"contains {odd[0]!r} of another shape or model"
        )
        raise InputError(
            f"{source} {fault} ({len(missing)} parameters missing, {len(odd)} that do not fit): "
            "expected a state dict with torchvision's names for ResNet50"
        )
    network.load_state_dict(state, strict=False)


def _read_state_dict(path: Path, sha256: str | None) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError(
            f"network.weights {path} is not a file: give the path of local weights, or `random`"
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
            "download the file again, or correct the hash if this is the right file"
        )
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the readers raise many types of errors on a broken file
        raise InputError(
            f"network.weights {path} cannot be read as a state dict: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(
            f"network.weights {path} is not a plain state dict: expected a mapping from "
            "torchvision's parameter names to tensors; save `model.state_dict()`"
        )
    return state


def _adapt(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Remove classifier and readings; sum a three-channel stem, which then acts as on a gray RGB image."""
    adapted = {
        name: value for name, value in state.items() if not name.startswith(("fc.", "read."))
    }
    stem = adapted.get("conv1.weight")
    if stem is not None and stem.ndim == 4 and stem.shape[1] == 3:
        adapted["conv1.weight"] = stem.sum(dim=1, keepdim=True)
    return adapted


def save(
    path: Path,
    network: Network,
    normalization: Normalization,
    facts: Mapping[str, object],
) -> None:
    """Write weights, normalization and facts about the training; equal input gives equal bytes.

    Parameters
    ----------
    path
        The file (safetensors).
    network, normalization
        A trained member.
    facts
        Values that JSON can represent, such as `thyrocast.network.record.Facts`.
    """
    # One metadata entry: safetensors writes several in an order that changes between processes.
    if isinstance(network, ScintigramCompact):
        network.body.fold()
    about = {**facts, "architecture": network.architecture, "normalization": asdict(normalization)}
    text = json.dumps(about, sort_keys=True)
    tensors = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    with atomic(path) as temporary:
        safetensors.torch.save_file(tensors, temporary, metadata={"thyrocast": text})


def load(path: Path) -> tuple[Network, Normalization, dict[str, Any]]:
    """Read what `save` wrote: the network in evaluation mode, its normalization and the facts.

    Raises
    ------
    InputError
        If `save` did not write the file, or if it has tensors of another network.
    """
    with safetensors.safe_open(path, framework="pt") as file:
        facts = json.loads((file.metadata() or {}).get("thyrocast", "{}"))
        names = file.keys()
        state = {name: file.get_tensor(name) for name in names}
    if "normalization" not in facts or facts.get("architecture") not in list(Architecture):
        raise InputError(f"weights {path} were not written by train_network: run that rule again")
    with torch.device("meta"):
        network = create(Architecture(facts.pop("architecture")))
    if isinstance(network, ScintigramCompact):
        network.body.fold()
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise InputError(f"weights {path} are not of this network: {error}") from None
    if any(weight.dtype != torch.float32 for weight in network.parameters()):
        raise InputError(f"weights {path} have numbers of another type, expected float32")
    return network.eval(), Normalization(**facts.pop("normalization")), facts


def features_of(path: Path) -> int:
    """Return the number of features of an embedding by the network of a file."""
    with safetensors.safe_open(path, framework="pt") as file:
        return int(file.get_slice("fc.weight").get_shape()[1])


def choose_device(gpus: int, allow_cpu: bool = False, rank: int = 0) -> torch.device:
    """Return the CPU if `gpus` is 0, else a GPU that is visible to this job.

    Parameters
    ----------
    gpus
        GPUs that the job needs.
    allow_cpu
        Whether the CPU is used if no GPU is visible.
    rank
        Index of this process's GPU, from 0.

    Raises
    ------
    InputError
        If fewer GPUs are visible than asked for.
    """
    if not gpus:
        return torch.device("cpu")
    seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if seen >= gpus:
        if not rank:
            LOGGER.info("GPU %s", torch.cuda.get_device_name(0))
        return torch.device("cuda", rank)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    fact = (
        f"torch {torch.__version__} sees {seen or 'no'} GPU (CUDA_VISIBLE_DEVICES is {visible!r})"
    )
    if seen:
        raise InputError(
            f"network.gpus is {gpus}, but {fact}: request as many on one node from the scheduler, or "
            "set network.gpus to the number that a job gets"
        )
    if not allow_cpu:
        raise InputError(
            f"network.gpus is {gpus}, but {fact}: request a GPU from the scheduler, install a CUDA "
            "build of torch, or set network.gpus to 0 or network.allow_cpu to true to use the CPU"
        )
    if rank == 0:
        LOGGER.warning("%s; network.allow_cpu is true: the CPU is used", fact)
    return torch.device("cpu")


@contextmanager
def enough_memory(images: str) -> Iterator[None]:
    """Stop if the GPU's memory is too small: more memory of the node, as a retry asks for, would not help.

    Parameters
    ----------
    images
        What is computed at once and how it can be made smaller, for the message.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        size = torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else 0
        known = f" of {size / 2**30:.0f} GiB" if size else ""
        raise InputError(f"the GPU's memory{known} is too small for {images}") from error


def configure(threads: int) -> None:
    """Set the number of threads, and make runs on the same machine equal to the last bit."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    # Filling new memory only reveals bugs in torch, and takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # set at run time
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # bfloat16 is the only reduced precision


def seed_libraries(seed: int) -> None:
    """Seed the global generators of all libraries."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - for libraries that use NumPy's global generator
    random.seed(seed)


def autocast_type(precision: Precision, device: torch.device) -> torch.dtype | None:
    """Return bfloat16 if the config's `precision` and the device ask for it, None for float32."""
    if precision is Precision.AUTO:
        fit = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fit else None
    return torch.bfloat16 if precision is Precision.BFLOAT16 else None
