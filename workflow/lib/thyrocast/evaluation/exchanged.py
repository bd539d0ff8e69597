"""Results of centers that sent an exchange file, as rows of the table `PERFORMANCE`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE, SOURCES
from thyrocast.contract.exchange import SCALES, Exchange, ModelOrigin
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


def check_other(found: Exchange, name: str, performance: pd.DataFrame) -> None:
    """Refuse the results of a center whose data the study has as well: it would be pooled twice.

    Parameters
    ----------
    found
        The exchange file.
    name
        The center's name in this study.
    performance
        Table `PERFORMANCE` of the centers with data.

    Raises
    ------
    InputError
        If every estimate with all digits is that of a center with data.
    """
    known = headlines(performance)
    known = known[(known["group_kind"] == GroupKind.CENTER) & known["estimate"].notna()]
    sent = {
        (model, one.metric.value, one.estimate, one.std_error)
        for model, results in found.models.items()
        for one in results.results
        if one.metric in SCALES and one.estimate is not None and one.std_error is not None
    }
    for center, rows in known.groupby("group"):
        own = zip(rows["model"], rows["metric"], rows["estimate"], rows["std_error"], strict=True)
        if sent and sent <= {*own}:
            raise InputError(
                f"center {name}: its exchange file has exactly the results of center {center}, whose data are in "
                "this study: remove one of them"
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
