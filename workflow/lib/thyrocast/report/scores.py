"""Which row of the evaluation's tables represents a model, a design or a center."""

import pandas as pd

from thyrocast.contract.evaluation import PERFORMANCE, POOLED, POOLED_CENTERS
from thyrocast.contract.names import ALL_SPLITS, Design, GroupKind, Metric, Model, Set
from thyrocast.pages import numbers
from thyrocast.report.study import StudyResults

#: The model that represents a design if that of the config was not scored: the first of these that was.
MAIN_MODELS = (
    Model.SIGNATURE, Model.NETWORK, Model.COMBINED, Model.HANDCRAFTED, Model.CLINICAL,
)  # fmt: skip


def evaluated(study: StudyResults) -> list[str]:
    """Designs with at least one AUC in a test set, strongest evidence first."""
    return [design for design in study.designs if not headlines(study, design).empty]


def headlines(study: StudyResults, design: str) -> pd.DataFrame:
    """AUC of every model in a design's test set, one row per model."""
    rows = study.pooled_rows(PERFORMANCE, design, Set.TEST, metric=Metric.AUC)
    return rows[rows["estimate"].notna()].drop_duplicates("model")


def main_model(study: StudyResults, design: str) -> str:
    """Name the model that represents a scored design: that of the config, if it was scored."""
    found = [*headlines(study, design)["model"]]
    wanted = (study.config.evaluation.primary_model, *MAIN_MODELS)
    return next((model.value for model in wanted if model in found), found[0])


def headline(
    study: StudyResults,
    design: str,
    model: str,
    metric: str = Metric.AUC,
    set_name: str = Set.TEST,
) -> "pd.Series | None":
    """The row of performance.csv that represents a model in a design; None without an estimate."""
    rows = study.pooled_rows(PERFORMANCE, design, set_name, model=model, metric=metric)
    rows = rows[rows["estimate"].notna()]
    return None if rows.empty else rows.iloc[0]


def random_effects(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of pooled.csv or pooled_centers.csv whose variance between centers is by REML."""
    return rows[rows["method"].str.startswith("reml")]


def pooled(
    study: StudyResults, design: str, model: str, metric: str = Metric.AUC
) -> "pd.Series | None":
    """The random-effects row of pooled.csv (REML); None if the centers do not allow one."""
    rows = random_effects(study.select(POOLED, design=design, model=model, metric=metric))
    rows = rows[rows["estimate"].notna()]
    return None if rows.empty else rows.iloc[0]


def answer(
    study: StudyResults,
    design: str,
    model: str,
    metric: str = Metric.AUC,
    set_name: str = Set.TEST,
) -> "pd.Series | None":
    """The result of a model in a design: its headline, or the mean over centers (a row with ``k``).

    The table of pooled results says which: an interval of all patients as one sample ignores that
    centers differ, and in `loco` a pair of patients of two centers compares two models.
    """
    row = headline(study, design, model, metric, set_name)
    mean = pooled(study, design, model, metric)
    if row is None or mean is None or not mean["headline"] or set_name != Set.TEST:
        return row
    row = row.copy()
    for part in ("estimate", "ci_low", "ci_high", "k"):
        row[part] = mean[part]
    rows = study.select(POOLED_CENTERS, design=design, model=model, metric=metric)
    rows = rows.drop_duplicates("center")
    row["n"], row["events"] = rows["n"].sum(), rows["events"].sum()
    return row


def auc_text(
    study: StudyResults, design: str, model: str, set_name: str, *, curve: bool = False
) -> str:
    """AUC of a model as text; the range over splits if the splits have no joint result.

    Parameters
    ----------
    curve
        Whether the AUC is that of the curve that is drawn, rather than the mean over centers.
    """
    rows = study.select(
        PERFORMANCE, design=design, set=set_name, group_kind=GroupKind.POOLED, metric=Metric.AUC,
        model=model,
    ).drop_duplicates("split")  # fmt: skip
    if len(rows) > 1 and not (rows["split"] == ALL_SPLITS).any():
        known = rows["estimate"].dropna()
        if known.empty:
            return ""
        return f"{numbers.number(known.min())} to {numbers.number(known.max())} by split"
    row = (headline if curve else answer)(study, design, model, set_name=set_name)
    if row is None:
        return ""
    return numbers.estimate(row["estimate"], row["ci_low"], row["ci_high"])


def center_rows(
    study: StudyResults, design: str, model: str, metric: str = Metric.AUC
) -> pd.DataFrame:
    """Test performance by center, in the order of the config, with a column ``center``."""
    rows = study.select(PERFORMANCE, design=design, model=model, set=Set.TEST, metric=metric)
    named = rows[rows["group_kind"] == GroupKind.CENTER]
    whole = named[named["split"] == study.overall(design)]
    named = whole if not whole.empty else named
    named = named.assign(center=named["group"])
    if named.empty and design == Design.LOCO:
        # The test set of each split is one center.
        alone = rows[(rows["group_kind"] == GroupKind.POOLED) & (rows["split"] != ALL_SPLITS)]
        named = alone.assign(center=alone["split"])
    order = {center: place for place, center in enumerate(study.centers)}
    return named.drop_duplicates("center").sort_values(
        "center",
        key=lambda names: names.map(lambda name: order.get(name, len(order))),
        kind="stable",
    )
