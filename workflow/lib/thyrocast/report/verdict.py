"""The first screen: how good, how sure, and what a reader must know before believing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thyrocast.report import figures, results, scores, words
from thyrocast.report.reading import YES, Study

PURPOSES = {"development": "developing", "validation": "validating"}


@dataclass(frozen=True)
class Bar:
    """An AUC on the first screen's scale, places in percent of its width."""

    model: str
    colour: str
    note: str
    value: str
    within: str
    low: float
    high: float
    at: float


@dataclass(frozen=True)
class Banner:
    """Something that changes what every number below means."""

    kind: str
    title: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """The first screen."""

    question: str
    answer: str
    value: str
    within: str
    scope: str
    sure: Sequence[str]
    bars: Sequence[Bar]
    ticks: Sequence[tuple[str, float]]
    chance: float


def banners(study: Study) -> list[Banner]:
    """Simulated, shuffled, too small, as published: said before any result."""
    found = []
    if study.simulated > 0:
        whole = study.simulated == 1
        found.append(
            Banner(
                "warning",
                "Simulated patients" if whole else "Some patients are simulated",
                (
                    "Every patient in this report is simulated: the numbers show that the method works, "
                    "and say nothing about people."
                    if whole
                    else f"{words.percent(study.simulated)} of the analysed patients are simulated: the "
                    "numbers below say nothing reliable about people."
                ),
            )
        )
    if study.shuffled:
        found.append(
            Banner(
                "danger",
                "Null run: outcomes were shuffled",
                "Outcomes were dealt out at random within each center, so that nothing can be learned about a "
                "patient: within centers, an AUC clearly above 0.5 would show a leak, not skill. (Centers keep "
                "their cure rates; over several together, knowing the center alone gives more than 0.5.)",
            )
        )
    if scores.evaluated(study):
        found += _size(study)
    if study.in_sample:
        found.append(
            Banner(
                "warning",
                "Published protocol: in-sample embeddings",
                "The signature learned from embeddings of patients whom its network had already seen, as in the "
                "published study. Its training figures look better than the model is; judge by the test sets.",
            )
        )
    return found


def _size(study: Study) -> list[Banner]:
    rows = study.table("sample_size")
    short = rows[~rows["sufficient"].str.lower().isin(YES) & rows["required_n"].notna()]
    short = short[short["required_n"] > short["available_n"].fillna(0)]
    if short.empty:
        return []
    parts = []
    for purpose, group in short[short["criterion"] != "all"].groupby("purpose", sort=False):
        worst = group.sort_values("required_n").iloc[-1]
        if str(purpose) in PURPOSES:
            parts.append(
                f"{PURPOSES[str(purpose)]} a model takes {words.count(worst['required_n'])} patients "
                f"({words.count(worst['available_n'])} here)"
            )
    if not parts:
        return []
    text = f"By published criteria {' and '.join(parts)}: expect wide intervals, and another model from other patients."
    return [Banner("warning", "Too small a study", text)]


def verdict(study: Study) -> Verdict | None:
    """Say how good the study's main model is where evidence is strongest; None if nothing was scored."""
    designs = scores.evaluated(study)
    if not designs:
        return None
    design = designs[0]
    found = {m: scores.answer(study, design, m) for m in study.models(design)}
    rows = {m: row for m, row in found.items() if row is not None}
    speaker = scores.speaker(study, design)
    row = rows[speaker]
    bars, ticks, chance = _bars(rows, speaker)
    return Verdict(
        question=_question(design),
        answer=_answer(row, speaker),
        value=words.number(row["estimate"]),
        within=words.interval(row["ci_low"], row["ci_high"]),
        scope=_scope(study, design, row, speaker),
        sure=_sure(study, design, speaker, row),
        bars=bars,
        ticks=ticks,
        chance=chance,
    )


def _question(design: str) -> str:
    if design in words.UNSEEN_CENTERS:
        return "How good is it in centers it never saw?"
    return "How good is it in patients it never saw?"


