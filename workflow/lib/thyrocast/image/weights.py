"""Weights of networks that are part of the package, read without PyTorch or safetensors."""

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def read(path: Path, sha256: str | None = None) -> dict[str, Floats]:
    """Return the tensors of a safetensors file: a header in JSON, then the numbers.

    Parameters
    ----------
    path
        The file.
    sha256
        Hash that the file must have; None for any file.

    Raises
    ------
    ValueError
        If the file has another hash.
    """
    content = path.read_bytes()
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path.name} is not the file of this version: install thyrocast again")
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    data = content[8 + length :]
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, stop = entry["data_offsets"]
        kind = {"F32": "<f4", "F16": "<f2"}[entry["dtype"]]
        found[name] = (
            np.frombuffer(data[start:stop], kind).reshape(entry["shape"]).astype(np.float32)
        )
    return found
