"""Check a SLURM cluster before the first run; see `thyrocast.cluster.doctor`."""

import sys

import library  # noqa: F401 - makes the package importable
from thyrocast.cluster.doctor.command import main

if __name__ == "__main__":
    sys.exit(main())
