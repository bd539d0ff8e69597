"""Words for the names of the contract: models, designs, metrics, columns and methods."""

import re
from collections.abc import Mapping

import pandas as pd

from thyrocast.contract.names import Design, GroupKind, Metric, Model, Set, ThresholdRule
from thyrocast.pages.numbers import is_number
from thyrocast.pages.words import COLUMNS, MODELS, ROLES, column, listing, model, plain, plural

__all__ = ["COLUMNS", "MODELS", "ROLES", "column", "listing", "model", "plain", "plural"]

MODEL_NOTES: Mapping[str, str] = {
    Model.NETWORK: "network, trained end to end on the scintigrams",
    Model.SIGNATURE: "random forest on network features that the LASSO selected",
    Model.SIMULATED: "what a small network reads that was trained on simulated scintigrams, not on outcomes",
    Model.HANDCRAFTED: "quantities measured on the scintigram, without a network",
    Model.CLINICAL: "clinical predictors alone, without the scintigram",
    Model.COMBINED: "scintigram and clinical predictors together",
    Model.DOSE: "absorbed dose by a published formula of activity, uptake and mass, nothing else",
    Model.RIDGE: "ridge regression on all network features, in place of LASSO and forest",
    Model.LASSO: "the signature's LASSO without the forest",
    Model.ELASTIC_NET: "elastic net on all network features, in place of LASSO and forest",
}
DESIGNS: Mapping[str, str] = {
    Design.EXTERNAL: "External centers",
    Design.LOCO: "Leave one center out",
    Design.TEMPORAL: "Later patients",
    Design.KFOLD: "Repeated cross-validation",
    Design.HOLDOUT: "Hold-out",
}
DESIGN_NOTES: Mapping[str, str] = {
    Design.EXTERNAL: "Trained on all development centers and tested on centers that took no part in "
    "training.",
    Design.LOCO: "Each center in turn is left out of training and then predicted. Every test patient "
    "comes from a center that the model did not see in training.",
    Design.TEMPORAL: "Trained on patients who were treated before a day, and tested on those treated "
    "from it on. Most test patients come from centers that the model saw in training.",
    Design.KFOLD: "Patients of all centers are divided at random, repeatedly. Test patients come "
    "from centers that the model saw in training.",
    Design.HOLDOUT: "One random division of the patients, as in the published study. Test patients "
    "come from centers that the model saw in training.",
}
METRICS: Mapping[str, str] = {
    Metric.AUC: "AUC",
    Metric.SENSITIVITY: "Sensitivity",
    Metric.SPECIFICITY: "Specificity",
    Metric.PPV: "PPV",
    Metric.NPV: "NPV",
    Metric.ACCURACY: "Accuracy",
    Metric.BRIER: "Brier score",
    Metric.SCALED_BRIER: "Scaled Brier score",
    Metric.LOG_LOSS: "Log loss",
    Metric.OE_RATIO: "Observed / expected",
    Metric.CALIBRATION_IN_THE_LARGE: "Calibration in the large",
    Metric.CALIBRATION_SLOPE: "Calibration slope",
    Metric.CALIBRATION_INTERCEPT: "Calibration intercept",
    Metric.ICI: "ICI",
    Metric.E50: "E50",
    Metric.E90: "E90",
    Metric.EMAX: "Emax",
    Metric.SPIEGELHALTER_Z: "Spiegelhalter’s z",
    Metric.SPIEGELHALTER_P: "Spiegelhalter’s test, p",
    Metric.NET_BENEFIT: "Net benefit",
    Metric.LIKELIHOOD_RATIO: "Likelihood ratio",
    Metric.SET_COVERAGE: "True outcome in the set",
    Metric.SET_COVERAGE_CURED: "… of cured patients",
    Metric.SET_COVERAGE_NOT_CURED: "… of patients not cured",
    Metric.SET_ABSTENTION: "Undecided",
    Metric.SET_ACCURACY: "Accuracy if decided",
    Metric.SET_COVERAGE_OWN_CENTER: "True outcome in the set, calibrated in the center",
    Metric.SET_ABSTENTION_OWN_CENTER: "Undecided, calibrated in the center",
}
CRITERIA: Mapping[str, str] = {
    "shrinkage": "Little overfitting",
    "optimism": "Little optimism",
    "prevalence": "Precise average risk",
    "prediction_error": "Small error of the probabilities",
    "oe_ratio": "Precise observed / expected",
    "calibration_slope": "Precise calibration slope",
    "auc": "Precise AUC",
    "all": "All of these",
}
METHODS: Mapping[str, str] = {
    "reml_hartung_knapp_truncated": "random effects (REML, truncated Hartung-Knapp)",
    "reml_hartung_knapp": "random effects (REML, Hartung-Knapp)",
    "delong": "DeLong",
    "delong_logit": "DeLong, logit scale",
    "delong_paired": "DeLong, paired",
    "t_paired": "t, paired",
    "t": "t",
    "log_t": "t, log scale",
    "logit_t": "t, logit scale",
    "logit_t_by_patient": "t by patient, logit scale",
    "t_by_patient": "t by patient",
    "mover_wilson": "Wilson’s of two shares combined (MOVER)",
    "wald": "Wald",
    "nagashima_bootstrap": "Nagashima’s bootstrap",
    "corrected_resampled_t": "mean within parts, t for models that share patients",
    "sandwich_t": "t, sandwich variance",
    "sandwich_t_by_patient": "t, sandwich variance by patient",
    "wilson": "Wilson",
    "newcombe": "Newcombe",
    "drawn_curves": "simulated calibration curves",
    "likelihood_ratio_chi2_1": "likelihood ratio, χ² with 1 degree of freedom, corrected for few patients per coefficient",
    "bootstrap_by_patient": "bootstrap of patients",
    "bootstrap_by_patient_percentile": "bootstrap of patients",
    "bootstrap_by_center_percentile": "bootstrap of centers",
    "bootstrap_by_center_bca": "bootstrap of centers (BCa)",
    "bootstrap_percentile": "bootstrap",
    "bootstrap_bca": "bootstrap (BCa)",
    "bootstrap_stratified_percentile": "stratified bootstrap",
    "bootstrap_stratified_bca": "stratified bootstrap (BCa)",
}
RULES: Mapping[str, str] = {
    ThresholdRule.YOUDEN: "greatest sensitivity + specificity (Youden)",
    ThresholdRule.SENSITIVITY: "fixed sensitivity",
    ThresholdRule.SPECIFICITY: "fixed specificity",
    ThresholdRule.COST_RATIO: "least cost",
    ThresholdRule.NET_BENEFIT: "net benefit",
    ThresholdRule.FIXED: "fixed threshold",
}
#: Rules whose threshold is a number of the config; no patient is used.
GIVEN_RULES = (ThresholdRule.NET_BENEFIT, ThresholdRule.FIXED)
#: Metrics of a design's tables: discrimination and decisions, calibration, prediction sets.
DISCRIMINATION = (
    Metric.AUC, Metric.SENSITIVITY, Metric.SPECIFICITY, Metric.PPV, Metric.NPV, Metric.ACCURACY,
)  # fmt: skip
CALIBRATION = (
    Metric.BRIER,
    Metric.SCALED_BRIER,
    Metric.CALIBRATION_IN_THE_LARGE,
    Metric.CALIBRATION_SLOPE,
    Metric.OE_RATIO,
    Metric.ICI,
)
PREDICTION_SETS = (
    Metric.SET_COVERAGE,
    Metric.SET_COVERAGE_CURED,
    Metric.SET_COVERAGE_NOT_CURED,
    Metric.SET_ABSTENTION,
    Metric.SET_ACCURACY,
)
SETS: Mapping[str, str] = {Set.TEST: "Test", Set.TRAIN: "Training"}


