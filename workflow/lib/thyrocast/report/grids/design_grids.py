"""Tables of a design: performance, splits, subgroups, comparisons and thresholds."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from thyrocast.contract.evaluation import COMPARISONS, PERFORMANCE, SAMPLE_SIZE, THRESHOLDS
from thyrocast.contract.names import ALL_SPLITS, IMAGE_MODELS, GroupKind, Metric, Set
from thyrocast.pages import numbers
from thyrocast.pages.parts import (
    Cell,
    Grid,
    estimate,
    first_rows,
    label,
    result,
    sizes,
    suppression_note,
)
from thyrocast.report import coverage, words
from thyrocast.report.study import StudyResults

#: Most splits in a table, so that the page of a study with many repeats stays small.
MOST_SPLITS = 12
PURPOSES = {"development": "Development of the baselines"}


def tables(study: StudyResults, design: str, set_name: str) -> list[Grid]:
    """Discrimination and decisions, calibration, and prediction sets of a design's set."""
    rows = study.pooled_rows(PERFORMANCE, design, set_name)
    title = f"{words.SETS[set_name]} set{_one_of_several(study, design, set_name)}"
    parts = (
        (words.DISCRIMINATION, "discrimination and decisions", _threshold_note(study, set_name)),
        (words.CALIBRATION, "calibration and accuracy", ""),
        (words.PREDICTION_SETS, "prediction sets", _sets_note(study)),
    )
    grids = [
        _metrics(study, design, rows, metrics, f"{title}: {about}", note)
        for metrics, about, note in parts
    ]
    return [grid for grid in grids if grid is not None]


def _one_of_several(study: StudyResults, design: str, set_name: str) -> str:
    split = study.overall(design, set_name)
    splits = study.select(PERFORMANCE, design=design, set=set_name)["split"].nunique()
    if set_name == Set.TRAIN and splits > 1 and split != ALL_SPLITS:
        return f", split {split} (the others: table by split)"
    return ""


def _threshold_note(study: StudyResults, set_name: str) -> str:
    where = "chosen on these patients" if set_name == Set.TRAIN else "chosen on the training set"
    if study.config.evaluation.threshold.rule in words.GIVEN_RULES:
        where = "given by the config"
    return (
        f"Sensitivity, specificity, PPV, NPV and accuracy are computed at the threshold {where}; "
        "evaluation/performance.csv has them at Youden’s threshold as well."
    )


def _sets_note(study: StudyResults) -> str:
    share = numbers.percent(1 - study.config.evaluation.prediction_sets.error)
    return (
        "A prediction set contains the outcomes that cannot be excluded for a patient. Of cured "
        f"patients, and of patients not cured, {share} of the sets are meant to contain the true "
        f"outcome. {_guarantee(study)} {coverage.prediction_sets()} If both outcomes are possible, or none is, the patient is undecided."
    )


def _guarantee(study: StudyResults) -> str:
    """What is proven of the sets of cross-fitted models (CV+)."""
    worst = numbers.percent(max(0.0, 1 - 2 * study.config.evaluation.prediction_sets.error))
    return (
        f"What is proven in new patients like the training patients is {worst}, less a term for few patients, for models other than the signature and those that "
        "use it. In other hospitals coverage is measured, not guaranteed."
    )


def _metrics(
    study: StudyResults,
    design: str,
    rows: pd.DataFrame,
    metrics: Sequence[str],
    caption: str,
    note: str,
) -> Grid | None:
    found = {*rows["metric"]}
    present = [metric for metric in metrics if metric in found]
    headlines = first_rows(rows, "model", "metric")
    sized = {row["model"]: row for row in reversed(headlines.values())}
    body = [
        [
            label(words.model(model)),
            sizes(sized[model]),
            *(result(headlines.get((model, metric))) for metric in present),
        ]
        for model in study.models(design)
        if model in sized
    ]
    if not (present and body):
        return None
    body += _trivial(next(iter(sized.values())), present)
    header = ["Model", "Patients", *(words.metric(metric) for metric in present)]
    shown = rows[rows["metric"].isin(present)]
    notes = [_intervals(rows, present, study.level), _covered(rows, present), note]
    notes.append(suppression_note(shown))
    return Grid(caption, header, body, " ".join(filter(None, notes)))


