"""What the models reached: for each design its tables and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from thyrocast.report import figures, grids, scores, words
from thyrocast.report.figures import Panel
from thyrocast.report.parts import Grid
from thyrocast.report.reading import Study

DECISION_RANGE = (0.1, 0.9)
CLINICAL_RANGE = (0.5, 0.8)
# Bands of more than two curves hide each other.
BANDED = ("signature", "network")
NOTHING_SCORED = (
    "No test patient of this design can be scored (no outcomes yet, or one outcome only): it trains "
    "the model that is locked, or predicts."
)


@dataclass(frozen=True)
class Block:
    """A design's results."""

    name: str
    title: str
    note: str
    glance: str = ""
    missing: str = ""
    tests: Sequence[Grid] = ()
    training: Sequence[Grid] = ()
    roc: Sequence[Panel] = ()
    calibration: Sequence[Panel] = ()
    decision: Sequence[Panel] = ()
    centers: Grid | None = None
    forest: Sequence[Panel] = ()
    pooled: Sequence[Grid] = ()
    comparisons: Sequence[Grid] = ()
    more: Sequence[Grid] = ()
    sentences: Sequence[str] = ()


def block(study: Study, design: str) -> Block:
    """Everything that the page shows of a design."""
    title, note = words.design(design), words.DESIGN_NOTES.get(design, "")
    training = grids.tables(study, design, "train")
    if design not in scores.evaluated(study):
        return Block(design, title, note, missing=NOTHING_SCORED, training=training)
    models = study.models(design)
    banded = [model for model in BANDED if model in models] or models[:2]
    thresholds = grids.thresholds(study, design)
    return Block(
        name=design,
        title=title,
        note=note,
        glance=_glance(study, design),
        tests=grids.tables(study, design, "test"),
        training=training,
        roc=_roc(study, design, models, banded),
        calibration=_calibration(study, design, models),
        decision=_decision(study, design, models, banded[:1]),
        centers=grids.centers(study, design),
        forest=_forest(study, design, models),
        pooled=grids.pooled_centers(study, design),
        comparisons=grids.comparisons(study, design),
        more=[
            *grids.subgroups(study, design),
            *grids.influence(study, design),
            *grids.by_split(study, design),
            *([thresholds] if thresholds else []),
        ],
        sentences=_sentences(study, design),
    )


def _glance(study: Study, design: str) -> str:
    """A design in half a line, for who does not unfold it."""
    speaker = scores.speaker(study, design)
    return f"{words.model(speaker)}, AUC {scores.spoken(study, design, speaker, 'test')}"


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
        values = {m: scores.spoken(study, design, m, set_name, curve=True) for m in curves}
        single = all(len(parts) == 1 for parts in curves.values())
        svg = figures.roc(
            f"roc-{design}-{set_name}", curves, banded if single else (),
            "; ".join(f"{words.model(m)} AUC {value}" for m, value in values.items() if value),
        )  # fmt: skip
        legend = [figures.key(model, values[model]) for model in curves]
        title = f"{words.SETS[set_name]} set"
        panels.append(Panel(title, svg, legend, _roc_note(study, set_name, single, banded)))
    return panels


def _roc_note(study: Study, set_name: str, single: bool, banded: Sequence[str]) -> str:
    names = words.listing([words.model(model) for model in banded])
    note = f"Bands: {study.level} intervals of {names}." if single else "One line for each split."
    if set_name == "test":
        return note
    if study.in_sample:
        return f"{note} In-sample, as published: these curves look better than the models are."
    return f"{note} Cross-fitted: networks and forests score only patients whom they were not fitted to."


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
        facts = [
            f"{name} {words.estimate(row['estimate'], row['ci_low'], row['ci_high'])}"
            for name, metric in (
                ("Slope", "calibration_slope"),
                ("Observed / expected", "oe_ratio"),
            )
            if (row := scores.headline(study, design, model, metric)) is not None
        ]
        note = "; ".join(facts) + ("." if facts else "")
        panels.append(Panel(words.model(model), svg, note=note))
    return panels


def _test_predictions(study: Study, design: str, model: str) -> pd.DataFrame:
    rows = study.select("predictions", design=design, model=model, set="test")
    known = rows[rows["outcome"].notna() & rows["probability"].notna()]
    return pd.DataFrame(
        {
            "outcome": known["outcome"].astype(int).astype(str),
            "probability": known["probability"].astype(float),
        }
    )


def _decision(
    study: Study, design: str, models: Sequence[str], banded: Sequence[str]
) -> list[Panel]:
    found = {model: _curves(study, "decision_curve", design, "test", model) for model in models}
    curves = {model: parts[0] for model, parts in found.items() if len(parts) == 1}
    if not curves:
        return []
    everyone = _curves(study, "decision_curve", design, "test", "treat_all")
    legend = [
        *(figures.key(model) for model in curves),
        figures.Key("muted", "4 4", "Treat all"),
        figures.Key("muted", "", "Treat none"),
    ]
    panels = []
    whole = decision_range(study)
    for limits, about in (
        (whole, "as published" if whole == DECISION_RANGE else "the whole range"),
        (clinical_range(study), "the clinical range"),
    ):
        svg = figures.decision(
            f"decision-{design}-{about}",
            curves,
            everyone[0] if everyone else pd.DataFrame(),
            limits,
            banded,
        )
        title = f"{words.number(100 * limits[0], 0)} to {words.percent(limits[1])}, {about}"
        note = f"Band: {study.level} interval of {words.listing([words.model(model) for model in banded])}."
        panels.append(Panel(title, svg, legend, note))
    return panels


def decision_range(study: Study) -> tuple[float, float]:
    """Thresholds of the whole decision curve."""
    low, high = study.setting("evaluation", "decision", "range", default=DECISION_RANGE)
    return float(low), float(high)


def clinical_range(study: Study) -> tuple[float, float]:
    """Thresholds that a clinician might really hold."""
    low, high = study.setting("evaluation", "decision", "clinical", default=CLINICAL_RANGE)
    return float(low), float(high)


def _forest(study: Study, design: str, models: Sequence[str]) -> list[Panel]:
    panels = []
    for model in models:
        rows = _squares(study, design, model)
        if rows["estimate"].notna().sum() < 1 or len(rows) < 2:
            continue
        svg = figures.forest(
            f"forest-{design}-{model}", model, rows, scores.pooled(study, design, model)
        )
        panels.append(Panel(words.model(model), svg))
    return panels


def _squares(study: Study, design: str, model: str) -> pd.DataFrame:
    """A model's centers, and those that take part by the tables of another study."""
    own = scores.center_rows(study, design, model)
    others = study.select("pooled_centers", design=design, model=model, metric="auc")
    others = others[~others["center"].isin(own["center"])].drop_duplicates("center")
    if others.empty:
        return own
    others = others.assign(center=others["center"].map(lambda name: f"{name}, elsewhere"))
    return pd.concat([own, others[[name for name in own.columns if name in others]]])


def _sentences(study: Study, design: str) -> list[str]:
    """What a reader must know before the numbers."""
    said = []
    splits = study.select("performance", design=design, set="test")["split"].unique()
    if len(splits) > 1 and "all" in splits:
        said.append(
            "Results of all splits together put predictions of several models on one scale; the "
            "pooled results of the centers do not."
        )
    missing = [model for model in words.MODELS if model not in study.models(design)]
    if missing:
        said.append(
            f"Not scored in this design: {words.listing([words.model(m) for m in missing])}."
        )
    return said