def _answer(row: pd.Series, speaker: str) -> str:
    middle, low, high = (float(row[end]) for end in ("estimate", "ci_low", "ci_high"))
    name = f"the {words.model(speaker)} model" if speaker != "network" else "the network"
    name = "the signature" if speaker == "signature" else name
    if not np.isfinite(low):
        return f"{name[0].upper()}{name[1:]} was scored, but too few patients allow no interval."
    if high < 0.5:
        return f"Worse than chance: {name} ranks patients the wrong way round. Check the outcome codes."
    if low <= 0.5:
        return f"Not shown to be better than chance: {name} may not tell patients apart at all."
    strength = (
        "slightly"
        if middle < 0.6
        else "somewhat"
        if middle < 0.7
        else "clearly"
        if middle < 0.8
        else "much"
    )
    return (
        f"{strength.capitalize()} better than chance: of 100 pairs of a patient who is cured and one who is not, "
        f"{name} ranks {words.number(100 * middle, 0)} the right way round."
    )


def _scope(study: Study, design: str, row: pd.Series, speaker: str) -> str:
    centers = scores.center_rows(study, design, speaker)["center"].nunique()
    others = 0
    if "k" in row:
        centers, others = int(row["k"]), max(0, centers - int(row["k"]))
    seen = {
        "external": f"of {words.plural(centers, 'external center')}",
        "loco": f"of {words.plural(centers, 'center')}, each left out of training in turn",
    }.get(design, "held out of training, from centers that the model did see")
    if others:
        seen += f"; {others} more could not be scored"
    kind = "Mean AUC over centers" if "k" in row else "AUC"
    return (
        f"{kind} of the {words.model(speaker).lower() if speaker != 'network' else 'ResNet50'} in "
        f"{words.count(row['n'])} patients ({words.count(row['events'])} cured) {seen}."
    )


def _sure(study: Study, design: str, model: str, row: pd.Series) -> list[str]:
    said = []
    low, high = float(row["ci_low"]), float(row["ci_high"])
    if np.isfinite(low):
        width = high - low
        sure = "narrow" if width < 0.1 else "fairly wide" if width < 0.2 else "wide"
        said.append(
            f"The {study.level} interval is {sure}: an AUC anywhere from {words.number(low)} to {words.number(high)} "
            f"fits these {'centers' if 'k' in row else 'patients'} (0.5 is a coin, 1 is perfect)."
        )
    said += _new_center(study, design, model)
    said += _calibrated(study, design, model)
    said += _useful(study, design, model)
    if design not in words.UNSEEN_CENTERS:
        said.append("No center was left out: this says nothing yet about other hospitals.")
    return said


def _new_center(study: Study, design: str, model: str) -> list[str]:
    # A center that the model saw says nothing of a new one; this design's own word comes first.
    order = sorted(words.UNSEEN_CENTERS, key=lambda name: name != design)
    found = {name: scores.pooled(study, name, model) for name in order}
    row = next((row for row in found.values() if row is not None), None)
    if row is None or not (words.is_number(row["pi_low"]) and words.is_number(row["pi_high"])):
        return []
    source = words.design(str(row["design"])).lower()
    chance = " This includes chance." if float(row["pi_low"]) <= 0.5 else ""
    return [
        f"From {words.plural(int(row['k']), 'center')} ({source}), a new hospital can expect an "
        f"AUC between {words.number(row['pi_low'])} and {words.number(row['pi_high'])} ({study.level} prediction interval).{chance}"
    ]


def _calibrated(study: Study, design: str, model: str) -> list[str]:
    row = scores.answer(study, design, model, "oe_ratio")
    if row is None or not words.is_number(row["ci_low"]):
        return []
    value = words.estimate(row["estimate"], row["ci_low"], row["ci_high"])
    said = f"right on average, as far as this study can tell: observed / expected {value}"
    if float(row["ci_low"]) > 1:
        said = f"too low on average: observed / expected {value}"
    if float(row["ci_high"]) < 1:
        said = f"too high on average: observed / expected {value}"
    return [f"Its probabilities of cure are {said}.", *_slope(study, design, model)]


def _slope(study: Study, design: str, model: str) -> list[str]:
    row = scores.answer(study, design, model, "calibration_slope")
    if row is None or not words.is_number(row["ci_low"]):
        return []
    value = words.estimate(row["estimate"], row["ci_low"], row["ci_high"])
    said = "Nothing shows that they are too extreme or too timid"
    if float(row["ci_high"]) < 1:
        said = "They are too extreme, high ones too high and low ones too low"
    if float(row["ci_low"]) > 1:
        said = "They are too timid, high ones too low and low ones too high"
    return [f"{said}: calibration slope {value}, where 1 is right."]


