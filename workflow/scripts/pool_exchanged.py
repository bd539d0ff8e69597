"""Pool exchange files at a site that has no patients of its own.

::

    .venv/bin/python workflow/scripts/pool_exchanged.py --configfile FILE

Prints the path of the page that it writes (`make pool`).
"""

import argparse
import sys
from pathlib import Path

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio
from thyrocast.config.reading import read_file, read_pooling
from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE, POOLED, POOLED_CENTERS, SOURCES
from thyrocast.errors import InputError
from thyrocast.evaluation import exchanged, pooled_centers
from thyrocast.planning import fingerprints, pooled_files
from thyrocast.report import pooled_page

PAGE = "report/pooled.html"


def run(configfile: Path, results: Path = Path("results")) -> Path:
    """Write `POOLED`, `POOLED_CENTERS`, `SOURCES` and the page, and return its path.

    Raises
    ------
    InputError
        If the config is not valid, if files do not match, or if the folder has results of patients.
    """
    config = read_pooling(read_file(configfile))
    files = pooled_files.read(config.exchanged)
    folder = results / config.study
    if (folder / "cohort").exists():
        raise InputError(
            f"key study: {folder} has the results of a study with patients, expected a name that is not used yet"
        )
    performance = io.concat(
        PERFORMANCE, [exchanged.rows(file, name) for name, file in files.items()]
    )
    level = next(iter(files.values())).level
    summary, centers = pooled_centers.pool(performance, level, [*files])
    sent = {
        center.name: (files[center.name], fingerprints.file_hash(Path(center.exchange)))
        for center in config.exchanged
    }
    sources = exchanged.sources(performance, sent, pooled_files.locked_model(files))
    for table, frame in ((POOLED, summary), (POOLED_CENTERS, centers), (SOURCES, sources)):
        io.write(table, frame, folder / table.path)
    tables = {
        table.name: io.read(table, folder / table.path)
        for table in (POOLED, POOLED_CENTERS, SOURCES)
    }
    page = folder / PAGE
    with fileio.atomic(page) as temporary:
        text = pooled_page.render(
            config.study, files, {**tables, PERFORMANCE.name: performance}, level
        )
        temporary.write_text(text, encoding="utf-8")
    return page


def main() -> int:
    """Read the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    options.add_argument("--configfile", type=Path, required=True)
    given = options.parse_args()
    try:
        print(run(given.configfile))
    except InputError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
