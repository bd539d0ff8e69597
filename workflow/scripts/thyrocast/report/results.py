"""What the models reached: one block for each design, and comparisons across them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from thyrocast.report import figures, words
from thyrocast.report.figures import Panel
from thyrocast.report.parts import Cell, Grid, estimate, label
from thyrocast.report.reading import Study

# A page stays readable and light, however many repeats or centers a study has.
MOST_SPLITS = 12
DECISION_RANGE = (0.1, 0.9)
CLINICAL_RANGE = (0.5, 0.9)
FEWEST_FOR_BANDS = 2


@dataclass(frozen=True)
class Block:
    """A design's results."""

    name: str
    title: str
    note: str
    missing: str = ""
    tests: Sequence[Grid] = ()
    training: Sequence[Grid] = ()
    by_split: Sequence[Grid] = ()
    subgroups: Sequence[Grid] = ()
    roc: Sequence[Panel] = ()
    calibration: Sequence[Panel] = ()
    decision: Sequence[Panel] = ()
    forest: Sequence[Panel] = ()
    centers: Grid | None = None
    comparisons: Grid | None = None
    thresholds: Grid | None = None
    sentences: Sequence[str] = field(default_factory=list)


def evaluated(study: Study) -> list[str]:
    """Designs with at least one AUC in a test set."""
    return [design for design in study.designs if not _headlines(study, design).empty]


def _headlines(study: Study, design: str) -> pd.DataFrame:
    rows = study.select(
        "performance", design=design, split=study.overall(design), set="test", group="pooled", metric="auc"
    )
    return rows[rows["estimate"].notna()]


def headline(study: Study, design: str, model: str, metric: str = "auc", set_name: str = "test") -> pd.Series | None:
    """The row of performance.csv that stands for a model in a design, if it has an estimate."""
    rows = study.select(
        "performance", design=design, split=study.overall(design, set_name), model=model,
        set=set_name, group="pooled", metric=metric,
    )  # fmt: skip
    rows = rows[rows["estimate"].notna()]
    return None if rows.empty else rows.iloc[0]


def pooled(study: Study, design: str, model: str, metric: str = "auc") -> pd.Series | None:
    """The random-effects row of pooled.csv, REML where there are several methods."""
    rows = study.select("pooled", design=design, model=model)
    rows = rows[rows["metric"].isin((metric, f"logit_{metric}")) & rows["estimate"].notna()]
    if rows.empty:
        return None
    best = rows[rows["method"].str.contains("reml", case=False)]
    return (rows if best.empty else best).iloc[0]


def block(study: Study, design: str) -> Block:
    """Everything that the page shows of a design."""
    title, note = words.design(design), words.DESIGN_NOTES.get(design, "")
    if design not in evaluated(study):
        reason = (
            "No patient of a test set of this design has a known outcome of both kinds, so nothing can be "
            "scored: this design only trains the model that is locked, or predicts."
        )
        return Block(design, title, note, missing=reason, training=_grids(study, design, "train"))
    models = study.models(design)
    banded = [m for m in ("signature", "network") if m in models] or models[:FEWEST_FOR_BANDS]
    return Block(
        name=design,
        title=title,
        note=note,
        tests=_grids(study, design, "test"),
        training=_grids(study, design, "train"),
        by_split=_by_split(study, design),
        subgroups=_subgroups(study, design),
        roc=_roc(study, design, models, banded),
        calibration=_calibration(study, design, models),
        decision=_decision(study, design, models, banded[:1]),
        forest=_forest(study, design, models),
        centers=_centers(study, design, models),
        comparisons=_comparisons(study, design),
        thresholds=_thresholds(study, design),
        sentences=_sentences(study, design),
    )


