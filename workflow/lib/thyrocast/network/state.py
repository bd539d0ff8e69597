"""State of an unfinished training: saved completely or not at all, verified by its own hash.

The states of one training are in a folder whose name is a hash of everything that determines its
result. A file's name is its step and the hash of its content. Two jobs that train the same member by
mistake therefore write the same names with the same bytes and need no lock (locks are not reliable on
shared file systems).
"""

import contextlib
import hashlib
import json
import logging
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from thyrocast.network.image_set import ImageSet
from thyrocast.network.record import Epoch

LOGGER = logging.getLogger("thyrocast")
#: States that are kept, the newest.
GENERATIONS = 2
#: Age from which a temporary file belongs to no running job, s.
ABANDONED_S = 3600
#: Days after which a state that no training has used is removed.
FORGOTTEN_DAYS = 30


@dataclass(frozen=True)
class Progress:
    """Progress of a training.

    Attributes
    ----------
    epoch, step
        Epochs that are complete, and steps of the current one.
    loss_sum
        Summed loss of the current epoch.
    seconds
        Time spent on the current epoch, s.
    history
        The complete epochs.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    history: tuple[Epoch, ...] = ()


@dataclass(frozen=True)
class TrainingState:
    """Everything that is needed to resume a training.

    Attributes
    ----------
    step
        Optimization steps in total.
    tensors
        Weights, optimizer moments and, with early stopping, the best weights, by name.
    progress
        Progress of the training.
    """

    step: int
    tensors: dict[str, Tensor]
    progress: Progress


def _source_hash() -> str:
    """Hash of the source code of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def key(data: ImageSet, facts: dict[str, Any]) -> str:
    """Name of the state folder: hash of the patients, their images, and `facts` (JSON)."""
    digest = hashlib.blake2b(digest_size=16)
    text = {"code": _source_hash(), "torch": torch.__version__, "numpy": np.__version__, **facts}
    digest.update(json.dumps(text, sort_keys=True).encode())
    digest.update("\n".join(data.patient).encode())
    digest.update(data.outcome.tobytes() + data.gland_counts.tobytes())
    for part in data.chunks():
        digest.update(data.load(part).tobytes())
    return digest.hexdigest()


def save(folder: Path, state: TrainingState) -> Path:
    """Write a state under a temporary name, rename it, and remove all but the newest two.

    fsync is not needed: if the machine crashes, an incomplete file does not match its hash.
    """
    metadata = {"state": json.dumps({"step": state.step, "progress": asdict(state.progress)})}
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{uuid.uuid4().hex}.tmp"
        try:
            safetensors.torch.save_file(state.tensors, temporary, metadata=metadata)
            path = folder / f"{state.step:010d}-{_digest(temporary)}.safetensors"
            temporary.replace(path)
            break
        except FileNotFoundError:
            # Another job has just finished the same training and removed the folder: create it again.
            continue
        finally:
            temporary.unlink(missing_ok=True)
    _prune(folder)
    return path


def load(folder: Path) -> TrainingState | None:
    """Read the newest state whose content matches its hash; None if there is none."""
    for path in sorted(folder.glob("*.safetensors"), reverse=True):
        try:
            if _digest(path) != path.stem.partition("-")[2]:
                LOGGER.warning("training state %s is damaged: trying the previous one", path)
                continue
            with safetensors.safe_open(path, framework="pt") as file:
                facts = json.loads(file.metadata()["state"])
                names = file.keys()
                tensors = {name: file.get_tensor(name) for name in names}
        except FileNotFoundError:
            continue
        except RuntimeError:
            # torch reports a missing file like this. Another job of the same training may have
            # saved newer states, and removed this one after its hash was verified.
            if path.exists():
                raise
            continue
        progress = facts["progress"]
        history = tuple(Epoch(**epoch) for epoch in progress.pop("history"))
        return TrainingState(facts["step"], tensors, Progress(**progress, history=history))
    return None


def remove(folder: Path) -> None:
    """Remove the state of a training that has finished."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove states that no training used for `FORGOTTEN_DAYS`, such as after changed settings."""
    for folder in parent.glob("*/"):
        with contextlib.suppress(FileNotFoundError):
            newest = max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)
            if time.time() - max(newest, folder.stat().st_mtime) > FORGOTTEN_DAYS * 86400:
                LOGGER.info("removing a training state that was not resumed: %s", folder)
                remove(folder)


def pack(**groups: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Join the tensors of several groups, on the CPU, each under its group's prefix."""
    return {
        f"{group}.{name}": value.detach().cpu().contiguous()
        for group, tensors in groups.items()
        for name, value in tensors.items()
    }


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Select the entries with a prefix, and remove the prefix from their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _prune(folder: Path) -> None:
    for path in sorted(folder.glob("*.safetensors"))[:-GENERATIONS]:
        path.unlink(missing_ok=True)
    for path in folder.glob(".*.tmp"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                path.unlink()
