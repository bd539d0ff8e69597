"""Import what a family's scripts import, and write down where everything came from."""

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path


def run(modules: list[str], others: list[str], report: Path) -> None:
    """Write the interpreter's prefix, the file of every module, and which others are in reach."""
    found = {name: importlib.import_module(name).__file__ for name in modules}
    seen = {
        "prefix": sys.prefix,
        "conda_prefix": os.environ.get("CONDA_PREFIX"),
        "modules": found,
        "others": [name for name in others if importlib.util.find_spec(name)],
    }
    report.write_text(json.dumps(seen, indent=1))


if "snakemake" in globals():
    run(snakemake.params.modules, snakemake.params.others, Path(snakemake.output[0]))
