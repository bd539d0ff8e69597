"""Tables made of the evaluation's numbers."""

from collections.abc import Sequence

import pandas as pd

from thyrocast.report import scores, words
from thyrocast.report.parts import Cell, Grid, estimate, label
from thyrocast.report.reading import Study

# A page stays readable and light, however many repeats or centers a study has.
MOST_SPLITS = 12
# What is pooled over centers, as the table of a design shows it.
POOLED = ("auc", "oe_ratio", "calibration_in_the_large", "calibration_slope", "net_benefit")


def sizes(rows: pd.DataFrame) -> Cell:
    """Patients and cures behind the first of some rows."""
    first = rows.iloc[0]
    if not words.is_number(first["n"]):
        return Cell(words.MISSING)
    return Cell(words.count(first["n"]), f"{words.count(first['events'])} cured")


def cell(row: pd.Series) -> Cell:
    """An estimate with its interval, or why there is none."""
    if words.is_number(row["estimate"]):
        return estimate(row["estimate"], row["ci_low"], row["ci_high"])
    reason = str(row["ci_method"]) or "not estimable"
    return Cell(
        words.MISSING,
        "too few, or next to too few" if reason.startswith("suppressed") else reason,
        False,
    )


def tables(study: Study, design: str, set_name: str) -> list[Grid]:
    """One table for telling apart and deciding, one for the honesty of the probabilities."""
    split = study.overall(design, set_name)
    rows = study.select("performance", design=design, split=split, set=set_name, group="pooled")
    several = len(study.select("performance", design=design, set=set_name)["split"].unique()) > 1
    title = f"{words.SETS[set_name]} set"
    if set_name == "train" and several and split != "all":
        title += f", split {split} (the others: table by split)"
    rule = study.setting("evaluation", "threshold", "rule", default="youden")
    where = "chosen on these patients" if set_name == "train" else "chosen on the training set"
    where = "that the config gives" if rule in words.GIVEN_RULES else where
    decided = f"Sensitivity to accuracy hold at the threshold {where}."
    error = float(study.setting("evaluation", "prediction_sets", "error", default=0.1))
    promised = (
        "A prediction set holds the outcomes that can’t be excluded for a patient; of either outcome, "
        f"{words.percent(1 - error)} of the sets are to hold the truth. Both possible, or neither, is no call."
    )
    grids = [
        _metrics(study, design, rows, metrics, f"{title}: {about}", note)
        for metrics, about, note in (
            (words.DISCRIMINATION, "discrimination and decisions", decided),
            (words.CALIBRATION, "calibration and accuracy", ""),
            (words.PREDICTION_SETS, "prediction sets", promised),
        )
    ]
    return [grid for grid in grids if grid is not None]


def _metrics(
    study: Study,
    design: str,
    rows: pd.DataFrame,
    metrics: Sequence[str],
    caption: str,
    note: str,
) -> Grid | None:
    present = [metric for metric in metrics if (rows["metric"] == metric).any()]
    body = []
    for model in study.models(design):
        mine = rows[rows["model"] == model].drop_duplicates("metric").set_index("metric")
        if not mine.empty:
            cells = [_at(mine, metric) for metric in present]
            body.append([label(words.model(model)), sizes(mine), *cells])
    if not (present and body):
        return None
    header = ["Model", "Patients", *(words.metric(metric) for metric in present)]
    return Grid(caption, header, body, f"{_intervals(rows, present, study.level)} {note}".strip())


def _intervals(rows: pd.DataFrame, metrics: Sequence[str], level: str) -> str:
    """How the intervals of a table were made."""
    known = rows[rows["estimate"].notna() & (rows["ci_method"] != "")]
    methods: dict[str, list[str]] = {}
    for metric in metrics:
        mine = known[known["metric"] == metric]
        if not mine.empty:
            methods.setdefault(words.method(mine["ci_method"].iloc[0]), []).append(
                words.metric(metric)
            )
    if len(methods) < 2:
        return "".join(f"{level} intervals: {method}." for method in methods)
    named = [f"{method} ({', '.join(names)})" for method, names in methods.items()]
    return f"{level} intervals: {'; '.join(named)}."


def _at(rows: pd.DataFrame, key: str) -> Cell:
    return cell(rows.loc[[key]].iloc[0]) if key in rows.index else Cell(words.MISSING)