def _useful(study: Study, design: str, model: str) -> list[str]:
    """Where deciding by the model beats both treating all and treating none."""
    split = study.overall(design)
    rows = study.select("decision_curve", design=design, split=split, set="test", group="pooled")
    own = rows[rows["model"] == model].set_index("threshold")
    mine = own["net_benefit"]
    everyone = (
        rows[rows["model"] == "treat_all"]
        .drop_duplicates("threshold")
        .set_index("threshold")["net_benefit"]
    )
    if mine.empty or everyone.empty:
        return []
    limits = results.clinical_range(study)
    # Above treating none where the net benefit's interval is above 0, above treating all where that
    # of the interventions avoided is.
    surely = (own["ci_low"] > 0) & (own["avoided_low"] > 0)
    both = pd.concat({"mine": mine, "all": everyone, "sure": surely}, axis=1).dropna()
    both = both[(both.index >= limits[0] - 1e-9) & (both.index <= limits[1] + 1e-9)]
    if both.empty:
        return []
    better = float((both["mine"] > np.maximum(both["all"], 0) + 1e-9).mean())
    where = f"between {words.number(100 * limits[0], 0)} and {words.percent(limits[1])}"
    if better == 0:
        return [
            f"Deciding by it is never better than treating all or none, at any threshold {where}."
        ]
    sure = float(both["sure"].astype(bool).mean())
    beyond = (
        f"at {words.percent(sure)} of them beyond chance ({study.level} intervals)"
        if sure
        else f"but nowhere beyond chance ({study.level} intervals)"
    )
    return [
        "Deciding by it had a higher net benefit than treating all or none at "
        f"{words.percent(better)} of the thresholds {where}, {beyond}."
    ]


def _bars(
    rows: dict[str, pd.Series], speaker: str
) -> tuple[list[Bar], list[tuple[str, float]], float]:
    ends = [
        float(row[end])
        for row in rows.values()
        for end in ("estimate", "ci_low")
        if words.is_number(row[end])
    ]
    start = min(0.4, max(0.0, np.floor(10 * min(ends)) / 10))

    def place(value: Any) -> float:
        return round(100 * (float(value) - float(start)) / (1 - float(start)), 2)

    bars = []
    for model in sorted(rows, key=lambda m: m != speaker):
        row = rows[model]
        low = row["ci_low"] if words.is_number(row["ci_low"]) else row["estimate"]
        high = row["ci_high"] if words.is_number(row["ci_high"]) else row["estimate"]
        bars.append(
            Bar(
                words.model(model), figures.key(model).colour, words.MODEL_NOTES.get(model, ""),
                words.number(row["estimate"]), words.interval(row["ci_low"], row["ci_high"]),
                place(low), place(high), place(row["estimate"]),
            )
        )  # fmt: skip
    ticks = [(words.number(t, 1), place(t)) for t in np.arange(start, 1.01, 0.1)]
    return bars, ticks, place(0.5)


def facts(study: Study) -> list[tuple[str, str]]:
    """The study in five numbers."""
    known = study.cohort.loc[study.cohort["outcome"] != "", "outcome"]
    cured = int((known == "1").sum())
    roles = study.cohort.drop_duplicates("center")["role"].value_counts()
    centers = ", ".join(f"{roles[role]} {role}" for role in words.ROLES if role in roles)
    return [
        ("Patients analysed", words.count(len(study.cohort))),
        ("Cured", words.share(cured, len(known)) if len(known) else "not known yet"),
        ("Centers", f"{study.cohort['center'].nunique()} ({centers})"),
        ("Designs", words.listing([words.design(d) for d in study.designs]) or "none scored"),
        (
            "Signature's protocol",
            "in-sample, as published" if study.in_sample else "cross-fitted (corrected)",
        ),
    ]


def truth(study: Study) -> dict[str, Any] | None:
    """Discrimination of the simulated patients' true risk, overall and by center."""
    if not study.simulation:
        return None
    overall = study.simulation.get("overall") or {}
    return {
        "auc": words.number(overall.get("auc")),
        "expected": words.number(overall.get("expected_auc")),
        "patients": words.count(overall.get("n")),
        "formula": str(study.simulation.get("formula") or ""),
        "centers": {
            name: words.number((facts or {}).get("auc"))
            for name, facts in (study.simulation.get("centers") or {}).items()
        },
    }
