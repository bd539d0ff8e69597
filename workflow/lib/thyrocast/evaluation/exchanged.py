"""Results of centers that sent an exchange file, as rows of the table `PERFORMANCE`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE, SOURCES
from thyrocast.contract.exchange import Exchange, ModelOrigin
from thyrocast.contract.names import ALL_SPLITS, UNSEEN_CENTERS, Design, GroupKind, Set
from thyrocast.contract.site_names import ModelSource, ResultSource
from thyrocast.errors import InputError
from thyrocast.evaluation.headlines import headlines


def rows(found: Exchange, name: str) -> pd.DataFrame:
    """Return a center's results.

    Parameters
    ----------
    found
        Its exchange file.
    name
        The center's name in this study.

    Returns
    -------
    DataFrame
        Rows of `PERFORMANCE`, equal to those that the site has, except for what the file hides.
    """
    shared: dict[str, Any] = {
        "design": found.design,
        "split": ALL_SPLITS,
        "set": Set.TEST,
        "group_kind": GroupKind.CENTER,
        "variable": "",
        "group": name,
        "rule": "",
        "n": found.patients,
        "events": found.cured,
        "level": found.level,
        "outcomes": "shuffled" if found.flags.shuffled else "observed",
        "simulated": found.flags.simulated,
        "contract": found.contract,
    }
    return io.build(
        PERFORMANCE,
        [
            shared | {"model": model} | result.model_dump(mode="json")
            for model, results in found.models.items()
            for result in results.results
        ],
    )


def check_model(found: Exchange, name: str, own: str | None) -> None:
    """Refuse results of another locked model than that of this study.

    Parameters
    ----------
    found
        The exchange file.
    name
        The center's name in this study.
    own
        Hash of the locked model of this study; None if it has none.

    Raises
    ------
    InputError
        If both name a locked model, but not the same one.
    """
    sent = found.model
    if sent.origin is ModelOrigin.LOCKED and own is not None and sent.hash != own:
        raise InputError(
            f"center {name}: its exchange file is about the locked model {str(sent.hash)[:12]}, expected "
            f"{own[:12]}, the locked model of this study: apply that one at the center and ask for a new "
            "file"
        )


def sources(
    performance: pd.DataFrame,
    exchanged: Mapping[str, tuple[Exchange, str]],
    own: str | None,
) -> pd.DataFrame:
    """Return where the pooled results of each center come from.

    Parameters
    ----------
    performance
        Table `PERFORMANCE` with the rows of all centers.
    exchanged
        By center, its exchange file and the SHA-256 of it.
    own
        Hash of the locked model of this study; None if it has none.

    Returns
    -------
    DataFrame
        `SOURCES`.
    """
    unseen = performance[performance["design"].isin([str(one) for one in UNSEEN_CENTERS])]
    named = headlines(unseen)
    named = named[named["group_kind"] == GroupKind.CENTER].drop_duplicates(["design", "group"])
    found = []
    for row in named.itertuples():
        center, design = str(row.group), Design(str(row.design))
        cells: dict[str, Any] = {
            "design": design, "center": center, "source": ResultSource.DATA,
            "models": ModelSource.SAME if design is Design.EXTERNAL else ModelSource.OWN,
            "model_hash": own if design is Design.EXTERNAL else None,
            "file_hash": None, "study": None, "sent_as": None,
            "n": row.n, "events": row.events, "hidden": "",
        }  # fmt: skip
        if center in exchanged:
            cells |= _sent(*exchanged[center], own)
        found.append(cells)
    return io.build(SOURCES, found)


def _sent(file: Exchange, hash_: str, own: str | None) -> dict[str, Any]:
    same = file.design is Design.EXTERNAL and file.model.hash is not None and file.model.hash == own
    locked = file.model.origin is ModelOrigin.LOCKED and not same
    models = ModelSource.SAME if same else ModelSource.UNKNOWN if locked else ModelSource.OWN
    return {
        "source": ResultSource.EXCHANGE,
        "models": models,
        "model_hash": file.model.hash if file.design is Design.EXTERNAL else None,
        "file_hash": hash_,
        "study": file.study,
        "sent_as": file.center,
        "hidden": " ".join(file.hidden),
    }
