"""The page's section of a design: its tables and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from thyrocast.contract import evaluation, io
from thyrocast.contract.names import (
    ALL_SPLITS,
    HEADS,
    UNSEEN_CENTERS,
    GroupKind,
    Metric,
    Model,
    Set,
    Strategy,
)
from thyrocast.contract.table import Table
from thyrocast.pages import numbers
from thyrocast.pages.parts import Grid, Key, Panel
from thyrocast.report import scores, words
from thyrocast.report import sources as center_sources
from thyrocast.report.figures import forest_figure, performance_figures
from thyrocast.report.grids import center_grids, design_grids
from thyrocast.report.sections import calendar
from thyrocast.report.sections.published import read as read_published
from thyrocast.report.study import StudyResults, missing_models

#: Models whose intervals are drawn: the bands of more than two curves hide each other.
BANDED = (Model.SIGNATURE, Model.NETWORK)
NOTHING_SCORED = (
    "No test patient of this design can be scored: outcomes are not known yet, or all are the same. "
    "The design trains the model that is locked, or only predicts."
)


@dataclass(frozen=True)
class DesignSection:
    """Results of a design.

    Attributes
    ----------
    name, title, note
        Name of the design in the tables, its title, and a description.
    unseen_centers
        Whether test patients come from centers that the models did not see in training.
    summary
        Main result in a few words, shown while the section is folded.
    missing
        Why there are no results; empty if there are.
    sentences
        What a reader must know before the numbers.
    tests, training, centers, pooled, comparisons, over_time, more
        Tables.
    roc, calibration, decision, forest
        Figures.
    """

    name: str
    title: str
    note: str
    unseen_centers: bool = False
    summary: str = ""
    missing: str = ""
    sentences: Sequence[str] = ()
    tests: Sequence[Grid] = ()
    training: Sequence[Grid] = ()
    roc: Sequence[Panel] = ()
    calibration: Sequence[Panel] = ()
    decision: Sequence[Panel] = ()
    centers: Grid | None = None
    forest: Sequence[Panel] = ()
    pooled: Sequence[Grid] = ()
    sources: Grid | None = None
    comparisons: Sequence[Grid] = ()
    over_time: Sequence[Grid] = ()
    more: Sequence[Grid] = ()


def design_section(study: StudyResults, design: str) -> DesignSection:
    """Collect everything that the page shows of a design."""
    title, note = words.design(design), words.DESIGN_NOTES.get(design, "")
    training = design_grids.tables(study, design, Set.TRAIN)
    if design not in scores.evaluated(study):
        return DesignSection(
            design,
            title,
            note,
            missing=NOTHING_SCORED,
            training=training,
            pooled=center_grids.pooled(study, design),
            sources=center_sources.sources(study, design),
        )
    # The heads are in the tables; as curves they would hide the models that the study is about.
    models = [model for model in study.models(design) if model not in HEADS]
    banded = [model for model in BANDED if model in models] or models[:2]
    return DesignSection(
        name=design,
        title=title,
        note=note,
        unseen_centers=design in UNSEEN_CENTERS,
        summary=_summary(study, design),
        sentences=_sentences(study, design),
        tests=design_grids.tables(study, design, Set.TEST),
        training=training,
        roc=_roc(study, design, models, banded),
        calibration=_calibration(study, design, models),
        decision=_decision(study, design, models, banded[:1]),
        centers=center_grids.centers(study, design),
        forest=_forest(study, design, models),
        pooled=center_grids.pooled(study, design),
        sources=center_sources.sources(study, design),
        comparisons=design_grids.comparisons(study, design),
        over_time=calendar.over_time(study, design),
        more=[
            *design_grids.subgroups(study, design),
            *center_grids.influence(study, design),
            *design_grids.by_split(study, design),
            *design_grids.thresholds(study, design),
        ],
    )


def _summary(study: StudyResults, design: str) -> str:
    model = scores.main_model(study, design)
    return f"{words.model(model)}, AUC {scores.auc_text(study, design, model, Set.TEST)}"


def _sentences(study: StudyResults, design: str) -> list[str]:
    rows = study.select(evaluation.PERFORMANCE, design=design, set=Set.TEST)
    splits = rows["split"].unique()
    sentences = []
    if len(splits) > 1 and ALL_SPLITS in splits:
        sentences.append(
            "Results of all splits together mix predictions of several models, which may differ in "
            "scale; the pooled results of the centers do not."
        )
    sentences += calendar.sentences(study, design)
    sentences += _best_head(study, design)
    missing = missing_models(study, design)
    if missing:
        sentences.append(f"Not scored in this design: {words.listing(missing)}.")
    return sentences


def _best_head(study: StudyResults, design: str) -> list[str]:
    """Whether a linear model on the same features has a higher AUC than the signature."""
    rows = {
        # The AUC that the sentence states: in `loco` the mean over centers, not that of mixed scales.
        model: scores.answer(study, design, model)
        for model in study.models(design)
        if model in (Model.SIGNATURE, *HEADS)
    }
    areas = {model: float(row["estimate"]) for model, row in rows.items() if row is not None}
    if Model.SIGNATURE not in areas or len(areas) < 2:
        return []
    best = max(areas, key=lambda model: areas[model])
    others = "the linear models on the same features of the network"
    signature = scores.auc_text(study, design, Model.SIGNATURE, Set.TEST)
    if best == Model.SIGNATURE:
        return [f"The AUC of the signature, {signature}, is not below that of {others}."]
    found = scores.auc_text(study, design, best, Set.TEST)
    return [
        f"Of the signature and {others}, {words.model(best)} has the highest AUC, {found}; the "
        f"signature has {signature}. The comparison is exploratory: the signature was chosen "
        "beforehand, as published."
    ]


def _curves(
    study: StudyResults, table: Table, design: str, set_name: str, model: str
) -> list[pd.DataFrame]:
    """The curve of a model in a whole design, or one for each split."""
    rows = study.select(
        table, design=design, set=set_name, group_kind=GroupKind.POOLED, model=model
    )
    whole = rows[rows["split"] == ALL_SPLITS]
    if not whole.empty:
        return [whole]
    return [part for _, part in rows.groupby("split", sort=False)]


def _roc(
    study: StudyResults, design: str, models: Sequence[str], banded: Sequence[str]
) -> list[Panel]:
    panels = []
    for set_name in (Set.TEST, Set.TRAIN):
        found = {m: _curves(study, evaluation.ROC, design, set_name, m) for m in models}
        curves = {model: parts for model, parts in found.items() if parts}
        if not curves:
            continue
        values = {m: scores.auc_text(study, design, m, set_name, curve=True) for m in curves}
        single = all(len(parts) == 1 for parts in curves.values())
        svg = performance_figures.roc(
            f"roc-{design}-{set_name}",
            curves,
            banded if single else (),
            "; ".join(f"{words.model(m)} AUC {value}" for m, value in values.items() if value),
        )
        legend = [performance_figures.key(model, values[model]) for model in curves]
        note = _roc_note(study, set_name, single, banded)
        panels.append(Panel(f"{words.SETS[set_name]} set", svg, legend, note))
    return panels


def _roc_note(study: StudyResults, set_name: str, single: bool, banded: Sequence[str]) -> str:
    names = words.listing([words.model(model) for model in banded])
    note = f"Bands: {study.level} intervals of {names}." if single else "One line for each split."
    if set_name == Set.TEST:
        return note
    if study.in_sample:
        return f"{note} In-sample, as published: these curves overestimate performance."
    return (
        f"{note} Cross-fitted: networks and forests predict only patients who were not used to fit "
        "them."
    )


def _calibration(study: StudyResults, design: str, models: Sequence[str]) -> list[Panel]:
    panels = []
    for model in models:
        curves = _curves(study, evaluation.CALIBRATION, design, Set.TEST, model)
        groups = _curves(study, evaluation.CALIBRATION_GROUPS, design, Set.TEST, model)
        if len(curves) > 1 or len(groups) > 1 or not (curves or groups):
            continue
        svg = performance_figures.calibration(
            f"calibration-{design}-{model}",
            model,
            curves[0] if curves else io.empty(evaluation.CALIBRATION),
            groups[0] if groups else io.empty(evaluation.CALIBRATION_GROUPS),
            _test_predictions(study, design, model),
            study.config.evaluation.minimum_count.patients,
        )
        note = _calibration_note(study, design, model)
        panels.append(Panel(words.model(model), svg, note=note))
    return panels


def _calibration_note(study: StudyResults, design: str, model: str) -> str:
    facts = []
    for name, metric in (
        ("Slope", Metric.CALIBRATION_SLOPE),
        ("Observed / expected", Metric.OE_RATIO),
    ):
        row = scores.headline(study, design, model, metric)
        if row is not None:
            value = numbers.estimate(row["estimate"], row["ci_low"], row["ci_high"])
            facts.append(f"{name} {value}")
    return "; ".join(facts) + ("." if facts else "")


def _test_predictions(study: StudyResults, design: str, model: str) -> pd.DataFrame:
    rows = study.select(evaluation.PREDICTIONS, design=design, model=model, set=Set.TEST)
    return rows.loc[rows["outcome"].notna(), ["outcome", "probability"]]


def _decision(
    study: StudyResults, design: str, models: Sequence[str], banded: Sequence[str]
) -> list[Panel]:
    def curves_of(model: str) -> list[pd.DataFrame]:
        return _curves(study, evaluation.DECISION_CURVE, design, Set.TEST, model)

    found = {model: curves_of(model) for model in models}
    curves = {model: parts[0] for model, parts in found.items() if len(parts) == 1}
    if not curves:
        return []
    everyone = [*curves_of(Strategy.TREAT_ALL), io.empty(evaluation.DECISION_CURVE)][0]
    legend = [
        *(performance_figures.key(model) for model in curves),
        Key("muted", "4 4", "Treat all"),
        Key("muted", "", "Treat none"),
    ]
    whole = study.config.evaluation.decision.range
    published = whole == tuple(read_published().decision_range)
    names = words.listing([words.model(model) for model in banded])
    panels = []
    for limits, about in (
        (whole, "as published" if published else "the whole range"),
        (study.config.evaluation.decision.clinical, "the clinical range"),
    ):
        svg = performance_figures.decision(
            f"decision-{design}-{about}", curves, everyone, limits, banded
        )
        title = f"{numbers.number(100 * limits[0], 0)} to {numbers.percent(limits[1])}, {about}"
        panels.append(Panel(title, svg, legend, f"Band: {study.level} interval of {names}."))
    return panels


def _forest(study: StudyResults, design: str, models: Sequence[str]) -> list[Panel]:
    panels = []
    for model in models:
        rows = _forest_rows(study, design, model)
        if rows["estimate"].notna().sum() < 1 or len(rows) < 2:
            continue
        pooled = scores.pooled(study, design, model)
        svg = forest_figure.forest(f"forest-{design}-{model}", model, rows, pooled)
        panels.append(Panel(words.model(model), svg))
    return panels


def _forest_rows(study: StudyResults, design: str, model: str) -> pd.DataFrame:
    """Centers of this study, and those of other studies that are pooled with them."""
    own = scores.center_rows(study, design, model)
    others = study.select(evaluation.POOLED_CENTERS, design=design, model=model, metric=Metric.AUC)
    others = others[~others["center"].isin(own["center"])].drop_duplicates("center")
    columns = ["center", "estimate", "ci_low", "ci_high", "n", "events"]
    if others.empty:
        return own[columns]
    others = others.assign(center=others["center"] + ", other study")
    return pd.concat([own[columns], others[columns]])
