"""Check what nodes can access: the shared folder, the weights file, the pseudonym key, GPUs."""

import hashlib
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from thyrocast.cluster.doctor import storage
from thyrocast.cluster.doctor.findings import Finding, State, call, ok_if
from thyrocast.cluster.doctor.requests import LAUNCHER_MEMORY_MB, Request

# Runs on a node with the launcher's Python and prints what the node can access.
_PROBE = """
import hashlib, json, os, socket, sys
token, weights, key = sys.argv[1:4]
seen = os.path.exists(token)
if seen:
    with open(token + ".back", "w") as file:
        file.write("back")
cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
try:
    os.makedirs(cache, exist_ok=True)
    writable = os.access(cache, os.W_OK)
except OSError:
    writable = False
try:
    with open(os.path.expanduser(key), "rb") as file:
        digest = hashlib.sha256(file.read().strip()).hexdigest()
except OSError:
    digest = ""
print(json.dumps({"host": socket.gethostname(), "seen": seen, "key": digest,
                  "cache": "" if writable else cache,
                  "weights": not weights or os.path.exists(weights),
                  "cuda": os.environ.get("CUDA_VISIBLE_DEVICES", "")}))
"""


@dataclass(frozen=True)
class Probe:
    """What a process on a node reported.

    Attributes
    ----------
    host
        Name of the node.
    seen
        Whether it saw a file that was created here.
    key
        Hash of the pseudonym key as it was found there; empty if there is none.
    cache
        The folder for Snakemake's cache, if it cannot be written there; otherwise empty.
    weights
        Whether it saw the weights file.
    cuda
        Value of ``CUDA_VISIBLE_DEVICES``.
    """

    host: str
    seen: bool
    key: str
    cache: str
    weights: bool
    cuda: str


def check(requests: list[Request], weights: str, key: str) -> Iterator[Finding]:
    """Run a probe on one node of each partition, with a GPU where jobs ask for one."""
    token = Path(".snakemake") / f"doctor-{time.time_ns()}"
    token.parent.mkdir(exist_ok=True)
    token.touch()
    checked: set[tuple[str, bool]] = set()
    for request in requests:
        if (request.partition, request.gpu) not in checked:
            checked.add((request.partition, request.gpu))
            yield from _check_one(request, token, weights, key)
    token.unlink()


def _check_one(request: Request, token: Path, weights: str, key: str) -> Iterator[Finding]:
    where = f"partition {request.partition or '(default)'}{' with a GPU' if request.gpu else ''}"
    small = dict(request.resources) | {"runtime": "2", "mem_mb": str(LAUNCHER_MEMORY_MB)}
    options = replace(request, threads=1, resources=tuple(small.items())).options
    srun = ["srun", "--quiet", "--immediate=60", "-n1", *options]
    answer = call(*srun, sys.executable, "-c", _PROBE, str(token.resolve()), weights, key)
    printed = re.search(r"^\{.*\}$", answer.text, re.M)
    if not answer.success or not printed:
        yield Finding(
            State.WARN, f"{where}: not checked, no node within a minute: {answer.text[-200:]}"
        )
        return
    probe = Probe(**json.loads(printed[0]))
    back = token.with_name(token.name + ".back")
    shared = probe.seen and back.exists()
    back.unlink(missing_ok=True)
    folder = f"this folder is {'' if shared else 'not '}shared"
    yield ok_if(shared, f"{where}, node {probe.host}: {folder}")
    if probe.cache:
        yield Finding(State.FAIL, f"{where}: {storage.unwritable(probe.cache)}")
    if not probe.weights:
        yield Finding(State.FAIL, f"{where}: the weights file {weights} is missing there")
    if request.gpu:
        given = f"{where}: CUDA_VISIBLE_DEVICES={probe.cuda}"
        yield ok_if(probe.cuda != "", given, otherwise=State.WARN)
    here = Path(key).expanduser()
    if key and here.is_file():
        same = probe.key == hashlib.sha256(here.read_bytes().strip()).hexdigest()
        yield ok_if(
            same,
            f"{where}: the pseudonym key {key} is {'the same' if same else 'missing or another one'} "
            f"there{'' if same else ': set pseudonym_key to a file on the shared file system'}",
        )