def _grids(study: Study, design: str, set_name: str) -> list[Grid]:
    """One table for telling apart and deciding, one for the honesty of the probabilities."""
    split = study.overall(design, set_name)
    rows = study.select("performance", design=design, split=split, set=set_name, group="pooled")
    several = study.select("performance", design=design, set=set_name)["split"].nunique() > 1
    if rows.empty and set_name == "train":
        return []
    where = words.SETS[set_name].lower()
    scope = ""
    if set_name == "train" and several and split != "all":
        scope = f" (split {split}; the others are in the table by split)"
    grids = []
    for metrics, about in (
        (words.DISCRIMINATION, "discrimination and decisions"),
        (words.CALIBRATION, "calibration and accuracy of the probabilities"),
    ):
        grid = _metric_grid(study, design, rows, metrics, f"{words.SETS[set_name]} set{scope}: {about}")
        if grid is not None:
            grids.append(grid)
    if not grids:
        return []
    grids[0] = Grid(
        grids[0].caption, grids[0].header, grids[0].rows,
        f"Estimates on the {where} set with 95 % intervals. Sensitivity to accuracy at the threshold "
        "that was chosen on the training set.",
    )  # fmt: skip
    return grids


def _metric_grid(
    study: Study, design: str, rows: pd.DataFrame, metrics: Sequence[str], caption: str
) -> Grid | None:
    present = [metric for metric in metrics if (rows["metric"] == metric).any()]
    if not present:
        return None
    body = []
    for model in study.models(design):
        mine = rows[rows["model"] == model].drop_duplicates("metric").set_index("metric")
        if mine.empty:
            continue
        body.append([label(words.model(model)), _sizes(mine), *(_metric(mine, metric) for metric in present)])
    return Grid(caption, ["Model", "Patients", *(words.metric(m) for m in present)], body) if body else None


def _sizes(rows: pd.DataFrame) -> Cell:
    first = rows.iloc[0]
    return Cell(words.count(first["n"]), f"{words.count(first['events'])} cured")


def _metric(rows: pd.DataFrame, metric: str) -> Cell:
    if metric not in rows.index:
        return Cell(words.MISSING)
    row = rows.loc[metric]
    return estimate(row["estimate"], row["ci_low"], row["ci_high"])


def _by_split(study: Study, design: str) -> list[Grid]:
    """AUC of every split, training beside test: the gap is what was learned by heart."""
    rows = study.select("performance", design=design, group="pooled", metric="auc")
    names = [name for name in rows["split"].unique() if name != "all"]
    if len(names) < 2:
        return []
    body = []
    for name in names[:MOST_SPLITS]:
        for model in study.models(design):
            mine = rows[(rows["split"] == name) & (rows["model"] == model)].drop_duplicates("set").set_index("set")
            if not mine.empty:
                body.append([label(name), label(words.model(model)), _auc(mine, "train"), _auc(mine, "test"), _held(mine)])
    note = ""
    if len(names) > MOST_SPLITS:
        note = f"The first {MOST_SPLITS} of {len(names)} splits are shown; all are in evaluation/performance.csv."
    return [Grid("AUC by split", ["Split", "Model", "Training", "Test", "Test patients"], body, note)]


def _auc(rows: pd.DataFrame, set_name: str) -> Cell:
    if set_name not in rows.index:
        return Cell(words.MISSING)
    row = rows.loc[set_name]
    return estimate(row["estimate"], row["ci_low"], row["ci_high"])


def _held(rows: pd.DataFrame) -> Cell:
    return _sizes(rows.loc[["test"]]) if "test" in rows.index else Cell(words.MISSING)


def _subgroups(study: Study, design: str) -> list[Grid]:
    rows = study.select("performance", design=design, split=study.overall(design), set="test", metric="auc")
    rows = rows[rows["group"].str.startswith("subgroup:")]
    if rows.empty:
        return []
    models = [m for m in study.models(design) if (rows["model"] == m).any()]
    body = []
    for name in rows["group"].unique():
        mine = rows[rows["group"] == name].drop_duplicates("model").set_index("model")
        body.append([label(words.group(name)), _sizes(mine), *(_metric(mine, model) for model in models)])
    header = ["Subgroup", "Patients", *(f"AUC, {words.model(m)}" for m in models)]
    return [Grid("Subgroups (test)", header, body)]


