"""The first screen: the main result, its uncertainty, and the numbers of the study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from thyrocast.contract.evaluation import DECISION_CURVE, PREDICTIONS
from thyrocast.contract.names import (
    UNSEEN_CENTERS,
    Design,
    Metric,
    Model,
    Role,
    Set,
    Strategy,
)
from thyrocast.pages import numbers
from thyrocast.report import coverage, scores, words
from thyrocast.report.figures import performance_figures
from thyrocast.report.sections import image_value
from thyrocast.report.study import StudyResults

#: Tolerance for comparisons of thresholds and of net benefits.
_SLACK = 1e-9


@dataclass(frozen=True)
class Bar:
    """An AUC on the scale of the first screen.

    Attributes
    ----------
    model, color, note
        Name, color in the palette, and what the model is.
    value, within
        AUC and interval as text.
    low, high, at
        Interval and AUC, in percent of the scale's width.
    """

    model: str
    color: str
    note: str
    value: str
    within: str
    low: float
    high: float
    at: float


@dataclass(frozen=True)
class AucScale:
    """The bars of all models on one scale.

    Attributes
    ----------
    bars
        The main model first.
    ticks
        Labels and their places, in percent of the width.
    chance
        Place of an AUC of 0.5.
    """

    bars: Sequence[Bar]
    ticks: Sequence[tuple[str, float]]
    chance: float


@dataclass(frozen=True)
class MainResult:
    """The answer to the study's question.

    Attributes
    ----------
    question, answer
        The question and the answer, as sentences.
    value, within, scope
        The AUC, its interval, and in which patients it was measured.
    added
        Sentences about what the image adds to what is known without it.
    certainty
        Sentences about its uncertainty, new centers, calibration and use.
    scale
        AUC of every model.
    """

    question: str
    answer: str
    value: str
    within: str
    scope: str
    added: Sequence[str]
    certainty: Sequence[str]
    scale: AucScale


def main_result(study: StudyResults) -> MainResult | None:
    """The main model in the design with the strongest evidence; None if nothing was scored."""
    designs = scores.evaluated(study)
    if not designs:
        return None
    design = designs[0]
    found = {model: scores.answer(study, design, model) for model in study.models(design)}
    rows = {model: row for model, row in found.items() if row is not None}
    main = scores.main_model(study, design)
    row = rows[main]
    unseen = "centers" if design in UNSEEN_CENTERS else "patients"
    return MainResult(
        question=f"How good is the model in {unseen} that it never saw?",
        answer=_answer(row, main, same=_predicts_the_same(study, design, main)),
        value=numbers.number(row["estimate"]),
        within=numbers.interval(row["ci_low"], row["ci_high"]),
        scope=_scope(study, design, row, main),
        added=image_value.sentences(study, design, main),
        certainty=[*_in_place(study, main), *_certainty(study, design, main, row)],
        scale=_scale(rows, main),
    )


def _in_place(study: StudyResults, main: str) -> list[str]:
    """Say so if the model that was named beforehand is not the one that is shown."""
    wanted = study.config.evaluation.primary_model
    if main == wanted:
        return []
    return [
        f"The model that the config names for the main result, “{words.model(wanted)}”, was not scored here; "
        f"{_subject(main)} is shown in its place."
    ]


def _subject(model: str) -> str:
    """A model as the subject of a sentence."""
    known = {Model.NETWORK.value: "the network", Model.SIGNATURE.value: "the signature"}
    return known.get(model, f"the model “{words.model(model)}”")


def _predicts_the_same(study: StudyResults, design: str, model: str) -> bool:
    """Whether all test patients of a split have one probability, as of a model without a signal in training."""
    rows = study.select(PREDICTIONS, design=design, model=model, set=Set.TEST)
    found = rows.groupby("split")["probability"]
    return not rows.empty and bool((found.max() - found.min() < _SLACK).all())


def _answer(row: pd.Series, model: str, *, same: bool = False) -> str:
    middle, low, high = (float(row[part]) for part in ("estimate", "ci_low", "ci_high"))
    name = _subject(model)
    if same:
        return (
            f"No patients are distinguished: {name} gives all patients of a test set the same probability, as a model "
            "does that found no signal in training."
        )
    if not np.isfinite(low):
        return f"{name[0].upper()}{name[1:]} was scored, but there are too few patients for an interval."
    if high < 0.5:
        return (
            f"Worse than chance: {name} ranks patients in the wrong order. Check the codes of the "
            "outcome."
        )
    if low <= 0.5:
        return (
            f"Not shown to be better than chance: {name} may not be able to distinguish patients "
            "who are cured from those who are not."
        )
    return (
        f"Of 100 pairs of a patient who is cured and one who is not, {name} ranks "
        f"{numbers.number(100 * middle, 0)} in the right order "
        f"({numbers.number(100 * low, 0)} to {numbers.number(100 * high, 0)}); 50 would be chance."
    )


def _scope(study: StudyResults, design: str, row: pd.Series, model: str) -> str:
    centers = scores.center_rows(study, design, model)["center"].nunique()
    unscored = 0
    if "k" in row:
        centers, unscored = int(row["k"]), max(0, centers - int(row["k"]))
    where = {
        Design.EXTERNAL.value: f"of {words.plural(centers, 'external center')}",
        Design.LOCO.value: f"of {words.plural(centers, 'center')}, each left out of training in turn",
    }.get(design, "held out of training, from centers that the model saw in training")
    if unscored:
        where += f"; {unscored} more could not be scored"
    kind = "Mean AUC over centers" if "k" in row else "AUC"
    return (
        f"{kind} of {_subject(model)} in {numbers.count(row['n'])} patients "
        f"({numbers.count(row['events'])} cured) {where}."
    )


def _certainty(study: StudyResults, design: str, model: str, row: pd.Series) -> list[str]:
    sentences = []
    low, high = float(row["ci_low"]), float(row["ci_high"])
    if np.isfinite(low):
        of = "centers" if "k" in row else "patients"
        sentences.append(
            f"Any AUC from {numbers.number(low)} to {numbers.number(high)} is compatible with these "
            f"{of} ({study.level} interval; 0.5 is chance, 1 is perfect)."
        )
        kind = "reml_hartung_knapp_truncated" if "k" in row else row["ci_method"]
        covered = coverage.outside(Metric.AUC, kind)
        if covered is not None:
            sentences.append(
                f"In simulations, nominal 95 % intervals of this kind covered {covered.text} "
                f"({coverage.SOURCE})."
            )
    sentences += _new_center(study, design, model)
    sentences += _calibration(study, design, model)
    sentences += _usefulness(study, design, model)
    if design not in UNSEEN_CENTERS:
        sentences.append(
            "No center was left out of training: the performance in other hospitals is not known."
        )
    return sentences


def _new_center(study: StudyResults, design: str, model: str) -> list[str]:
    # Only designs with unseen centers give information on a new center; this design comes first.
    order = sorted(UNSEEN_CENTERS, key=lambda name: name != design)
    found = [scores.pooled(study, name, model) for name in order]
    row = next((row for row in found if row is not None), None)
    if row is None or not numbers.interval(row["pi_low"], row["pi_high"]):
        return []
    source = words.design(row["design"]).lower()
    chance = " This includes chance." if float(row["pi_low"]) <= 0.5 else ""
    return [
        f"From {words.plural(int(row['k']), 'center')} ({source}), a new hospital can expect an AUC "
        f"between {numbers.number(row['pi_low'])} and {numbers.number(row['pi_high'])} "
        f"({study.level} prediction interval; such intervals contained "
        f"{numbers.number(row['pi_coverage_low'], 0)} to {numbers.number(row['pi_coverage_high'], 0)} % "
        f"of new centers in simulations).{chance}"
    ]


def _calibration(study: StudyResults, design: str, model: str) -> list[str]:
    row = scores.answer(study, design, model, Metric.OE_RATIO)
    if row is None or not numbers.is_number(row["ci_low"]):
        return []
    value = numbers.estimate(row["estimate"], row["ci_low"], row["ci_high"])
    verdict = "right on average, as far as this study can show"
    if float(row["ci_low"]) > 1:
        verdict = "too low on average"
    if float(row["ci_high"]) < 1:
        verdict = "too high on average"
    sentence = (
        f"The model’s probabilities of cure are {verdict}: observed / expected {value}"
        f"{_left_out(study, design, model, row)}."
    )
    return [sentence, *_slope(study, design, model)]


def _left_out(study: StudyResults, design: str, model: str, row: pd.Series) -> str:
    """How many centers a mean is without: they may be those in which the model fails."""
    if "k" not in row:
        return ""
    pooled = int(row["k"])
    others = scores.center_rows(study, design, model)["center"].nunique() - pooled
    if others < 1:
        return ""
    return f" (mean of {words.plural(pooled, 'center')}; {others} more left out)"


def _slope(study: StudyResults, design: str, model: str) -> list[str]:
    row = scores.answer(study, design, model, Metric.CALIBRATION_SLOPE)
    if row is None or not numbers.is_number(row["ci_low"]):
        return []
    value = numbers.estimate(row["estimate"], row["ci_low"], row["ci_high"])
    verdict = "Nothing shows that they are too extreme or not extreme enough"
    if float(row["ci_high"]) < 1:
        verdict = "They are too extreme: high ones are too high and low ones too low"
    if float(row["ci_low"]) > 1:
        verdict = "They are not extreme enough: high ones are too low and low ones too high"
    return [f"{verdict}. Calibration slope: {value}; 1 is right."]


def _usefulness(study: StudyResults, design: str, model: str) -> list[str]:
    """Where decisions by the model are better than treating all and than treating none."""
    limits = study.config.evaluation.decision.clinical
    both = _net_benefits(study, design, model)
    both = both[both.index.to_series().between(limits[0] - _SLACK, limits[1] + _SLACK)]
    if both.empty:
        return []
    better = both["model"] > np.maximum(both["all"], 0) + _SLACK
    where = f"between {numbers.number(100 * limits[0], 0)} and {numbers.percent(limits[1])}"
    if not better.any():
        return [
            f"At no threshold {where} did decisions by the model have a higher net benefit than "
            "treating all or treating none."
        ]
    found = (
        f"Of the threshold probabilities {where}, decisions by the model had a higher net benefit than "
        f"treating all or treating none {_ranges(better)}"
    )
    over_centers = _net_benefit_of_centers(study, design, model)
    if over_centers:
        return [f"{found}, in all test patients as one sample. {over_centers}"]
    sure = better & (both["sure"] > 0)
    beyond = f"the interval excludes chance {_ranges(sure)}"
    if not sure.any():
        beyond = "at none of them does the interval exclude chance"
    return [f"{found}; {beyond} ({study.level} intervals)."]


def _net_benefit_of_centers(study: StudyResults, design: str, model: str) -> str:
    """The mean over centers, where that is the headline: one sample ignores that centers differ."""
    row = scores.pooled(study, design, model, Metric.NET_BENEFIT)
    if row is None or not row["headline"] or not numbers.is_number(row["ci_low"]):
        return ""
    value = numbers.estimate(row["estimate"], row["ci_low"], row["ci_high"], 3)
    shown = "excludes" if float(row["ci_low"]) > 0 or float(row["ci_high"]) < 0 else "includes"
    return (
        f"At a threshold of {row['at']:g}, the mean net benefit over {words.plural(int(row['k']), 'center')} is "
        f"{value}: its {study.level} interval {shown} 0, that of treating none. For the comparison with "
        "treating all there is no interval over centers."
    )


def _ranges(marked: pd.Series) -> str:
    """Where a series by threshold is true: ``from 0.52 to 0.6 and at 0.7``."""
    values, runs = marked.to_numpy(bool), []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], values, [False]]).astype(int)))
    for first, after in edges.reshape(-1, 2):
        low, high = (f"{marked.index[place]:g}" for place in (first, after - 1))
        runs.append(f"at {low}" if low == high else f"from {low} to {high}")
    return words.listing(runs)


def _net_benefits(study: StudyResults, design: str, model: str) -> pd.DataFrame:
    """Net benefit by threshold: model, treating all, and whether intervals show the model is best."""
    rows = study.pooled_rows(DECISION_CURVE, design, Set.TEST)
    own = rows[rows["model"] == model].set_index("threshold")
    everyone = rows[rows["model"] == Strategy.TREAT_ALL].drop_duplicates("threshold")
    # Better than treating none if the interval of the net benefit is above 0, better than treating
    # all if that of the interventions avoided is.
    sure = (own["ci_low"] > 0) & (own["avoided_low"] > 0)
    columns = {
        "model": own["net_benefit"],
        "all": everyone.set_index("threshold")["net_benefit"],
        "sure": sure.astype(float),
    }
    return pd.concat(columns, axis=1).dropna()


def _scale(rows: Mapping[str, pd.Series], main: str) -> AucScale:
    ends = [
        float(row[part])
        for row in rows.values()
        for part in ("estimate", "ci_low")
        if numbers.is_number(row[part])
    ]
    start = min(0.4, max(0.0, float(np.floor(10 * min(ends))) / 10))

    def place(value: float) -> float:
        return round(100 * (float(value) - start) / (1 - start), 2)

    bars = []
    for model in sorted(rows, key=lambda name: name != main):
        row = rows[model]
        low, high = (
            row[part] if numbers.is_number(row[part]) else row["estimate"]
            for part in ("ci_low", "ci_high")
        )
        bars.append(
            Bar(
                words.model(model), performance_figures.key(model).color, words.MODEL_NOTES.get(model, ""),
                numbers.number(row["estimate"]), numbers.interval(row["ci_low"], row["ci_high"]),
                place(low), place(high), place(row["estimate"]),
            )
        )  # fmt: skip
    ticks = [(numbers.number(tick, 1), place(tick)) for tick in np.arange(start, 1.01, 0.1)]
    return AucScale(bars, ticks, place(0.5))


def facts(study: StudyResults) -> list[tuple[str, str]]:
    """The study in five numbers: (name, value)."""
    known = study.cohort["outcome"].dropna()
    roles = study.cohort.drop_duplicates("center")["role"].value_counts()
    centers = ", ".join(f"{roles[role]} {role}" for role in Role if role in roles)
    return [
        ("Patients analyzed", numbers.count(len(study.cohort))),
        ("Cured", numbers.share(int(known.sum()), len(known)) if len(known) else "not known yet"),
        ("Centers", f"{study.cohort['center'].nunique()} ({centers})"),
        ("Designs", words.listing([words.design(d) for d in study.designs]) or "none scored"),
        (
            "Protocol of the signature",
            "in-sample, as published" if study.in_sample else "cross-fitted (corrected)",
        ),
    ]