def _trivial(
    row: "Mapping[Hashable, Any] | pd.Series[Any]", metrics: Sequence[str]
) -> list[list[Cell]]:
    """Row of the rule that calls everyone cured, where decisions are shown."""
    if Metric.ACCURACY not in metrics or not numbers.is_number(row["n"]) or not row["n"]:
        return []
    cured = row["events"] / row["n"]
    values = {Metric.AUC: 0.5, Metric.SENSITIVITY: 1.0, Metric.SPECIFICITY: 0.0}
    values |= {Metric.PPV: cured, Metric.ACCURACY: cured}
    cells = [Cell(numbers.number(values.get(Metric(metric)))) for metric in metrics]
    return [[label("Everyone called cured", "no model"), sizes(row), *cells]]


def _intervals(rows: pd.DataFrame, metrics: Sequence[str], level: str) -> str:
    """Kinds of the intervals of a table, in a sentence."""
    known = rows[rows["estimate"].notna() & (rows["ci_method"] != "")]
    first = known.drop_duplicates("metric").set_index("metric")["ci_method"]
    methods: dict[str, list[str]] = {}
    for metric in metrics:
        if metric in first.index:
            methods.setdefault(words.method(first[metric]), []).append(words.metric(metric))
    if len(methods) < 2:
        return "".join(f"{level} intervals: {method}." for method in methods)
    named = [f"{method} ({', '.join(names)})" for method, names in methods.items()]
    return f"{level} intervals: {'; '.join(named)}."


def _covered(rows: pd.DataFrame, metrics: Sequence[str]) -> str:
    """What the headline intervals of a table covered, if it is not what they promise."""
    known = rows[rows["estimate"].notna() & rows["metric"].isin(metrics)]
    first = known.drop_duplicates(["model", "metric"])
    return coverage.sentence(zip(first["metric"], first["ci_method"], strict=True))


def by_split(study: StudyResults, design: str) -> list[Grid]:
    """AUC of every split in training and test: the difference is overfitting."""
    rows = study.select(PERFORMANCE, design=design, group_kind=GroupKind.POOLED, metric=Metric.AUC)
    names = [name for name in rows["split"].unique() if name != ALL_SPLITS]
    if len(names) < 2:
        return []
    found = first_rows(rows, "split", "model", "set")
    body = []
    for name in names[:MOST_SPLITS]:
        for model in study.models(design):
            train, test = (found.get((name, model, side)) for side in (Set.TRAIN, Set.TEST))
            if train or test:
                cells = [result(train), result(test), sizes(test)]
                body.append([label(name), label(words.model(model)), *cells])
    note = suppression_note(rows)
    if len(names) > MOST_SPLITS:
        note += (
            f" The first {MOST_SPLITS} of {len(names)} splits are shown; all are in "
            "evaluation/performance.csv."
        )
    header = ["Split", "Model", "AUC, training", "AUC, test", "Test patients"]
    return [Grid("AUC by split", header, body, note.strip())]


def subgroups(study: StudyResults, design: str) -> list[Grid]:
    """AUC of every model in the subgroups of the test set."""
    rows = study.select(
        PERFORMANCE, design=design, split=study.overall(design), set=Set.TEST,
        group_kind=GroupKind.SUBGROUP, metric=Metric.AUC,
    )  # fmt: skip
    if rows.empty:
        return []
    models = [model for model in study.models(design) if (rows["model"] == model).any()]
    body = []
    for (variable, name), part in rows.groupby(["variable", "group"], sort=False):
        found = first_rows(part, "model")
        title = words.group(GroupKind.SUBGROUP, str(variable), str(name))
        cells = [result(found.get((model,))) for model in models]
        body.append([label(title), sizes(next(iter(found.values()))), *cells])
    header = ["Subgroup", "Patients", *(f"AUC, {words.model(model)}" for model in models)]
    note = (
        "Exploratory: whether the AUC differs between subgroups is not tested, and intervals are not adjusted for their number. "
        f"{suppression_note(rows)}"
    )
    return [Grid("Subgroups (test)", header, body, note.strip())]


