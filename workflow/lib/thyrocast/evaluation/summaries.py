"""Results of centers whose data may not leave: their own performance tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from thyrocast import fileio
from thyrocast.errors import InputError
from thyrocast.evaluation.layout import COLUMNS
from thyrocast.evaluation.pooled import UNSEEN


def read(file: Path, own: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Rows of single, unseen centers in a performance table that another run of this workflow wrote.

    They are results of that run's own models: pooled with ours, they tell how the procedure does.

    Parameters
    ----------
    file
        The table that the center sent.
    own
        Rows that are there already: the study's own, and those of other files.

    Raises
    ------
    InputError
        If columns are missing, no center is in it, or a center is among the study's own.
    """
    where = f"summary {file}"
    rows = fileio.read_csv(file)
    missing = [name for name in COLUMNS["performance"] if not rows or name not in rows[0]]
    if missing:
        raise InputError(
            f"{where}: no column {missing[0]!r}, expected evaluation/performance.csv of the center"
        )
    centers = [
        row
        for row in rows
        if row["group"].startswith("center:") and row["set"] == "test" and row["design"] in UNSEEN
    ]
    if not centers:
        raise InputError(
            f"{where}: no test results of a center that its models had not seen, expected groups like "
            f"center:NAME of the designs {' or '.join(UNSEEN)}"
        )
    known = {(row["design"], row["group"]) for row in own}
    for row in centers:
        if (row["design"], row["group"]) in known:
            name = row["group"].partition(":")[2]
            raise InputError(
                f"{where}: center {name} is in design {row['design']} of this study already, or comes "
                "twice, expected a center that is not: remove the file or the center"
            )
    return centers