def _curves(study: Study, table: str, design: str, set_name: str, model: str) -> list[pd.DataFrame]:
    """A model's curve of a whole design, or one for each of its splits."""
    rows = study.select(table, design=design, set=set_name, group="pooled", model=model)
    whole = rows[rows["split"] == "all"]
    if not whole.empty:
        return [whole]
    return [part for _, part in rows.groupby("split", sort=False)]


def _roc(study: Study, design: str, models: Sequence[str], banded: Sequence[str]) -> list[Panel]:
    panels = []
    for set_name in ("test", "train"):
        curves = {m: parts for m in models if (parts := _curves(study, "roc", design, set_name, m))}
        if not curves:
            continue
        values = {m: _value(study, design, m, set_name) for m in curves}
        single = all(len(parts) == 1 for parts in curves.values())
        svg = figures.roc(
            f"roc-{design}-{set_name}", curves, banded if single else (),
            "; ".join(f"{words.model(m)} AUC {value}" for m, value in values.items() if value),
        )  # fmt: skip
        note = (
            f"Bands are 95 % intervals of {words.listing([words.model(m) for m in banded])}."
            if single
            else "One line for each split."
        )
        if set_name == "train":
            note += (
                " Training probabilities are in-sample, as published: they look better than the model is."
                if study.in_sample
                else " Training probabilities are cross-fitted: no patient is scored by a model that learned from them."
            )
        panels.append(Panel(f"ROC, {words.SETS[set_name].lower()} set", svg, [figures.key(m, values[m]) for m in curves], note))
    return panels


def _value(study: Study, design: str, model: str, set_name: str) -> str:
    rows = study.select("performance", design=design, set=set_name, group="pooled", metric="auc", model=model)
    if len(rows) > 1 and not (rows["split"] == "all").any():
        known = rows["estimate"].dropna()
        return f"{words.number(known.min())} to {words.number(known.max())} by split" if len(known) else ""
    row = headline(study, design, model, set_name=set_name)
    return "" if row is None else words.estimate(row["estimate"], row["ci_low"], row["ci_high"])


def _test_predictions(study: Study, design: str, model: str) -> pd.DataFrame:
    rows = study.select("predictions", design=design, model=model, set="test")
    known = rows[rows["outcome"].notna() & rows["probability"].notna()]
    return pd.DataFrame(
        {"outcome": known["outcome"].astype(int).astype(str), "probability": known["probability"]}
    )


def _calibration(study: Study, design: str, models: Sequence[str]) -> list[Panel]:
    panels = []
    for model in models:
        curves = _curves(study, "calibration", design, "test", model)
        groups = _curves(study, "calibration_groups", design, "test", model)
        if len(curves) > 1 or len(groups) > 1 or not (curves or groups):
            continue
        empty = pd.DataFrame()
        svg = figures.calibration(
            f"calibration-{design}-{model}", model, curves[0] if curves else empty,
            groups[0] if groups else empty, _test_predictions(study, design, model),
        )  # fmt: skip
        slope, ratio = (headline(study, design, model, m) for m in ("calibration_slope", "oe_ratio"))
        facts = [
            f"{name} {words.estimate(row['estimate'], row['ci_low'], row['ci_high'])}"
            for name, row in (("slope", slope), ("observed / expected", ratio))
            if row is not None
        ]
        panels.append(Panel(words.model(model), svg, [figures.key(model, "; ".join(facts))]))
    return panels


