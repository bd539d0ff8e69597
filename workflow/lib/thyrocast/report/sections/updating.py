"""Updates of the model at external centers, and why it discriminates differently there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thyrocast.contract.names import Metric, Status
from thyrocast.contract.site_names import AucPart, UpdateStep
from thyrocast.contract.updating import TRANSPORTABILITY, UPDATE_PERFORMANCE, UPDATES
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, estimate, label
from thyrocast.report import scores, words
from thyrocast.report.study import StudyResults

_STEPS = {
    UpdateStep.NONE: "no update",
    UpdateStep.INTERCEPT: "new intercept",
    UpdateStep.SLOPE: "new intercept and slope",
    UpdateStep.HEAD: "new head (slope and components of the embedding)",
}
_METRICS = (Metric.AUC, Metric.CALIBRATION_IN_THE_LARGE, Metric.CALIBRATION_SLOPE, Metric.LOG_LOSS)
_DESIGN = "external"
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class UpdatingSection:
    """Verdict in sentences, and tables, of each center."""

    sentences: Sequence[str]
    grids: Sequence[Grid]


def updating_section(study: StudyResults) -> UpdatingSection | None:
    """Collect what the page shows of updates; None if no external center was scored."""
    if UPDATES.name not in study.tables or _DESIGN not in scores.evaluated(study):
        return None
    model = scores.main_model(study, _DESIGN)
    updates, performance, parts = (
        [row for row in study.tables[table.name].to_dict("records") if row["model"] == model]
        for table in (UPDATES, UPDATE_PERFORMANCE, TRANSPORTABILITY)
    )
    centers = dict.fromkeys(row["center"] for row in updates)
    if not centers:
        return None
    sentences, grids = [], []
    for center in centers:
        own, judged, split = (
            [row for row in rows if row["center"] == center]
            for rows in (updates, performance, parts)
        )
        level = study.config.updating.level
        sentences += [f"{center}: {_update(own, level)}", f"{center}: {_parts(split)}"]
        if judged:
            grids += [_ladder(center, model, own, judged)]
        if split:
            grids += [_division(center, model, split)]
    return UpdatingSection(sentences, grids)


def _update(rows: Sequence[Row], level: float) -> str:
    first = rows[0]
    if first["status"] == Status.SUPPRESSED:
        return "too few patients to judge an update."
    chosen = [row for row in rows if row["chosen"]]
    if not chosen:
        return f"no update could be tested: {first['note']}."
    step = UpdateStep(chosen[0]["step"])
    patients = f"{numbers.count(first['n'])} patients, {numbers.count(first['events'])} cured"
    if step is UpdateStep.NONE:
        return (
            f"no evidence against the model as it is (p {numbers.p_value(first['p_value'])}; {patients}). "
            "With so many patients, a moderate miscalibration may be missed (docs/updating.md)."
        )
    rejected = [row for row in rows if row["step"] != step and _before(row, step)]
    named = ", ".join(
        f"“{_STEPS[UpdateStep(row['step'])]}” (p {numbers.p_value(row['p_value'])})"
        for row in rejected
    )
    return f"closed testing at level {level:g} supports “{_STEPS[step]}” and rejects {named} ({patients})."


def _before(row: Row, step: UpdateStep) -> bool:
    order = [*UpdateStep]
    return order.index(UpdateStep(row["step"])) < order.index(step)


def _parts(rows: Sequence[Row]) -> str:
    found = {row["part"]: row for row in rows if row["status"] == Status.ESTIMATED}
    if not found:
        reason = rows[0]["note"] if rows else "too few patients"
        return f"the difference in AUC was not divided: {reason}."
    whole, mix, rest = (
        found[part] for part in (AucPart.DIFFERENCE, AucPart.CASE_MIX, AucPart.COEFFICIENTS)
    )
    text = (
        f"AUC minus that at development {_signed(whole)}; case mix {_signed(mix)}; "
        f"coefficients {_signed(rest)}. "
    )
    if rest["ci_high"] < 0:
        return text + "Predictions are less related to the outcome here than the model says."
    if mix["ci_high"] < 0:
        return text + "Patients are more alike here; there is no evidence against the coefficients."
    return text + "There is no evidence that the coefficients are worse here."


def _signed(row: Row) -> str:
    return numbers.estimate(row["estimate"], row["ci_low"], row["ci_high"])


def _ladder(center: str, model: str, own: Sequence[Row], judged: Sequence[Row]) -> Grid:
    body = []
    for row in own:
        step = row["step"]
        found = {one["metric"]: one for one in judged if one["step"] == step}
        loss = found[Metric.LOG_LOSS]
        body.append(
            [
                label(_STEPS[UpdateStep(step)], "chosen" if row["chosen"] else ""),
                *(
                    estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])
                    for name in ("intercept", "slope")
                ),
                Cell(numbers.p_value(row["p_value"])),
                Cell(numbers.count(row["needed"])),
                *(_cell(found[metric]) for metric in _METRICS),
                estimate(loss["difference"], loss["difference_low"], loss["difference_high"], 3),
            ]
        )
    header = [
        "Update", "Intercept", "Slope", "p against new head", "Patients needed",
        *(words.metric(metric) for metric in _METRICS), "Log loss, difference",
    ]  # fmt: skip
    note = (
        "Metrics by repeated cross-validation within the center, except the AUC after a new intercept, which is that without update: "
        "all patients are moved alike. Coefficients from all its patients, with intervals "
        "that are not corrected for the choice of an update. Patients needed: for a power of 80 % if the intercept is off by 0.5, the slope is 0.7, or one component has an "
        "effect of 0.5."
    )
    return Grid(f"{center}: updates of the model {words.model(model)}", header, body, note)


def _cell(row: Row) -> Cell:
    if row["status"] != Status.ESTIMATED:
        return Cell(numbers.MISSING, row["note"], number=False)
    return estimate(row["estimate"], row["ci_low"], row["ci_high"])


def _division(center: str, model: str, rows: Sequence[Row]) -> Grid:
    titles = {
        AucPart.DIFFERENCE: "AUC here minus AUC at development",
        AucPart.CASE_MIX: "part of the case mix",
        AucPart.COEFFICIENTS: "part of the coefficients",
        AucPart.DEVELOPMENT: "part of the fit at development",
    }
    body = [
        [
            label(titles[AucPart(row["part"])]),
            estimate(row["estimate"], row["ci_low"], row["ci_high"]),
        ]
        for row in rows
    ]
    note = (
        "By the model-based concordance, the AUC that the model would have if its probabilities were true "
        "(van Klaveren 2016)."
    )
    return Grid(
        f"{center}: difference in AUC of the model {words.model(model)}",
        ["", "Estimate"],
        body,
        note,
    )
