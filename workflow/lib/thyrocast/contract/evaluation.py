"""Tables of the evaluation."""

from dataclasses import replace

from thyrocast.contract import splits
from thyrocast.contract.names import GroupKind, Metric, PredictionSet, Scale, Status, ThresholdRule
from thyrocast.contract.site_names import ModelSource, ResultSource
from thyrocast.contract.splits import (
    CENTER,
    DESIGN,
    MODEL,
    OUTCOME,
    PATIENT,
    PROBABILITY,
    SET,
    SPLIT,
)
from thyrocast.contract.table import Table, flag, integer, number, text

_GROUP_KIND = text("group_kind", "All patients of the set, one center, or one subgroup.", GroupKind)
_GROUP = text("group", "Center or subgroup; empty for `pooled`.")
_METRIC = text("metric", "Measure of performance.", Metric)
_AT = number("at", "Threshold probability of a net benefit.", low=0, high=1, missing=True)
_LOW = number("ci_low", "Lower confidence limit.", missing=True)
_HIGH = number("ci_high", "Upper confidence limit.", missing=True)
_STATUS = text("status", "Whether there is a result.", Status)
_NOTE = text("note", "Remark on the result, or why there is none.")
_N = integer("n", "Patients.", low=0, missing=True)
_EVENTS = integer("events", "Cured patients.", low=0, missing=True)
_KEY = (DESIGN, SPLIT, MODEL, SET, _GROUP_KIND, _GROUP)

# What a reader of the table alone must know before pooling it with another one.
_RUN = (
    number("level", "Confidence level of the limits.", low=0, high=1, missing=True),
    text("outcomes", "Whether outcomes are `observed` or `shuffled`.", ("observed", "shuffled"), missing=True),
    flag("simulated", "Whether images are simulated.", missing=True),
    integer("contract", "Version of the contract of this table.", missing=True),
)  # fmt: skip

PERFORMANCE = Table(
    "evaluation/performance.csv",
    "Every metric of every model, in both sets, for all patients, centers and subgroups. The split "
    "`all` joins the test predictions of all splits. The first row of a group, metric and `at` is its "
    "headline; further rows have another kind of interval.",
    (
        DESIGN,
        SPLIT,
        MODEL,
        SET,
        _GROUP_KIND,
        text("variable", "Column of the cohort that defines a subgroup, or `therapy_period`; empty otherwise."),
        _GROUP,
        _METRIC,
        _AT,
        text("rule", "Rule of the threshold of decisions; empty for other metrics."),
        number("estimate", "Estimate.", missing=True),
        number("std_error", "Standard error on `scale`, where the interval has one.", missing=True),
        text("scale", "Scale of the standard error.", Scale, missing=True),
        _LOW,
        _HIGH,
        text("ci_method", "Kind of interval; empty if there is none, but not if a bootstrap interval failed."),
        _STATUS,
        _NOTE,
        _N,
        _EVENTS,
        *_RUN,
    ),
    key=(
        "design", "split", "model", "set", "group_kind", "variable", "group", "metric", "at", "rule",
        "ci_method",
    ),
)  # fmt: skip

ROC = Table(
    "evaluation/roc.csv",
    "Corners of the ROC curves with a bootstrap band.",
    (
        *_KEY,
        number("fpr", "False-positive rate.", low=0, high=1),
        number("tpr", "True-positive rate.", low=0, high=1),
        number("tpr_low", "Lower limit of the band.", missing=True),
        number("tpr_high", "Upper limit of the band.", missing=True),
    ),
)

CALIBRATION = Table(
    "evaluation/calibration.csv",
    "Smooth calibration curves.",
    (
        *_KEY,
        number("predicted", "Predicted probability.", low=0, high=1),
        number("observed", "Observed probability.", low=0, high=1),
        _LOW,
        _HIGH,
    ),
)

CALIBRATION_GROUPS = Table(
    "evaluation/calibration_groups.csv",
    "Calibration in groups of patients of similar predicted probability.",
    (
        *_KEY,
        integer("bin", "Group, from 1, by increasing probability.", low=1),
        number("predicted", "Mean predicted probability.", low=0, high=1),
        number("observed", "Share of cured patients.", low=0, high=1),
        _LOW,
        _HIGH,
        integer("n", "Patients.", low=1),
    ),
)

