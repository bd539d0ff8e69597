"""Performance tables of centers whose data must not leave them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.names import UNSEEN_CENTERS, GroupKind, Set
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
        If the file is not such a table, has no unseen center, or has a center that is in `own`.
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
    known = own[own["group_kind"] == GroupKind.CENTER]
    present = set(zip(known["design"], known["group"], strict=True))
    for design, name in zip(centers["design"], centers["group"], strict=True):
        if (design, name) in present:
            raise InputError(
                f"{where}: center {name} is in design {design} of this study already, or in two "
                "summaries, expected a center that is not: remove the file or the center"
            )
    return centers.reset_index(drop=True)
