"""Files of networks that were pretrained on simulated scintigrams."""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from thyrocast.errors import InputError
from thyrocast.fileio import atomic
from thyrocast.image import encoder
from thyrocast.network.compact import PhysicsNetwork


@dataclass(frozen=True)
class Pretrained:
    """Weights of a pretrained network.

    Attributes
    ----------
    tensors
        Weights by name; those of a ResNet50 have torchvision's names, and `read.` begins all others.
    facts
        What `save` was given, and the hash of the weights.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the file without its ending, which contains a hash of all that determines it."""
        return str(self.facts["name"])

    @property
    def origin(self) -> str:
        """Name of the file, and hash of its weights."""
        return f"simulation: {self.name}, SHA-256 of the weights {self.facts['tensors']}"

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights as arrays."""
        return {name: value.float().numpy() for name, value in self.tensors.items()}


#: Where the weights come from that thyrocast ships.
SHIPPED = f"simulation: the shipped file, SHA-256 {encoder.WEIGHTS_SHA256}"


def save(network: nn.Module, path: Path, facts: Mapping[str, Any]) -> None:
    """Write the weights; those of a compact network in half precision, its normalization folded.

    Parameters
    ----------
    network
        The network.
    path
        The file (safetensors).
    facts
        Values that JSON can represent.
    """
    kept = copy.deepcopy(network)
    tensors = {name: value.detach().cpu().contiguous() for name, value in _state(kept).items()}
    # One entry: safetensors writes several in an order that changes between processes.
    text = json.dumps({**facts, "tensors": _digest(tensors)}, sort_keys=True)
    with atomic(path) as temporary:
        save_file(tensors, temporary, {"thyrocast": text})


def _state(network: nn.Module) -> dict[str, Tensor]:
    if not isinstance(network, PhysicsNetwork):
        return network.state_dict()
    network.fold()
    return {name: value.half() for name, value in network.state_dict().items()}


def read(path: Path) -> Pretrained:
    """Read what the rule `pretrain_network` wrote.

    Raises
    ------
    InputError
        If the file was written under another name, or if its weights are not those that were written.
    """
    advice = "delete it, and `pretrain_network` makes it again"
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("thyrocast", "{}"))
            names = file.keys()
            tensors = {name: file.get_tensor(name) for name in names}
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise InputError(f"pretrained network {path} cannot be read ({error}): {advice}") from error
    if facts.get("name") != path.stem:
        found = facts.get("name", "no name")
        raise InputError(
            f"pretrained network {path} contains {found}, expected {path.stem}: {advice}"
        )
    if facts.get("tensors") != _digest(tensors):
        raise InputError(
            f"pretrained network {path} has other weights than its hash says: {advice}"
        )
    return Pretrained(tensors, facts)


def _digest(tensors: Mapping[str, Tensor]) -> str:
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(f"{name}\0{tuple(tensors[name].shape)}\0".encode())
        found.update(tensors[name].numpy().tobytes())
    return found.hexdigest()


def restore(path: Path) -> PhysicsNetwork:
    """Return the compact network with the weights of a file."""
    network = PhysicsNetwork()
    network.fold()
    with safetensors.safe_open(path, framework="pt") as file:
        names = file.keys()
        network.load_state_dict({name: file.get_tensor(name).float() for name in names})
    return network.eval()
