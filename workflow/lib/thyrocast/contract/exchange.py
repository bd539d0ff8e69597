"""The exchange file: aggregate results of one center, which leave it instead of its data.

The JSON schema `docs/exchange.schema.json` is written by ``python -m thyrocast.contract.exchange``.
"""

import json
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from thyrocast.contract.documents import Count, Document, Share, ThisContract
from thyrocast.contract.names import Design, Metric, OutcomeRule, Scale, Status

#: Version of the file's layout.
FORMAT = 1
#: Scale on which each metric is pooled over centers, with all digits; other metrics are not pooled.
SCALES = {
    Metric.AUC: Scale.LOGIT,
    Metric.OE_RATIO: Scale.LOG,
    Metric.CALIBRATION_IN_THE_LARGE: Scale.IDENTITY,
    Metric.CALIBRATION_SLOPE: Scale.IDENTITY,
    Metric.NET_BENEFIT: Scale.IDENTITY,
}
#: Metrics in a file that are not pooled, with two decimals.
ROUNDED = (Metric.CALIBRATION_INTERCEPT, Metric.BRIER, Metric.SCALED_BRIER)
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=1000)]
Probability = Annotated[float, Field(ge=0, le=1)]


class ModelOrigin(StrEnum):
    """Where the models came from that a center's patients were scored with."""

    LOCKED = "locked"
    OWN = "own"


class ModelStatement(Document):
    """Which models the results are about.

    Attributes
    ----------
    origin
        `locked`: a locked model that was received and not changed. `own`: models that the study trained.
    hash
        SHA-256 of what predicts in the locked model (`planning.models.hash_of`); of own models, that of
        the model which the study locked, or None if it locked none.
    """

    origin: Annotated[ModelOrigin, Field(strict=False)]
    hash: Sha256 | None


class Flags(Document):
    """What a reader must know before the results are combined with others.

    Attributes
    ----------
    simulated
        Whether patients are simulated.
    shuffled
        Whether outcomes were permuted at random (a null run).
    in_sample_embeddings
        Whether signatures were fitted on in-sample embeddings.
    """

    simulated: bool
    shuffled: bool
    in_sample_embeddings: bool


class OutcomeStatement(Document):
    """How the outcome was decided.

    Attributes
    ----------
    rule
        `given` by the center, or derived from `followup`.
    definition
        The main definition as in a config; empty for `given`.
    """

    rule: Annotated[OutcomeRule, Field(strict=False)]
    definition: dict[str, JsonValue]


class DisclosureRule(Document):
    """The rule that the file obeys (docs/exchange.md).

    Attributes
    ----------
    patients, outcomes
        Least number of patients, and of each outcome, in the file and in every group that can be derived
        from this and earlier files of the center.
    cell
        Least number of patients in a count, and of each outcome in an interval of the probability.
    """

    patients: Count
    outcomes: Count
    cell: Count


class Counted(Document):
    """A category with its number of patients; None if it is hidden."""

    name: Text
    patients: Count | None


class Distribution(Document):
    """Mean and standard deviation, rounded; all None if they are hidden.

    Attributes
    ----------
    unit
        Unit of mean and standard deviation.
    patients
        Patients with a value; None if it is hidden.
    mean, sd
        Three significant digits.
    """

    unit: Text
    patients: Count | None
    mean: float | None
    sd: float | None


class Summary(Document):
    """Categories and distributions of columns of the cohort, by column."""

    categories: dict[str, list[Counted]]
    numbers: dict[str, Distribution]


class PatientFlow(Document):
    """Patients from those found to those analyzed.

    Attributes
    ----------
    found, analyzed
        Patients in table or images (None if it is hidden), and patients in the cohort.
    excluded
        Excluded patients by reason.
    """

    found: Count | None
    analyzed: Count
    excluded: list[Counted]


class Result(Document):
    """One estimate; the attributes are columns of `evaluation/performance.csv`.

    Metrics that are pooled over centers have all their digits; the others have two decimals.
    """

    metric: Annotated[Metric, Field(strict=False)]
    at: Probability | None
    estimate: float | None
    std_error: Annotated[float, Field(ge=0)] | None
    scale: Annotated[Scale | None, Field(strict=False)]
    ci_low: float | None
    ci_high: float | None
    ci_method: Text
    status: Annotated[Status, Field(strict=False)]
    note: Text


class Bin(Document):
    """Patients whose predicted probability is in [`low`, `high`); the last bin includes 1.

    Attributes
    ----------
    low, high
        Limits of the bin.
    patients, cured
        Numbers of patients.
    predicted
        Mean predicted probability, two decimals.
    """

    low: Probability
    high: Probability
    patients: Count
    cured: Count
    predicted: Probability


class Threshold(Document):
    """What follows from the bins at one of their limits.

    Attributes
    ----------
    threshold
        Probability of cure from which a patient is called cured.
    tpr, fpr
        True- and false-positive rate: a point of the ROC curve.
    net_benefit, treat_all
        Net benefit of the model, and of treating everybody.
    """

    threshold: Probability
    tpr: Share
    fpr: Share
    net_benefit: float
    treat_all: float


class ModelResults(Document):
    """Results of one model."""

    results: list[Result]
    bins: list[Bin]
    thresholds: list[Threshold]


class Exchange(Document):
    """An exchange file: results of one center, without a row of a patient.

    Attributes
    ----------
    format
        Version of the layout.
    thyrocast, contract, code, commit
        Versions, as in `contract.documents.Provenance`.
    study, center
        Names in the config of the site that wrote the file.
    design
        `external` (the center took no part in the training of its models) or `loco` (it was held out).
    level
        Confidence level of all limits.
    flags, model, outcome, rule
        What the results are about.
    patients, cured
        Patients with outcome and predictions, and the cured among them.
    flow
        All patients of the center; None if they are hidden.
    acquisition, clinical
        How images were acquired, and who the patients are.
    models
        Results of each model.
    hidden
        What the rule hides, in sentences.
    """

    format: Literal[1]
    thyrocast: Text
    contract: ThisContract
    code: Text
    commit: Text
    study: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    center: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_]{0,31}$")]
    design: Annotated[Design, Field(strict=False)]
    level: Annotated[float, Field(ge=0.5, le=0.999)]
    flags: Flags
    model: ModelStatement
    outcome: OutcomeStatement
    rule: DisclosureRule
    patients: Count
    cured: Count
    flow: PatientFlow | None
    acquisition: Summary
    clinical: Summary
    models: dict[str, ModelResults]
    hidden: list[Text]


def schema() -> str:
    """Return the JSON schema of an exchange file as text."""
    node = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Exchange.model_json_schema(),
    }
    return json.dumps(node, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