DECISION_CURVE = Table(
    "evaluation/decision_curve.csv",
    "Decision curves of models, and of treating all patients or none.",
    (
        *_KEY,
        number("threshold", "Threshold probability of cure from which a patient is treated.", low=0, high=1),
        number("net_benefit", "Net benefit."),
        _LOW,
        _HIGH,
        number("interventions_avoided", "Net therapies avoided per 100 patients, compared with treating all."),
        number("avoided_low", "Lower confidence limit.", missing=True),
        number("avoided_high", "Upper confidence limit.", missing=True),
    ),
)  # fmt: skip

MULTIVERSE = Table(
    "evaluation/multiverse.csv",
    "Discrimination and cure rate under every definition of the outcome, with the same predictions. The "
    "tables of the other definitions are in `evaluation/definitions/{definition}/`.",
    (
        text("definition", "Name of the definition."),
        flag("main", "Whether models were trained with this definition."),
        DESIGN,
        MODEL,
        number("estimate", "AUC in the test set.", low=0, high=1, missing=True),
        _LOW,
        _HIGH,
        text("ci_method", "Kind of interval; of several centers left out in turn, their mean."),
        _STATUS,
        _NOTE,
        _N,
        _EVENTS,
        number("cure_rate", "Share of cured patients among all with an outcome.", low=0, high=1, missing=True),
        number("cure_low", "Lower confidence limit (Wilson).", missing=True),
        number("cure_high", "Upper confidence limit (Wilson).", missing=True),
        integer("decided", "Eligible patients with an outcome, with or without a scan.", low=0),
        integer("undecided", "Eligible patients without an outcome.", low=0),
        integer("changed", "Test patients whose outcome differs from the main definition's.", low=0),
        integer("lost", "Test patients with an outcome under the main definition only.", low=0),
        integer("not_scored", "Patients with an outcome under this definition only: no model predicted them.", low=0),
    ),
    key=("definition", "design", "model"),
)  # fmt: skip

COMPARISONS = Table(
    "evaluation/comparisons.csv",
    "Differences between models in the same patients.",
    (
        DESIGN,
        SPLIT,
        SET,
        text("model_a", "First model."),
        text("model_b", "Second model."),
        _METRIC,
        _AT,
        text("method", "Test."),
        number("difference", "First minus second model; chi-squared for `likelihood_ratio`.", missing=True),
        _LOW,
        _HIGH,
        number("p_value", "P value.", low=0, high=1, missing=True),
        number("p_holm", "P value adjusted over the pairs of models (Holm).", low=0, high=1, missing=True),
        _STATUS,
        _NOTE,
    ),
    key=("design", "split", "set", "model_a", "model_b", "metric", "at", "method"),
)  # fmt: skip

THRESHOLDS = Table(
    "evaluation/thresholds.csv",
    "Decision thresholds: that of the config, and Youden's, chosen on training patients.",
    (
        DESIGN,
        SPLIT,
        MODEL,
        text("rule", "How the threshold was chosen.", ThresholdRule),
        number("threshold", "Probability of cure from which a patient is called cured.", missing=True),
        flag("signal", "Whether the training patients show that the model ranks better than chance; "
             "empty if their probabilities are in-sample.", missing=True),
    ),
    key=("design", "split", "model", "rule"),
)  # fmt: skip

PREDICTION_SETS = Table(
    "evaluation/prediction_sets.csv",
    "Conformal prediction of every test patient.",
    (
        DESIGN,
        SPLIT,
        MODEL,
        PATIENT,
        CENTER,
        OUTCOME,
        PROBABILITY,
        number("p_not_cured", "Conformal p value of not cured.", low=0, high=1),
        number("p_cured", "Conformal p value of cured.", low=0, high=1),
        text("prediction", "Outcomes that are not excluded.", PredictionSet),
    ),
    key=("design", "split", "model", "patient"),
)

