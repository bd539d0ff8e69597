"""Performance tables of centers whose data must not leave them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.names import UNSEEN_CENTERS, GroupKind, Scale, Set
from thyrocast.errors import InputError


def read(file: Path, own: pd.DataFrame) -> pd.DataFrame:
    """Read the results of unseen centers from a table that another run of this workflow wrote.

    They are results of that run's models. Pooled with those of this study, they describe the
    modeling procedure, not one model.

    Parameters
    ----------
    file
        The table `PERFORMANCE` that was sent.
    own
        Table `PERFORMANCE` of this study, with the centers of the summaries that were read before.

    Raises
    ------
    InputError
        If the file is not such a table, has another confidence level, kind of outcomes or version
        than `own`, has no unseen center, has a center that is in `own`, or has a number that no run
        writes.
    """
    where = f"summary {file}"
    found = io.read(PERFORMANCE, file)
    centers = found[
        (found["group_kind"] == GroupKind.CENTER)
        & (found["set"] == Set.TEST)
        & found["design"].isin([str(design) for design in UNSEEN_CENTERS])
    ]
    if centers.empty:
        raise InputError(
            f"{where}: no test results of a center that its models had not seen, expected rows with "
            f"group_kind center of the designs {' or '.join(UNSEEN_CENTERS)}"
        )
    _check_run(centers, own, where)
    _check_numbers(centers, where)
    known = own[own["group_kind"] == GroupKind.CENTER]
    present = set(zip(known["design"], known["group"].str.casefold(), strict=True))
    for design, name in zip(centers["design"], centers["group"], strict=True):
        if (design, name.casefold()) in present:
            raise InputError(
                f"{where}: center {name} is in design {design} of this study already, or in two "
                "summaries, expected a center that is not: remove the file or the center"
            )
    return centers.reset_index(drop=True)


def _check_run(centers: pd.DataFrame, own: pd.DataFrame, where: str) -> None:
    """Refuse a table whose intervals or outcomes are of another kind than those of this study.

    A standard error from the limits of a 90 % interval would be too small by a sixth at 95 %.
    """
    for column in ("level", "outcomes", "simulated", "contract"):
        sent, ours = (sorted(set(table[column].dropna())) for table in (centers, own))
        if centers[column].isna().any() or (ours and sent != ours):
            found = ", ".join(map(str, sent)) or "empty"
            expected = ", ".join(map(str, ours)) or "a value"
            raise InputError(
                f"{where}, column {column} is {found}, expected {expected} as in this study: ask for a "
                "table that was made with the same settings"
            )


def _check_numbers(centers: pd.DataFrame, where: str) -> None:
    """Refuse what would be pooled as if it were a result; its index are rows of the file."""
    estimate, scale = centers["estimate"], centers["scale"]
    faults = {
        "estimate": (scale.isin([Scale.LOGIT, Scale.LOG]) & (estimate < 0))
        | ((scale == Scale.LOGIT) & (estimate > 1)),
        "std_error": centers["std_error"] < 0,
        "ci_low": centers["ci_low"] > centers["ci_high"],
        "events": (centers["events"] > centers["n"]).fillna(False).astype(bool),
    }
    expected = {
        "estimate": "a number that its scale allows",
        "std_error": "at least 0",
        "ci_low": "at most ci_high",
        "events": "at most n",
    }
    for column, wrong in faults.items():
        if wrong.any():
            row = centers.index[wrong][0]
            raise InputError(
                f"{where}, row {row + 2}, column {column}: is {float(centers[column][row]):g}, expected "
                f"{expected[column]}"
            )