def by_split(study: Study, design: str) -> list[Grid]:
    """AUC of every split, training beside test: the gap is what was learned by heart."""
    rows = study.select("performance", design=design, group="pooled", metric="auc")
    names = [name for name in rows["split"].unique() if name != "all"]
    if len(names) < 2:
        return []
    body = []
    for name in names[:MOST_SPLITS]:
        for model in study.models(design):
            mine = rows[(rows["split"] == name) & (rows["model"] == model)]
            mine = mine.drop_duplicates("set").set_index("set")
            if not mine.empty:
                size = sizes(mine.loc[["test"]]) if "test" in mine.index else Cell(words.MISSING)
                body.append(
                    [
                        label(name),
                        label(words.model(model)),
                        _at(mine, "train"),
                        _at(mine, "test"),
                        size,
                    ]
                )
    note = ""
    if len(names) > MOST_SPLITS:
        note = f"The first {MOST_SPLITS} of {len(names)} splits; all are in evaluation/performance.csv."
    header = ["Split", "Model", "AUC, training", "AUC, test", "Test patients"]
    return [Grid("AUC by split", header, body, note)]


def subgroups(study: Study, design: str) -> list[Grid]:
    """AUC of every model in the subgroups of the test set."""
    rows = study.select(
        "performance", design=design, split=study.overall(design), set="test", metric="auc"
    )
    rows = rows[rows["group"].str.startswith("subgroup:")]
    if rows.empty:
        return []
    models = [model for model in study.models(design) if (rows["model"] == model).any()]
    body = []
    for name in rows["group"].unique():
        mine = rows[rows["group"] == name].drop_duplicates("model").set_index("model")
        body.append(
            [label(words.group(name)), sizes(mine), *(_at(mine, model) for model in models)]
        )
    header = ["Subgroup", "Patients", *(f"AUC, {words.model(model)}" for model in models)]
    return [Grid("Subgroups (test)", header, body)]


def centers(study: Study, design: str) -> Grid | None:
    """AUC of every model in every center of the test set."""
    models = study.models(design)
    found = {model: scores.center_rows(study, design, model) for model in models}
    names = list(dict.fromkeys(name for rows in found.values() for name in rows["center"]))
    if not names:
        return None
    body = []
    for name in names:
        mine = [rows[rows["center"] == name] for rows in found.values()]
        size = sizes(next(rows for rows in mine if not rows.empty))
        cells = [cell(rows.iloc[0]) if not rows.empty else Cell(words.MISSING) for rows in mine]
        body.append([label(name), size, *cells])
    header = ["Center", "Patients", *(words.model(model) for model in models)]
    return Grid("AUC by center (test)", header, body)


def pooled_centers(study: Study, design: str) -> list[Grid]:
    """Random-effects means over centers and what a new one can expect: first AUC, then the rest."""
    rows = study.select("pooled", design=design)
    rows = rows[rows["estimate"].notna() & rows["method"].str.contains("reml", case=False)]
    # The first row of a metric is its headline, here as in performance.csv.
    rows = rows.drop_duplicates(["model", "metric"])
    rows = rows[rows["metric"].str.split("@").str[0].isin(POOLED)]
    note = (
        "Random effects by REML with truncated Hartung-Knapp intervals; AUC on the logit, observed / expected "
        "on the log scale."
    )
    future = bool(rows["pi_low"].notna().any())
    header = ["Model", "Metric", "Mean of centers", "τ²", "I²", "Q", "Centers"]
    if future:
        header.insert(3, f"New center ({study.level} prediction)")
    parts = (
        ("Pooled over centers (test): AUC", rows[rows["metric"] == "auc"]),
        ("Pooled over centers (test): calibration and net benefit", rows[rows["metric"] != "auc"]),
    )
    return [
        Grid(caption, header, [_pooled(row, future) for _, row in part.iterrows()], note)
        for caption, part in parts
        if not part.empty
    ]


def _pooled(row: pd.Series, future: bool) -> list[Cell]:
    expected = Cell(words.interval(row["pi_low"], row["pi_high"]) or "not known")
    return [
        label(words.model(row["model"])),
        label(words.metric(row["metric"])),
        estimate(row["estimate"], row["ci_low"], row["ci_high"]),
        *([expected] if future else []),
        Cell(words.number(row["tau2"], 3)),
        Cell(words.share_of_variance(row["i2"])),
        Cell(words.number(row["q"], 1), f"p {words.p_value(row['q_p'])}"),
        Cell(words.count(row["k"])),
    ]


def influence(study: Study, design: str) -> list[Grid]:
    """Pooled AUC with each center left out of the pooling."""
    rows = study.select("pooled_centers", design=design, metric="auc")
    rows = rows[rows["without"].notna() & rows["method"].str.contains("reml", case=False)]
    rows = rows.drop_duplicates(["model", "center"])
    if rows.empty:
        return []
    body = [
        [
            label(words.model(row["model"])), label(row["center"]), Cell(words.percent(row["weight"])),
            estimate(row["without"], row["without_low"], row["without_high"]),
        ]
        for row in rows.to_dict("records")
    ]  # fmt: skip
    header = ["Model", "Center", "Weight", "Pooled AUC without it"]
    return [Grid("Influence of each center", header, body)]


