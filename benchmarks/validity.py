"""Validity of the statistics: bias, coverage and false positives, in one table.

Usage: python benchmarks/validity.py [--studies 600] [--only single,kfold] [--seed 1] [--processes 2] [--write]

    nice -n 10 .venv/bin/python benchmarks/validity.py --write    # table of the docs, figures of the report

Each part simulates studies whose true values are known, with the sizes and numbers of centers of the
project. Columns: the promise, what methods did that the present ones replaced, and the present ones;
ranges are over the settings. `--write` replaces the table in docs/statistics.md and the figures that the
report quotes; it needs all parts and at least 600 studies. `--verbose` prints every setting, with its Monte Carlo error.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import functools
import itertools
import json
import math
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "workflow" / "lib")]

import numpy as np  # noqa: E402 - after the number of threads and the path are set
import validity_centers as centers  # noqa: E402 - after the path is set
import validity_samples as samples  # noqa: E402 - after the path is set
from validity_rows import markdown, ranges, summary  # noqa: E402 - after the path is set

SIZES, CENTERS, TAUS = (121, 300), (3, 5, 10), (0.0, 0.3, 0.5)
#: Fewest studies whose figures are published.
FEWEST = 600
FIGURES = ROOT / "workflow" / "lib" / "thyrocast" / "evaluation" / "validity.json"
DOCS = ROOT / "docs" / "statistics.md"
BEGIN, END = "<!-- table of benchmarks/validity.py -->\n", "\n<!-- end of the table -->"
#: Part: function, and the arguments of each of its settings.
PARTS = {
    "recalibration": (samples.recalibrations, list(itertools.product(SIZES, (0.5, 0.6, 0.75)))),
    "single": (samples.single, list(itertools.product(SIZES, (0.65, 0.9)))),
    "readings": (samples.readings, list(itertools.product(SIZES, (5, 9)))),
    "certain": (samples.certain, list(itertools.product(SIZES))),
    "pooled": (centers.pooled, list(itertools.product(SIZES, CENTERS, TAUS))),
    "kfold": (
        samples.kfold,
        [
            (n, *design)
            for n in (40, 60, *SIZES)
            for design in ((5, 1, 0.0), (5, 2, 0.5), (5, 5, 0.5), (10, 1, 1.0), (10, 5, 0.5), (0, 10, 0.5))
        ],
    ),
    "tests": (centers.tests, list(itertools.product(SIZES, CENTERS, TAUS))),
    "power": (centers.power, list(itertools.product((3, 6)))),
    "sets": (samples.sets, list(itertools.product(SIZES))),
    "cross": (samples.cross, list(itertools.product(SIZES))),
}  # fmt: skip


def measure(task, studies, seed):
    """Rows of one setting of one part, with its CPU time."""
    (part, number), arguments = task
    start = time.process_time()
    random = np.random.default_rng([seed, [*PARTS].index(part), number])
    rows = [*PARTS[part][0](*arguments, studies, random)]
    return part, rows, time.process_time() - start


def document(found, studies):
    """Text of the docs with the table of these results."""
    head, rest = DOCS.read_text(encoding="utf-8").split(BEGIN)
    error = 100 * math.sqrt(0.95 * 0.05 / studies)
    note = (
        f"\n\n{studies} simulated studies in each setting; the Monte Carlo error of a share of 95 % is {error:.1f} "
        "points.\n"
    )
    return head + BEGIN + "\n" + markdown(found) + note + END + rest.split(END)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=600)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="print every setting")
    parser.add_argument("--write", action="store_true", help="write into docs and report")
    given = parser.parse_args()
    chosen = given.only.split(",")
    if given.write and {*chosen} != {*PARTS}:
        parser.error("--write needs all parts")
    if given.write and given.studies < FEWEST:
        parser.error(f"--write needs at least {FEWEST} studies, found {given.studies}")
    tasks = [
        ((part, number), arguments)
        for part in PARTS
        if part in chosen
        for number, arguments in enumerate(PARTS[part][1])
    ]
    work = functools.partial(measure, studies=given.studies, seed=given.seed)
    start, rows, seconds = time.perf_counter(), [], dict.fromkeys(chosen, 0.0)
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(given.processes, mp_context=context) as pool:
        for part, found, spent in pool.map(work, tasks):
            rows += found
            seconds[part] += spent
    if given.verbose:
        for one in rows:
            now = "before" if one.before else ""
            value = f"{one.value:9.4f} ({one.error:.4f})"
            print(f"{one.label:80}{one.setting:32}{now:8}{value:>20}{one.studies:6}")
    found = summary(rows)
    print(markdown(found))
    shown = ", ".join(f"{part} {spent:.0f}" for part, spent in seconds.items())
    print(f"\n{given.studies} studies in each setting, {time.perf_counter() - start:.0f} s; "
          f"CPU seconds: {shown}; all {sum(seconds.values()):.0f}")  # fmt: skip
    if given.write:
        stored = {"studies": given.studies, "ranges": ranges(rows), "table": found}
        FIGURES.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        DOCS.write_text(document(found, given.studies), encoding="utf-8")


if __name__ == "__main__":
    main()
