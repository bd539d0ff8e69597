"""The name of a locked model in results: one hash of everything that it consists of."""

import hashlib
import json
from pathlib import Path

from thyrocast import fileio


def hash_of(manifest: str | Path) -> str:
    """Return the hash of a locked model, from its manifest: the one it states, or that of its files."""
    content = fileio.read_json(manifest)
    if "hash" in content:
        return str(content["hash"])
    text = json.dumps(content["files"], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