def comparisons(study: Study, design: str) -> list[Grid]:
    """Differences between models in the same test patients: first AUC, then the rest."""
    rows = study.select("comparisons", design=design, set="test", split=study.overall(design))
    rows = rows[rows["difference"].notna()]
    added = rows["metric"] == "likelihood_ratio"
    parts = (
        ("Differences in AUC (test)", rows[rows["metric"] == "auc"]),
        ("Differences in other metrics (test)", rows[(rows["metric"] != "auc") & ~added]),
        ("What the scintigram adds to a model without it (test)", rows[added]),
    )
    header = ["Models", "Metric", "Difference", "p", "Method"]
    note = "Small print below p: adjusted for the number of pairs that a metric compares (Holm)."
    return [
        Grid(caption, header, [_comparison(row) for _, row in part.iterrows()], note)
        for caption, part in parts
        if not part.empty
    ]


def _comparison(row: pd.Series) -> list[Cell]:
    a, b, joint = row["model_a"], row["model_b"], "−"
    if row["metric"] == "likelihood_ratio":
        a, b = (a, b) if a in words.IMAGE_MODELS else (b, a)
        joint = "added to"
    return [
        label(f"{words.model(a)} {joint} {words.model(b)}"),
        label(words.metric(row["metric"])),
        estimate(row["difference"], row["ci_low"], row["ci_high"], 3),
        Cell(words.p_value(row["p_value"]), words.p_value(row["p_holm"])),
        label(words.method(row["method"])),
    ]


def thresholds(study: Study, design: str) -> Grid | None:
    """Threshold of every split and model."""
    rows = study.select("thresholds", design=design)
    rows = rows[rows["threshold"].notna()]
    names = list(rows["split"].unique())[:MOST_SPLITS]
    if not names:
        return None
    body = [
        [
            label(row["split"]), label(words.model(row["model"])),
            label(words.RULES.get(row["rule"], row["rule"])), Cell(words.number(row["threshold"], 3)),
        ]
        for row in rows[rows["split"].isin(names)].to_dict("records")
    ]  # fmt: skip
    given = rows["rule"].isin(words.GIVEN_RULES).all()
    note = (
        "Given by the config; no patient took part."
        if given
        else "Chosen on the training set alone and carried to the test set unchanged."
    )
    return Grid("Thresholds", ["Split", "Model", "Rule", "Threshold"], body, note)


def published(study: Study) -> Grid:
    """The published figures beside ours."""
    scored = scores.evaluated(study)
    designs = [design for design in ("holdout", "kfold", "loco", "external") if design in scored]
    protocol = "in-sample" if study.in_sample else "cross-fitted"

    def row(title: str, theirs: str, ours: Sequence[Cell]) -> list[Cell]:
        return [label(title), Cell(theirs), *ours]

    rows = [
        row("Patients", "121", [_tested(study, design) for design in designs]),
        row("Centers", "1", [Cell(str(study.centers_of(design))) for design in designs]),
        row("Training : test", "8:2", [_division(study, design) for design in designs]),
        row("Embeddings the signature learned from", "in-sample", [Cell(protocol)] * len(designs)),
        row(
            "ResNet50, AUC in training",
            "0.828",
            [_ours(study, d, "network", "train") for d in designs],
        ),
        row(
            "ResNet50, AUC in validation",
            "0.806",
            [_ours(study, d, "network", "test") for d in designs],
        ),
        row(
            "Signature (random forest), AUC",
            "0.924",
            [_ours(study, d, "signature", "test") for d in designs],
        ),
        row(
            "Decision curves",
            "10–90 %",
            [Cell(_whole_range(study), "and the clinical range")] * len(designs),
        ),
    ]
    return Grid(
        "The published study beside this one",
        ["", "Published", *(f"Here: {words.design(design).lower()}" for design in designs)],
        rows,
        "Ours are test results unless training is said.",
    )


def _whole_range(study: Study) -> str:
    low, high = study.setting("evaluation", "decision", "range", default=(0.1, 0.9))
    return f"{100 * float(low):g}–{100 * float(high):g} %"


def _tested(study: Study, design: str) -> Cell:
    who = study.partition.loc[study.partition["design"] == design, "patient"].nunique()
    return Cell(
        words.count(who), f"{words.count(scores.headlines(study, design)['n'].max())} tested"
    )


def _division(study: Study, design: str) -> Cell:
    if design == "holdout":
        part = float(study.setting("holdout", "test_fraction", default=0.2))
        return Cell(f"{10 * (1 - part):.2g}:{10 * part:.2g}")
    return Cell({"loco": "by center", "external": "by center"}.get(design, "repeated"))


def _ours(study: Study, design: str, model: str, set_name: str) -> Cell:
    if model not in study.models(design):
        return Cell("not run")
    head, _, within = scores.spoken(study, design, model, set_name).partition(" (")
    return Cell(head or words.MISSING, within.removesuffix(")"))
