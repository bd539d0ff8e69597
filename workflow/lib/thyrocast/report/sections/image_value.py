"""What the scintigram adds to what is known without it."""

import pandas as pd

from thyrocast.contract.evaluation import COMPARISONS
from thyrocast.contract.names import Metric, Model, Set
from thyrocast.pages import numbers
from thyrocast.report import scores, words
from thyrocast.report.study import StudyResults

#: Differences of the first screen, with what a positive difference means.
DIFFERENCES = (
    (Metric.AUC, "AUC", "above 0 favors the image"),
    (Metric.BRIER, "Brier score", "below 0 favors the image"),
    (Metric.NET_BENEFIT, "net benefit", "above 0 favors the image"),
)


def sentences(study: StudyResults, design: str, main: str) -> list[str]:
    """Differences between models with and without the image, as (few) sentences."""
    known = {*scores.headlines(study, design)["model"]}
    without = Model.CLINICAL.value
    if without not in known:
        return [
            "No model without the scintigram was scored: what the image adds is not known from this "
            "study."
        ]
    found = []
    for model in dict.fromkeys((Model.COMBINED.value, main)):
        if model in known and model != without:
            text = _difference(study, design, model, without)
            if text:
                found.append(text)
    return found


def _difference(study: StudyResults, design: str, model: str, without: str) -> str:
    parts = []
    for metric, name, favors in DIFFERENCES:
        row = _row(study, design, model, without, metric)
        if row is None:
            continue
        at = f" at {row['at']:g}" if numbers.is_number(row["at"]) else ""
        value = numbers.estimate(row["difference"], row["ci_low"], row["ci_high"], 3)
        over = f", {row['note']}" if "centers" in str(row["note"]) else ""
        parts.append(f"{name}{at} {value} ({favors}{over})")
    if not parts:
        return ""
    title = f"{words.model(model)} minus {words.model(without).lower()}"
    return f"{title}: {'; '.join(parts)}.{_by_center(study, design, model, without)}"


def _row(
    study: StudyResults, design: str, model: str, without: str, metric: str
) -> "pd.Series | None":
    """The first test of two models in a metric; its difference is model minus `without`."""
    rows = study.select(COMPARISONS, design=design, set=Set.TEST, metric=metric)
    rows = rows[rows["split"] == study.overall(design)]
    pair = rows["model_a"].isin([model, without]) & rows["model_b"].isin([model, without])
    rows = rows[pair & rows["difference"].notna()]
    if rows.empty:
        return None
    row = rows.iloc[0].copy()
    if row["model_a"] == without:
        row["difference"], row["ci_low"], row["ci_high"] = (
            -row["difference"], -row["ci_high"], -row["ci_low"],
        )  # fmt: skip
    return row


def _by_center(study: StudyResults, design: str, model: str, without: str) -> str:
    """Differences in AUC by center, without intervals."""
    both = [
        scores.center_rows(study, design, name).set_index("center")["estimate"]
        for name in (model, without)
    ]
    gaps = (both[0] - both[1]).dropna()
    if gaps.size < 2:
        return ""
    named = [f"{center} {numbers.number(gap, 2)}" for center, gap in gaps.items()]
    return f" AUC by center: {words.listing(named)}."
