"""Compare the predictions of a locked model with those of the study that made it.

::

    .venv/bin/python workflow/scripts/compare_application.py results/demo results/demo-west
"""

import argparse
import sys
from pathlib import Path

import library  # noqa: F401 - makes the package importable
from thyrocast.application import comparison
from thyrocast.errors import InputError


def main() -> int:
    """Read the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    options.add_argument("study", type=Path, help="results of the study that made the model")
    options.add_argument("applied", type=Path, help="results of the study that applied it")
    given = options.parse_args()
    try:
        number = comparison.compare(given.study, given.applied)
    except InputError as fault:
        print(fault, file=sys.stderr)
        return 1
    print(f"{number} predictions through the locked model equal those of the study to the bit")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