def _decision(study: Study, design: str, models: Sequence[str], banded: Sequence[str]) -> list[Panel]:
    curves = {m: parts[0] for m in models if len(parts := _curves(study, "decision_curve", design, "test", m)) == 1}
    if not curves:
        return []
    everyone = _curves(study, "decision_curve", design, "test", "treat_all")
    panels = []
    for limits, about in ((DECISION_RANGE, "as published"), (clinical_range(study), "the clinical range")):
        svg = figures.decision(
            f"decision-{design}-{about}", curves, everyone[0] if everyone else pd.DataFrame(), limits, banded
        )
        legend = [
            *(figures.key(m) for m in curves),
            figures.Key("muted", "4 4", "Treat all"),
            figures.Key("muted", "", "Treat none"),
        ]
        title = f"{words.number(100 * limits[0], 0)} to {words.percent(limits[1])}, {about}"
        panels.append(Panel(title, svg, legend))
    return panels


def clinical_range(study: Study) -> tuple[float, float]:
    """Thresholds that a clinician would consider, from the configuration."""
    value = study.setting("evaluation", "clinical_range", default=CLINICAL_RANGE)
    return float(value[0]), float(value[1])


def center_rows(study: Study, design: str, model: str, metric: str = "auc") -> pd.DataFrame:
    """Test performance by center; in ``loco`` the split is the center."""
    rows = study.select("performance", design=design, model=model, set="test", metric=metric)
    named = rows[rows["group"].str.startswith("center:")]
    whole = named[named["split"] == study.overall(design)]
    named = (whole if not whole.empty else named).assign(center=lambda r: r["group"].str.removeprefix("center:"))
    if named.empty and design == "loco":
        named = rows[(rows["group"] == "pooled") & (rows["split"] != "all")].assign(center=lambda r: r["split"])
    named = named.drop_duplicates("center")
    order = {center: place for place, center in enumerate(study.centers)}
    return named.sort_values("center", key=lambda names: names.map(lambda n: (order.get(n, len(order)))), kind="stable")


def _forest(study: Study, design: str, models: Sequence[str]) -> list[Panel]:
    panels = []
    for model in models:
        rows = center_rows(study, design, model)
        if rows["estimate"].notna().sum() < 1 or len(rows) < 2:
            continue
        summary = pooled(study, design, model)
        svg = figures.forest(f"forest-{design}-{model}", model, rows, summary)
        note = ""
        if summary is not None:
            facts = [
                f"{name} {words.number(summary[column], digits)}"
                for name, column, digits in (("τ²", "tau2", 2), ("Q", "q", 1))
                if words.is_number(summary[column])
            ]
            if words.is_number(summary["i2"]):
                i2 = float(summary["i2"])
                facts.insert(1, f"I² {words.percent(i2 / 100 if i2 > 1 else i2)}")
            note = f"{summary['method']}, {words.plural(int(summary['k']), 'center')}; {', '.join(facts)}."
        panels.append(Panel(words.model(model), svg, note=note))
    return panels


def _centers(study: Study, design: str, models: Sequence[str]) -> Grid | None:
    found = {model: center_rows(study, design, model) for model in models}
    names = list(dict.fromkeys(name for rows in found.values() for name in rows["center"]))
    if not names:
        return None
    body = []
    for name in names:
        cells = [rows[rows["center"] == name].head(1) for rows in found.values()]
        sizes = next(cell for cell in cells if not cell.empty)
        body.append([label(name), _sizes(sizes), *(_center_auc(cell) for cell in cells)])
    return Grid("AUC by center (test)", ["Center", "Patients", *(words.model(m) for m in models)], body)


def _center_auc(rows: pd.DataFrame) -> Cell:
    if rows.empty:
        return Cell(words.MISSING)
    row = rows.iloc[0]
    if not words.is_number(row["estimate"]):
        one_class = row["events"] in (0, row["n"])
        return Cell("not defined", "one outcome only" if one_class else "too few patients")
    return estimate(row["estimate"], row["ci_low"], row["ci_high"])


