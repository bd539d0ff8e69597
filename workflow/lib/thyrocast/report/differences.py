"""Differences of two models in words."""

import pandas as pd

from thyrocast.contract.evaluation import COMPARISONS
from thyrocast.contract.names import Metric, Set
from thyrocast.pages import numbers
from thyrocast.report import words
from thyrocast.report.study import StudyResults

#: Metrics that are compared, and whether a higher value is better.
METRICS = (
    (Metric.AUC, "AUC", True),
    (Metric.BRIER, "Brier score", False),
    (Metric.NET_BENEFIT, "net benefit", True),
)


def sentence(study: StudyResults, design: str, model: str, other: str, favored: str) -> str:
    """Return the differences ``model`` minus ``other`` as a sentence; empty if none was tested.

    Parameters
    ----------
    study, design
        Results, and the design.
    model, other
        Names of the models.
    favored
        What a difference in the direction of the first model favors, such as `the image`.
    """
    parts = []
    for metric, name, higher in METRICS:
        row = _row(study, design, model, other, metric)
        if row is None:
            continue
        at = f" at a threshold of {row['at']:g}:" if numbers.is_number(row["at"]) else ""
        value = numbers.estimate(row["difference"], row["ci_low"], row["ci_high"], 3)
        over = f", {row['note']}" if "centers" in str(row["note"]) else ""
        parts.append(
            f"{name}{at} {value} ({'above' if higher else 'below'} 0 favors {favored}{over})"
        )
    if not parts:
        return ""
    title = f"{words.model(model)} minus {words.model(other).lower()}"
    return f"{title}: {'; '.join(parts)}."


def _row(
    study: StudyResults, design: str, model: str, other: str, metric: str
) -> "pd.Series | None":
    """The first test of two models in a metric; its difference is model minus `other`."""
    rows = study.select(COMPARISONS, design=design, set=Set.TEST, metric=metric)
    rows = rows[rows["split"] == study.overall(design)]
    pair = rows["model_a"].isin([model, other]) & rows["model_b"].isin([model, other])
    rows = rows[pair & rows["difference"].notna()]
    if rows.empty:
        return None
    row = rows.iloc[0].copy()
    if row["model_a"] == other:
        row["difference"], row["ci_low"], row["ci_high"] = (
            -row["difference"], -row["ci_high"], -row["ci_low"],
        )  # fmt: skip
    return row