def comparisons(study: StudyResults, design: str) -> list[Grid]:
    """Differences between models in the same test patients: AUC first, then other metrics."""
    rows = study.select(COMPARISONS, design=design, set=Set.TEST, split=study.overall(design))
    rows = rows[rows["difference"].notna()]
    added = rows["metric"] == Metric.LIKELIHOOD_RATIO
    auc = rows["metric"] == Metric.AUC
    parts = (
        ("Differences in AUC (test)", rows[auc]),
        ("Differences in other metrics (test)", rows[~auc & ~added]),
        ("What the scintigram adds to a model without it (test)", rows[added]),
    )
    note = (
        "The smaller number below p is adjusted for the number of pairs that are compared by the "
        "same metric (Holm)."
    )
    said = {
        "reml_hartung_knapp_truncated": coverage.mean_differences(),
        "corrected_resampled_t": coverage.cross_validated(),
        "likelihood_ratio_chi2_1": coverage.likelihood_ratio(),
    }
    return [
        Grid(
            caption,
            # The likelihood-ratio statistic is no difference.
            ["Models", "Metric", "χ²" if part is parts[-1][1] else "Difference", "p", "Method"],
            [_comparison(row) for _, row in part.iterrows()],
            " ".join([note, *(said.get(method, "") for method in part["method"].unique())]).strip(),
        )
        for caption, part in parts
        if not part.empty
    ]


def _comparison(row: pd.Series) -> list[Cell]:
    first, second, joint = row["model_a"], row["model_b"], "−"
    if row["metric"] == Metric.LIKELIHOOD_RATIO:
        first, second = (first, second) if first in IMAGE_MODELS else (second, first)
        joint = "added to"
    return [
        label(f"{words.model(first)} {joint} {words.model(second)}"),
        label(words.metric(row["metric"], row["at"])),
        estimate(row["difference"], row["ci_low"], row["ci_high"], 3),
        Cell(numbers.p_value(row["p_value"]), numbers.p_value(row["p_holm"])),
        label(words.method(row["method"]), row["note"]),
    ]


def thresholds(study: StudyResults, design: str) -> list[Grid]:
    """Threshold of every split and model."""
    rows = study.select(THRESHOLDS, design=design)
    rows = rows[rows["threshold"].notna()]
    names = list(rows["split"].unique())[:MOST_SPLITS]
    if not names:
        return []
    body = [
        [
            label(row["split"]), label(words.model(row["model"])),
            label(words.RULES.get(row["rule"], row["rule"])),
            Cell(numbers.number(row["threshold"], 3)), label(_signal(row["signal"])),
        ]
        for row in rows[rows["split"].isin(names)].to_dict("records")
    ]  # fmt: skip
    given = rows["rule"].isin([rule.value for rule in words.GIVEN_RULES])
    note = "Given by the config; no patient was used."
    if not given.all():
        note = "Chosen on the training set alone and used in the test set without change."
        if given.any():
            named = [
                words.RULES[rule] for rule in words.GIVEN_RULES if (rows["rule"] == rule).any()
            ]
            note += f" Given by the config, without any patient: {words.listing(named)}."
    heads = ["Split", "Model", "Rule", "Threshold", "Signal in the training set"]
    return [Grid("Thresholds", heads, body, note)]


def _signal(signal: Any) -> str:
    return "not known" if pd.isna(signal) else "yes" if signal else "none"


def sample_size(study: StudyResults) -> Grid | None:
    """Patients required and available, by purpose and criterion."""
    rows = study.tables[SAMPLE_SIZE.name]
    if study.applied:  # a locked model was developed elsewhere
        rows = rows[rows["purpose"] != "development"]
    if rows.empty:
        return None
    body = [
        [
            label(PURPOSES.get(row["purpose"], words.plain(row["purpose"]))),
            label(words.CRITERIA.get(row["criterion"], row["criterion"]), row["note"]),
            *(
                Cell(
                    numbers.count(row[f"{kind}_n"]),
                    f"{numbers.count(row[f'{kind}_events'])} cured",
                )
                for kind in ("required", "available")
            ),
            label("yes" if row["sufficient"] else "no"),
        ]
        for row in rows.to_dict("records")
    ]
    header = ["Purpose", "Criterion", "Required", "Available", "Enough"]
    note = (
        "No criterion says how many patients are enough for network and signature, which choose from "
        "many more features."
    )
    return Grid("Patients required and available", header, body, note)