def _comparisons(study: Study, design: str) -> Grid | None:
    rows = study.select("comparisons", design=design, set="test", split=study.overall(design))
    rows = rows[rows["difference"].notna()]
    if rows.empty:
        return None
    body = [
        [
            label(f"{words.model(row['model_a'])} − {words.model(row['model_b'])}"),
            label(words.metric(row["metric"])),
            estimate(row["difference"], row["ci_low"], row["ci_high"], 3 if row["metric"] != "auc" else 2),
            Cell(words.p_value(row["p_value"])),
            label(row["method"]),
        ]
        for row in rows.to_dict("records")
    ]
    return Grid("Differences between models (test)", ["Models", "Metric", "Difference", "p", "Method"], body)


def _thresholds(study: Study, design: str) -> Grid | None:
    rows = study.select("thresholds", design=design)
    rows = rows[rows["threshold"].notna()]
    names = list(rows["split"].unique())
    if not names:
        return None
    body = [
        [label(row["split"]), label(words.model(row["model"])), label(words.plain(row["rule"])), Cell(words.number(row["threshold"], 3))]
        for row in rows[rows["split"].isin(names[:MOST_SPLITS])].to_dict("records")
    ]
    note = "Chosen on the training set alone and carried to the test set unchanged."
    return Grid("Thresholds", ["Split", "Model", "Rule", "Threshold"], body, note)


def _sentences(study: Study, design: str) -> list[str]:
    """What a reader must know before the numbers."""
    said = []
    rows = study.select("performance", design=design, set="test", metric="auc")
    rows = rows[rows["group"].str.startswith("center:") & rows["estimate"].isna()]
    for name in rows["group"].unique():
        said.append(f"{words.group(name)}: its test patients do not allow an AUC (one outcome only, or too few).")
    missing = [m for m in words.MODELS if m not in study.models(design)]
    if missing:
        said.append(f"Not scored in this design: {words.listing([words.model(m) for m in missing])}.")
    return said


def published(study: Study) -> Grid:
    """The published figures beside ours."""
    designs = [d for d in ("holdout", "kfold", "loco", "external") if d in evaluated(study)]
    header = ["", "Published", *(f"Here: {words.design(d)}" for d in designs)]
    rows: list[list[Cell]] = [
        [label("Patients"), Cell("121"), *(_test_size(study, d) for d in designs)],
        [label("Centers"), Cell("1"), *(Cell(str(study.centers_of(d))) for d in designs)],
        [label("Division"), Cell("8:2"), *(_division(study, d) for d in designs)],
        [
            label("Embeddings that the signature learned from"), Cell("in-sample"),
            *(Cell("in-sample" if study.in_sample else "cross-fitted") for _ in designs),
        ],
        [label("ResNet50, AUC training"), Cell("0.83", "0.828"), *(_ours(study, d, "network", "train") for d in designs)],
        [label("ResNet50, AUC validation"), Cell("0.81", "0.806"), *(_ours(study, d, "network", "test") for d in designs)],
        [label("Signature (random forest), AUC"), Cell("0.92", "0.924"), *(_ours(study, d, "signature", "test") for d in designs)],
        [label("Decision curves"), Cell("10–90 %"), *(Cell("10–90 %", "and the clinical range") for _ in designs)],
    ]  # fmt: skip
    return Grid("The published study beside this one", header, rows)


def _test_size(study: Study, design: str) -> Cell:
    rows = _headlines(study, design)
    who = study.partition[study.partition["design"] == design]["patient"].nunique()
    return Cell(words.count(who), f"{words.count(rows['n'].max())} tested")


def _division(study: Study, design: str) -> Cell:
    if design == "holdout":
        part = float(study.setting("holdout", "test_fraction", default=0.2))
        return Cell(f"{words.number(10 * (1 - part), 0)}:{words.number(10 * part, 0)}")
    return Cell({"loco": "by center", "external": "by center"}.get(design, "repeated"))


def _ours(study: Study, design: str, model: str, set_name: str) -> Cell:
    if model not in study.models(design):
        return Cell("not run")
    value = _value(study, design, model, set_name)
    head, _, within = value.partition(" (")
    return Cell(head or words.MISSING, within.removesuffix(")"))

