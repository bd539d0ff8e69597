"""The page of an exchange file: everything in it, for those who decide whether it may leave."""

from pathlib import Path

from thyrocast.contract.exchange import (
    Counted,
    Exchange,
    ModelOrigin,
    ModelResults,
    Summary,
)
from thyrocast.contract.names import Design, Metric, OutcomeRule, Status
from thyrocast.pages import html, numbers
from thyrocast.pages.parts import Cell, Grid, estimate, label
from thyrocast.pages.words import COLUMNS

HERE = Path(__file__).parent
SECTIONS = (
    ("about", "What this file is"),
    ("rule", "What it does not contain"),
    ("patients", "Patients"),
    ("acquisition", "Images"),
    ("results", "Results"),
)
METRICS = {
    Metric.AUC: "AUC",
    Metric.OE_RATIO: "Observed / expected cures",
    Metric.CALIBRATION_IN_THE_LARGE: "Calibration in the large",
    Metric.CALIBRATION_SLOPE: "Calibration slope",
    Metric.CALIBRATION_INTERCEPT: "Calibration intercept",
    Metric.NET_BENEFIT: "Net benefit",
    Metric.BRIER: "Brier score",
    Metric.SCALED_BRIER: "Scaled Brier score",
}
_HIDDEN = "hidden"


def render(found: Exchange) -> str:
    """Return the page of an exchange file; it needs no other file and no network."""
    return html.render(
        HERE,
        "exchange.html.j2",
        sections=SECTIONS,
        file=found,
        facts=_facts(found),
        outcome=_outcome(found),
        flow=_flow(found),
        clinical=_summary("Patients who were scored", found.clinical),
        acquisition=_summary("How their images were acquired", found.acquisition),
        models=[(name, _models(name, one)) for name, one in found.models.items()],
    )


def _facts(found: Exchange) -> list[tuple[str, str]]:
    flags = [
        word
        for word, present in (
            ("simulated patients", found.flags.simulated),
            ("outcomes permuted at random", found.flags.shuffled),
            ("in-sample embeddings", found.flags.in_sample_embeddings),
        )
        if present
    ]
    return [
        ("Study", found.study),
        ("Patients scored", numbers.count(found.patients)),
        ("of them cured", numbers.share(found.cured, found.patients)),
        ("Evidence", _evidence(found)),
        ("Models", _model(found)),
        ("Confidence level", numbers.percent(found.level, 1)),
        ("Remarks", ", ".join(flags) or "none"),
        ("thyrocast", f"{found.thyrocast}, code {found.code[:12]}, contract {found.contract}"),
    ]


def _evidence(found: Exchange) -> str:
    if found.design is Design.EXTERNAL:
        return "the center took no part in the training"
    return "the center was held out when its models were trained"


def _model(found: Exchange) -> str:
    name = f" {found.model.hash[:12]}" if found.model.hash else ""
    if found.model.origin is ModelOrigin.LOCKED:
        return f"locked model{name}, received and not changed"
    if found.design is Design.LOCO:
        return "models of the study, trained without this center"
    return f"model of the study itself{name}"


def _outcome(found: Exchange) -> list[tuple[str, str]]:
    if found.outcome.rule is OutcomeRule.GIVEN:
        return [("Rule", "given by the center, patient by patient")]
    return [
        ("Rule", "derived from follow-up"),
        *((key.replace("_", " "), str(value)) for key, value in found.outcome.definition.items()),
    ]


def _count(value: int | None) -> Cell:
    return Cell(_HIDDEN if value is None else numbers.count(value))


def _flow(found: Exchange) -> Grid | None:
    if found.flow is None:
        return None
    rows = [
        [label("Found in table or images"), _count(found.flow.found)],
        *([label(f"Excluded: {one.name}"), _count(one.patients)] for one in found.flow.excluded),
        [label("Analyzed"), _count(found.flow.analyzed)],
    ]
    return Grid("Flow of patients", ["", "Patients"], rows)


def _summary(caption: str, summary: Summary) -> Grid:
    rows = [
        [
            label(COLUMNS.get(name, name)),
            Cell(_moments(one.mean, one.sd), number=False),
            _count(one.patients),
        ]
        for name, one in summary.numbers.items()
    ]
    for name, counted in summary.categories.items():
        rows += [_category(COLUMNS.get(name, name), one) for one in counted]
    return Grid(caption, ["", "Mean (standard deviation)", "Patients"], rows)


def _moments(mean: float | None, sd: float | None) -> str:
    return _HIDDEN if mean is None else f"{mean:g} ({sd:g})"


def _category(title: str, one: Counted) -> list[Cell]:
    return [label(f"{title}: {one.name}"), Cell(""), _count(one.patients)]


def _models(name: str, model: ModelResults) -> list[Grid]:
    results = [
        [
            label(METRICS[one.metric], f"at {one.at:g}" if one.at is not None else ""),
            estimate(one.estimate, one.ci_low, one.ci_high)
            if one.status is Status.ESTIMATED
            else Cell(numbers.MISSING, _HIDDEN if one.status is Status.SUPPRESSED else one.note),
            Cell("" if one.std_error is None else repr(one.std_error), one.scale or ""),
        ]
        for one in model.results
    ]
    bins = [
        [
            label(f"{one.low:g} to {one.high:g}"),
            Cell(numbers.count(one.patients)),
            Cell(numbers.share(one.cured, one.patients)),
            Cell(numbers.number(one.predicted)),
        ]
        for one in model.bins
    ]
    thresholds = [
        [
            label(f"{one.threshold:g}"),
            Cell(numbers.number(one.tpr)),
            Cell(numbers.number(one.fpr)),
            Cell(
                numbers.number(one.net_benefit, 3), f"treat all {numbers.number(one.treat_all, 3)}"
            ),
        ]
        for one in model.thresholds
    ]
    return [
        Grid(f"Estimates of {name}", ["", "Estimate (interval)", "Standard error, scale"], results),
        Grid(
            f"Calibration of {name}: patients by predicted probability",
            ["Predicted probability", "Patients", "Cured", "Mean predicted"],
            bins,
        ),
        Grid(
            f"Points of the ROC and decision curve of {name}",
            ["Threshold", "True-positive rate", "False-positive rate", "Net benefit"],
            thresholds,
            "" if thresholds else "No threshold divides the patients into large enough groups.",
        ),
    ]