def design(name: str) -> str:
    """Name of a design."""
    return DESIGNS.get(name, plain(name))


def metric(name: str, at: float | None = None) -> str:
    """Name of a metric, such as ``Net benefit at 0.3``.

    Parameters
    ----------
    name
        As in the tables.
    at
        Threshold probability; None or NaN if the metric has none.
    """
    known = is_number(at)
    return METRICS.get(name, plain(name)) + (f" at {at:g}" if known else "")


def method(name: str) -> str:
    """Name of a method of estimation."""
    return METHODS.get(name, name.replace("_", " "))


def group(kind: str, variable: str, name: str) -> str:
    """Name of a group of patients: ``north``, ``Sex: female`` or ``All patients``.

    Parameters
    ----------
    kind, variable, name
        ``group_kind``, ``variable`` and ``group`` of a row of results.
    """
    if kind == GroupKind.POOLED:
        return "All patients"
    return f"{column(variable)}: {name}" if kind == GroupKind.SUBGROUP else name


def parameters(sample_size: pd.DataFrame) -> str:
    """How many parameters Riley's criteria count: the table states it in its notes."""
    notes = " ".join(sample_size.loc[sample_size["purpose"] == "development", "note"])
    found = re.search(r"(\d+) parameters", notes)
    return "" if found is None else f", with {found[1]} predictor parameters"
