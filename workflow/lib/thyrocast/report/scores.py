"""Which row of the evaluation's tables stands for what."""

import pandas as pd

from thyrocast.report import words
from thyrocast.report.reading import Study

# Which model answers for a design, first choice first.
SPEAKERS = ("signature", "network", "combined", "handcrafted", "clinical")
# From so many centers on, their mean speaks for `loco`: between two, an interval says nothing.
FEW = 3


def evaluated(study: Study) -> list[str]:
    """Designs with at least one AUC in a test set, strongest evidence first."""
    return [design for design in study.designs if not headlines(study, design).empty]


def headlines(study: Study, design: str) -> pd.DataFrame:
    """AUC of every model in a design's test set; the first row of a metric is its headline."""
    rows = study.select(
        "performance", design=design, split=study.overall(design),
        set="test", group="pooled", metric="auc",
    )  # fmt: skip
    return rows[rows["estimate"].notna()].drop_duplicates("model")


def speaker(study: Study, design: str) -> str:
    """Name the model that answers for a scored design."""
    found = [*headlines(study, design)["model"]]
    return next((model for model in SPEAKERS if model in found), found[0])


def headline(
    study: Study, design: str, model: str, metric: str = "auc", set_name: str = "test"
) -> pd.Series | None:
    """The row that stands for a model in a design, if it has an estimate."""
    rows = study.select(
        "performance", design=design, split=study.overall(design, set_name), model=model,
        set=set_name, group="pooled", metric=metric,
    )  # fmt: skip
    rows = rows[rows["estimate"].notna()]
    return None if rows.empty else rows.iloc[0]


def pooled(study: Study, design: str, model: str, metric: str = "auc") -> pd.Series | None:
    """The random-effects row of pooled.csv (REML), if the centers allowed one."""
    rows = study.select("pooled", design=design, model=model, metric=metric)
    rows = rows[rows["estimate"].notna() & rows["method"].str.contains("reml", case=False)]
    return None if rows.empty else rows.iloc[0]


def answer(
    study: Study, design: str, model: str, metric: str = "auc", set_name: str = "test"
) -> pd.Series | None:
    """What a design says of a model: its headline, or the mean over centers (with their number ``k``).

    In `loco` each center has a model of its own, and pairs of patients of two centers would compare
    the scales of two models.
    """
    row = headline(study, design, model, metric, set_name)
    mean = pooled(study, design, model, metric)
    if row is None or mean is None or (design, set_name) != ("loco", "test") or mean["k"] < FEW:
        return row
    row = row.copy()
    for part in ("estimate", "ci_low", "ci_high", "k"):
        row[part] = mean[part]
    behind = study.select("pooled_centers", design=design, model=model, metric=metric)
    behind = behind.drop_duplicates("center")
    row["n"], row["events"] = behind["n"].sum(), behind["events"].sum()
    return row


def spoken(study: Study, design: str, model: str, set_name: str, curve: bool = False) -> str:
    """A model's AUC as text, or that of its ``curve``; the range of its splits where none is drawn."""
    rows = study.select(
        "performance", design=design, set=set_name, group="pooled", metric="auc", model=model
    ).drop_duplicates("split")
    if len(rows) > 1 and not (rows["split"] == "all").any():
        known = rows["estimate"].dropna()
        if known.empty:
            return ""
        return f"{words.number(known.min())} to {words.number(known.max())} by split"
    row = (headline if curve else answer)(study, design, model, set_name=set_name)
    if row is None:
        return ""
    return words.estimate(row["estimate"], row["ci_low"], row["ci_high"])


def center_rows(study: Study, design: str, model: str, metric: str = "auc") -> pd.DataFrame:
    """Test performance by center, in the order of the configuration, with a column ``center``."""
    rows = study.select("performance", design=design, model=model, set="test", metric=metric)
    named = rows[rows["group"].str.startswith("center:")]
    whole = named[named["split"] == study.overall(design)]
    named = whole if not whole.empty else named
    named = named.assign(center=named["group"].str.removeprefix("center:"))
    if named.empty and design == "loco":
        # Each split's test set is one center.
        alone = rows[(rows["group"] == "pooled") & (rows["split"] != "all")]
        named = alone.assign(center=alone["split"])
    order = {center: place for place, center in enumerate(study.centers)}
    return named.drop_duplicates("center").sort_values(
        "center",
        key=lambda names: names.map(lambda name: order.get(name, len(order))),
        kind="stable",
    )
