"""Resume a study whose Snakemake was killed; see `thyrocast.cluster.resume`."""

import library  # noqa: F401 - makes the package importable
from thyrocast.cluster.resume import main

if __name__ == "__main__":
    main()
