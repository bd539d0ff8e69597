"""Versions of the packages that a job ran with: written to its log, read from it later.

Each job writes its own versions, because each may run in another environment. Standard library only,
because `thyrocast.log` imports this in every environment.
"""

import importlib.metadata
import json
import platform
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

#: Distributions that influence results, by the name under which code imports them. pydicom finds its
#: decoders while it runs, so they count as imported with it.
DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "PIL": ("pillow",),
    "highdicom": ("highdicom",),
    "jinja2": ("jinja2",),
    "matplotlib": ("matplotlib",),
    "numpy": ("numpy",),
    "onnx": ("onnx",),
    "onnxruntime": ("onnxruntime",),
    "openpyxl": ("openpyxl",),
    "pandas": ("pandas",),
    "pandera": ("pandera",),
    "pydantic": ("pydantic",),
    "pydicom": ("pydicom", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pyjpegls"),
    "pytorch_grad_cam": ("grad-cam",),
    "reportlab": ("reportlab",),
    "rocrate": ("rocrate",),
    "safetensors": ("safetensors",),
    "scipy": ("scipy",),
    "sklearn": ("scikit-learn",),
    "skl2onnx": ("skl2onnx",),
    "skops": ("skops",),
    "torch": ("torch",),
    "torchvision": ("torchvision",),
}
_MARK = "versions "
# The line is among the first of a log.
_HEAD_BYTES = 4_096


def installed(distributions: Iterable[str]) -> dict[str, str]:
    """Return Python's version and those of the distributions that this process can import."""
    found = {"python": platform.python_version()}
    for name in distributions:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def log_line() -> str:
    """Return the line that records all known versions in a job's log."""
    names = [name for group in DISTRIBUTIONS.values() for name in group]
    return _MARK + json.dumps(installed(names))


def read(log: Path, imported: Collection[str]) -> dict[str, str] | None:
    """Return the versions that a job recorded in its log.

    Parameters
    ----------
    log
        The job's log file.
    imported
        Top-level names that the job's code imports. Other packages may be importable (Snakemake
        adds its own to every environment) and are left out.

    Returns
    -------
    dict or None
        Distribution to version, with ``python``; None if the log has no such record, or a damaged one.
    """
    with log.open(encoding="utf-8", errors="replace") as lines:
        match = re.search(rf" {_MARK}(\{{.*\}})$", lines.read(_HEAD_BYTES), re.MULTILINE)
    if not match:
        return None
    wanted = {"python"} | {n for name in imported for n in DISTRIBUTIONS.get(name, ())}
    try:
        recorded: dict[str, str] = json.loads(match[1])
    except ValueError:
        return None
    return {name: version for name, version in recorded.items() if name in wanted}


def merge(records: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Join the records of several jobs; versions that differ are all named (``1.0 and 1.1``)."""
    seen: dict[str, set[str]] = {}
    for record in records:
        for name, version in record.items():
            seen.setdefault(name, set()).add(version)
    return {name: " and ".join(sorted(versions)) for name, versions in sorted(seen.items())}
