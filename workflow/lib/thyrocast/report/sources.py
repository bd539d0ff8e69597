"""Where the results of each center come from, and whether they are about one model."""

from typing import Any

from thyrocast.contract.evaluation import SOURCES
from thyrocast.contract.names import Design
from thyrocast.contract.site_names import ModelSource, ResultSource
from thyrocast.pages.parts import Cell, Grid, label, sizes
from thyrocast.report.study import StudyResults

_SOURCES = {
    ResultSource.DATA: "data of this study",
    ResultSource.EXCHANGE: "exchange file",
}
_MODELS = {
    ModelSource.SAME: "same model",
    ModelSource.OWN: "own models",
    ModelSource.UNKNOWN: "not stated whether the same",
}
_ONE = "All centers were scored with the same model: pooled intervals and the prediction interval describe it."
_MANY = (
    "Centers were not all scored with the same model: pooled intervals and the prediction interval "
    "describe the procedure, not one model."
)
_WITHOUT = "Results of all patients as one sample, curves and subgroups contain the patients of this study only."


def sources(study: StudyResults, design: str) -> Grid | None:
    """Source and models of each center of a design; None if all are data of this study.

    Parameters
    ----------
    study
        The finished study.
    design
        A design whose centers were not seen in training.
    """
    if SOURCES.name not in study.tables:
        return None
    rows = study.select(SOURCES, design=design).to_dict("records")
    if all(row["source"] == ResultSource.DATA for row in rows):
        return None
    one = design == Design.EXTERNAL and all(row["models"] == ModelSource.SAME for row in rows)
    hidden = [f"{row['center']}: {row['hidden']}" for row in rows if row["hidden"]]
    note = " ".join([_ONE if one else _MANY, _WITHOUT, *hidden])
    header = ["Center", "Patients", "Results from", "Models"]
    return Grid("Sources of the pooled results", header, [_row(row) for row in rows], note)


def _row(row: Any) -> list[Cell]:
    known = isinstance(row["study"], str) and isinstance(row["sent_as"], str)
    sent = f"{row['sent_as']} of study {row['study']}" if known else ""
    hash_ = str(row["model_hash"])[:12] if isinstance(row["model_hash"], str) else ""
    return [
        label(row["center"]),
        sizes(row),
        label(_SOURCES[ResultSource(row["source"])], sent),
        label(_MODELS[ModelSource(row["models"])], hash_),
    ]
