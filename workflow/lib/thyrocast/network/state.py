"""Training state that survives a kill: saved whole or not at all, checked by its own hash.

States of one training lie in a folder named by a hash of all that determines its result. A file's
name is its step and the hash of its content, so two jobs that train the same member by mistake write
the same names with the same bytes and need no lock (locks are not reliable on shared file systems).
"""

import contextlib
import hashlib
import json
import logging
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from thyrocast.network.patients import CHUNK, Patients

LOGGER = logging.getLogger("thyrocast")
GENERATIONS = 2
ABANDONED_S = 3600
FORGOTTEN_DAYS = 30
# Numbers of a training that its state keeps beside the tensors.
PROGRESS = ("epoch", "step", "loss_sum", "seconds", "history")


@dataclass
class State:
    """Everything that goes on after a kill.

    Attributes
    ----------
    step
        Optimization steps done in all; the epoch and the step within it follow.
    tensors
        Weights, optimizer moments and, with early stopping, the best weights, by name.
    progress
        Plain numbers by the names in `PROGRESS`.
    """

    step: int
    tensors: dict[str, Tensor]
    progress: dict[str, Any]


def code_version() -> str:
    """Hash of the network family's own source."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def key(patients: Patients, facts: dict[str, Any]) -> str:
    """Name of the state folder: hash of the patients, their images, and ``facts`` that matter."""
    digest = hashlib.blake2b(digest_size=16)
    text = {"code": code_version(), "torch": torch.__version__, "numpy": np.__version__, **facts}
    digest.update(json.dumps(text, sort_keys=True).encode())
    digest.update("\n".join(patients.name).encode())
    digest.update(patients.outcome.tobytes() + patients.gland_counts.tobytes())
    for start in range(0, len(patients), CHUNK):
        digest.update(patients.load(slice(start, start + CHUNK)).tobytes())
    return digest.hexdigest()


def save(folder: Path, state: State) -> Path:
    """Write a state under a temporary name, rename it, and drop all but the newest two.

    No fsync: after a crash of the machine, a file that did not reach the disk fails its hash.
    """
    metadata = {"state": json.dumps({"step": state.step, "progress": state.progress})}
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{uuid.uuid4().hex}.tmp"
        try:
            safetensors.torch.save_file(state.tensors, temporary, metadata=metadata)
            path = folder / f"{state.step:010d}-{_digest(temporary)}.safetensors"
            temporary.replace(path)
            break
        except FileNotFoundError:
            # Another job has just finished the same training and removed the folder: make it again.
            continue
        finally:
            temporary.unlink(missing_ok=True)
    _prune(folder)
    return path


def load(folder: Path) -> State | None:
    """Read the newest state whose content fits its name; a damaged one gives way to the one before."""
    for path in sorted(folder.glob("*.safetensors"), reverse=True):
        try:
            if _digest(path) != path.stem.partition("-")[2]:
                LOGGER.warning("training state %s is damaged; trying the one before", path)
                continue
            with safetensors.safe_open(path, framework="pt") as file:
                facts = json.loads(file.metadata()["state"])
                names = file.keys()
                tensors = {name: file.get_tensor(name) for name in names}
        except FileNotFoundError:
            continue
        return State(facts["step"], tensors, facts["progress"])
    return None


def remove(folder: Path) -> None:
    """Delete the state of a training that has finished."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Delete states that no training has touched for `FORGOTTEN_DAYS`, as changed settings leave them."""
    for folder in parent.glob("*/"):
        with contextlib.suppress(FileNotFoundError):
            newest = max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)
            if time.time() - max(newest, folder.stat().st_mtime) > FORGOTTEN_DAYS * 86400:
                LOGGER.info("removing a training state that nobody has gone on from: %s", folder)
                remove(folder)


def pack(**groups: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put tensors of several groups side by side, on the processor, each under its group's prefix."""
    return {
        f"{group}.{name}": value.detach().cpu().contiguous()
        for group, tensors in groups.items()
        for name, value in tensors.items()
    }


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Entries under a prefix, without it."""
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
