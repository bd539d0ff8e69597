"""Who is in the numbers of the pages: nobody who is scored apart.

Results contain the patients whose prediction was made before the outcome. If the pages counted the others
as well, the difference of two numbers would be the outcome of these few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.cohort import WITHOUT_OUTCOME
from thyrocast.contract.documents import CenterFlow, Flow
from thyrocast.report.study import StudyResults


def without_apart(study: StudyResults) -> StudyResults:
    """Return a study without the patients who are scored apart, as if they had never been found.

    Parameters
    ----------
    study
        As it is read. The tables of its evaluation, the sample size and the maps are about the others
        already; shares of all patients without an outcome are left out, because they are not.
    """
    if study.applied is None or study.applied.scored_apart.empty:
        return study
    apart = study.applied.scored_apart
    outcome = study.cohort.set_index("patient")["outcome"]
    flow = {
        name: _less(center, outcome[[*apart.index[apart == name].intersection(outcome.index)]])
        for name, center in study.flow.centers.items()
    }
    tables = dict(study.tables)
    if WITHOUT_OUTCOME.name in tables:
        tables[WITHOUT_OUTCOME.name] = io.empty(WITHOUT_OUTCOME)
    return replace(
        study,
        cohort=_others(study.cohort, apart),
        flow=Flow(centers=flow),
        division=_others(study.division, apart),
        splits=tuple(replace(one, gradcam=_others(one.gradcam, apart)) for one in study.splits),
        tables=tables,
    )


def _others(frame: pd.DataFrame, apart: Mapping[str, str] | pd.Series[str]) -> pd.DataFrame:
    return frame[~frame["patient"].isin([*apart.keys()])].reset_index(drop=True)


def _less(center: CenterFlow, outcome: pd.Series[int]) -> CenterFlow:
    """Numbers of a center without some of the analyzed, who are in table and images."""
    changes = {
        name: getattr(center, name) - len(outcome)
        for name in ("found", "in_table", "in_dicom", "matched", "analyzed")
    }
    return center.model_copy(update=changes | {"cured": center.cured - int((outcome == 1).sum())})
