"""Tables of a design by center: AUC, pooled results, and the influence of each center."""

import pandas as pd

from thyrocast.contract.evaluation import POOLED, POOLED_CENTERS
from thyrocast.contract.names import Metric
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
from thyrocast.report import coverage, scores, words
from thyrocast.report.study import StudyResults

#: Metrics pooled over centers, as a design's table shows them.
POOLED_METRICS = (
    Metric.AUC,
    Metric.OE_RATIO,
    Metric.CALIBRATION_IN_THE_LARGE,
    Metric.CALIBRATION_SLOPE,
    Metric.NET_BENEFIT,
)


def centers(study: StudyResults, design: str) -> Grid | None:
    """AUC of every model in every center of the test set."""
    models = study.models(design)
    found = {model: scores.center_rows(study, design, model) for model in models}
    rows = pd.concat([*found.values()])
    if rows.empty:
        return None
    results = first_rows(rows, "center", "model")
    sized = {row["center"]: row for row in reversed(results.values())}
    body = [
        [
            label(name),
            sizes(sized[name]),
            *(result(results.get((name, model))) for model in models),
        ]
        for name in dict.fromkeys(rows["center"])
    ]
    header = ["Center", "Patients", *(words.model(model) for model in models)]
    return Grid("AUC by center (test)", header, body, suppression_note(rows))


def pooled(study: StudyResults, design: str) -> list[Grid]:
    """Random-effects means over centers with prediction intervals: AUC first, then the rest."""
    rows = scores.random_effects(study.select(POOLED, design=design))
    rows = rows[rows["estimate"].notna()]
    # The first row of a metric is its headline, as in performance.csv.
    rows = rows.drop_duplicates(["model", "metric", "at"])
    rows = rows[rows["metric"].isin([metric.value for metric in POOLED_METRICS])]
    note = (
        "Random effects by REML with truncated Hartung-Knapp intervals; AUC is pooled on the logit "
        "scale, observed / expected on the log scale."
    )
    note += f" {coverage.sentence(zip(rows['metric'], rows['method'], strict=True))}".rstrip()
    if rows["note"].str.contains("left out").any():
        note += (
            " Centers in which one outcome is rare are left out, so that the mean of the others is not that of all "
            "centers; docs/statistics.md has the bias in simulations."
        )
    if (rows["metric"] == Metric.NET_BENEFIT).any():
        note += (
            " Net benefit is weighted by the numbers of patients; its limits are kept within what is possible, from "
            "−t/(1 − t) (all treated, nobody cured) to 1 (all cured)."
        )
    new_center = bool(rows["pi_low"].notna().any())
    if new_center:
        known = rows[rows["pi_low"].notna()]
        note += (
            f" Prediction intervals by {words.method(known['pi_method'].iloc[0])}: in simulations "
            f"{numbers.number(known['pi_coverage_low'].min(), 0)} to "
            f"{numbers.number(known['pi_coverage_high'].max(), 0)} % of nominal 95 % intervals "
            "contained the result of a new center."
        )
    header = ["Model", "Metric", "Mean of centers", "τ²", "I²", "Q", "Centers"]
    if new_center:
        header.insert(3, f"New center ({study.level} prediction)")
    auc = rows["metric"] == Metric.AUC
    parts = (
        ("Pooled over centers (test): AUC", rows[auc]),
        ("Pooled over centers (test): calibration and net benefit", rows[~auc]),
    )
    return [
        Grid(caption, header, [_pooled(row, new_center) for _, row in part.iterrows()], note)
        for caption, part in parts
        if not part.empty
    ]


def _pooled(row: pd.Series, new_center: bool) -> list[Cell]:
    expected = Cell(numbers.interval(row["pi_low"], row["pi_high"]) or "not available")
    i2 = row["i2"] / 100 if numbers.is_number(row["i2"]) else None
    return [
        label(words.model(row["model"])),
        label(words.metric(row["metric"], row["at"])),
        estimate(row["estimate"], row["ci_low"], row["ci_high"]),
        *([expected] if new_center else []),
        Cell(numbers.number(row["tau2"], 3)),
        Cell(numbers.percent(i2)),
        Cell(numbers.number(row["q"], 1), f"p {numbers.p_value(row['q_p'])}"),
        Cell(numbers.count(row["k"])),
    ]


def influence(study: StudyResults, design: str) -> list[Grid]:
    """Pooled AUC without each center in turn."""
    rows = scores.random_effects(study.select(POOLED_CENTERS, design=design, metric=Metric.AUC))
    rows = rows[rows["without"].notna()].drop_duplicates(["model", "center"])
    if rows.empty:
        return []
    body = [
        [
            label(words.model(row["model"])),
            label(row["center"]),
            Cell(numbers.percent(row["weight"])),
            estimate(row["without"], row["without_low"], row["without_high"]),
        ]
        for row in rows.to_dict("records")
    ]
    header = ["Model", "Center", "Weight", "Pooled AUC without it"]
    return [Grid("Influence of each center", header, body)]