POOLED = Table(
    "evaluation/pooled.csv",
    "Random-effects means of the centers' results, with the prediction interval for a new center.",
    (
        DESIGN,
        MODEL,
        _METRIC,
        _AT,
        text("method", "Estimator of the variance between centers and kind of interval."),
        number("estimate", "Mean over centers.", missing=True),
        _LOW,
        _HIGH,
        number("pi_low", "Lower limit of the prediction interval for a new center.", missing=True),
        number("pi_high", "Upper limit of the prediction interval for a new center.", missing=True),
        text("pi_method", "Kind of prediction interval; empty without one.", missing=True),
        number("pi_coverage_low", "Lowest coverage that such 95 % intervals had in simulations.", "percent", low=0, high=100, missing=True),
        number("pi_coverage_high", "Highest coverage that such 95 % intervals had in simulations.", "percent", low=0, high=100, missing=True),
        flag("headline", "Whether this row is the result to report: the mean over centers that the models did not see, from three centers on, otherwise `pooled_predictions`."),
        number("tau2", "Variance between centers, on `scale`.", low=0, missing=True),
        number("i2", "Share of the variation that is between centers.", "percent", low=0, high=100, missing=True),
        number("q", "Cochran's Q.", low=0, missing=True),
        number("q_p", "P value of Q.", low=0, high=1, missing=True),
        integer("k", "Centers.", low=0),
        text("scale", "Scale on which centers are pooled.", Scale, missing=True),
        _STATUS,
        _NOTE,
    ),
    key=("design", "model", "metric", "at", "method"),
)  # fmt: skip

POOLED_CENTERS = Table(
    "evaluation/pooled_centers.csv",
    "Each center's share of the pooled result, and the result without that center.",
    (
        DESIGN,
        MODEL,
        _METRIC,
        _AT,
        text("method", "As in pooled.csv."),
        CENTER,
        number("estimate", "The center's estimate."),
        _LOW,
        _HIGH,
        number("weight", "Weight of the center.", low=0, high=1, missing=True),
        integer("n", "Patients.", low=0),
        integer("events", "Cured patients.", low=0),
        number("without", "Mean without this center.", missing=True),
        number("without_low", "Lower confidence limit of this mean.", missing=True),
        number("without_high", "Upper confidence limit of this mean.", missing=True),
    ),
    key=("design", "model", "metric", "at", "method", "center"),
)

SOURCES = Table(
    "evaluation/sources.csv",
    "Where the pooled results of each center come from, and whether they are about the same models.",
    (
        DESIGN,
        CENTER,
        text("source", "`data` of the study, an `exchange` file, or a `summary` of a consortium.", ResultSource),
        text("models", "`same`: the models that this study applied to its own centers of the design. `own`: models of the "
             "center's own study; in `loco`, each center has its own models. `unknown`: the file does not say.", ModelSource),
        text("model_hash", "SHA-256 of what predicts in the locked model, where one is stated.", missing=True),
        text("file_hash", "SHA-256 of the exchange file.", missing=True),
        text("study", "Study that wrote the exchange file.", missing=True),
        text("sent_as", "Name of the center in that study.", missing=True),
        _N,
        _EVENTS,
        text("hidden", "What the file hides, so that the pooled results do not contain it."),
    ),
    key=("design", "center"),
)  # fmt: skip

SAMPLE_SIZE = Table(
    "evaluation/sample_size.csv",
    "Patients that developing and validating a model require, and those available.",
    (
        text(
            "purpose",
            "What the patients are needed for.",
            ("development", "validation", "precision"),
        ),
        text("criterion", "Riley's criterion; `all` is the strictest of them."),
        integer("required_n", "Patients required.", low=0),
        integer("required_events", "Cured patients among them.", low=0),
        integer("available_n", "Patients available.", low=0),
        integer("available_events", "Cured patients available.", low=0),
        flag("sufficient", "Whether enough patients are available."),
        _NOTE,
    ),
    key=("purpose", "criterion"),
)

PREDICTIONS = replace(
    splits.PREDICTIONS,
    path="evaluation/predictions.csv",
    meaning="All predictions, external ones included.",
)

#: What `evaluate_design` writes for one design, and `pool_centers` for all.
OF_DESIGN = (
    PERFORMANCE,
    ROC,
    CALIBRATION,
    CALIBRATION_GROUPS,
    DECISION_CURVE,
    COMPARISONS,
    THRESHOLDS,
    PREDICTION_SETS,
    PREDICTIONS,
)
TABLES = (*OF_DESIGN, POOLED, POOLED_CENTERS, SOURCES, MULTIVERSE, SAMPLE_SIZE)
# Of few patients, each point of a curve is one of them.
_CURVES = (ROC,)
#: Tables in which no row belongs to one patient: what a crate and Snakemake's own report contain.
AGGREGATE = tuple(
    table for table in TABLES if table not in _CURVES and "patient" not in table.names
)
