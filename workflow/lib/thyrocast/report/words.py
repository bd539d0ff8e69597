"""The report's words: what columns and models are called, and how numbers are written."""

import math
from collections.abc import Sequence
from typing import TypeGuard

import pandas as pd

MISSING = "–"

MODELS = {
    "network": "ResNet50",
    "signature": "Signature",
    "handcrafted": "Hand-crafted",
    "clinical": "Clinical",
    "combined": "Combined",
}
MODEL_NOTES = {
    "network": "ResNet50 trained end to end on the scintigrams",
    "signature": "LASSO-selected network features in a random forest",
    "handcrafted": "quantities measured on the scintigram, without a network",
    "clinical": "clinical predictors alone, without the scintigram",
    "combined": "the scintigram and the clinical predictors together",
}
DESIGNS = {
    "external": "External centers",
    "loco": "Leave one center out",
    "kfold": "Repeated cross-validation",
    "holdout": "Hold-out",
}
DESIGN_NOTES = {
    "external": "Trained on all development centers, tested on centers that took no part in training.",
    "loco": "Each center in turn is left out of training and then predicted: every test patient "
    "comes from a center that the models never saw.",
    "kfold": "Patients of all centers are divided at random, repeatedly. Test patients come from "
    "centers that the models did see.",
    "holdout": "One random division of the patients, as in the published study. Test patients "
    "come from centers that the models did see.",
}
# Evidence for a new hospital, strongest first.
DESIGN_ORDER = ("external", "loco", "kfold", "holdout")
UNSEEN_CENTERS = ("external", "loco")

METRICS = {
    "auc": "AUC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "accuracy": "Accuracy",
    "brier": "Brier score",
    "scaled_brier": "Scaled Brier score",
    "log_loss": "Log loss",
    "calibration_in_the_large": "Calibration in the large",
    "calibration_intercept": "Calibration intercept",
    "calibration_slope": "Calibration slope",
    "oe_ratio": "Observed / expected",
    "log_oe_ratio": "Log observed / expected",
    "logit_auc": "AUC",
    "ici": "ICI",
    "e50": "E50",
    "e90": "E90",
    "emax": "Emax",
    "net_benefit": "Net benefit",
    "partial_auc": "Partial AUC",
    "set_coverage": "Truth in the set",
    "set_coverage_cured": "… of cured patients",
    "set_coverage_not_cured": "… of patients not cured",
    "set_abstention": "No call",
    "set_accuracy": "Accuracy of the calls",
    "likelihood_ratio": "Likelihood ratio, χ²",
}
CRITERIA = {
    "shrinkage": "Little overfitting",
    "optimism": "Little optimism",
    "prevalence": "Average risk known well",
    "oe_ratio": "Observed / expected known well",
    "calibration_slope": "Calibration slope known well",
    "auc": "AUC known well",
    "all": "All of these",
}
METHODS = {
    "reml_hartung_knapp_truncated": "random effects (REML, Hartung-Knapp)",
    "reml_hartung_knapp": "random effects (REML, Hartung-Knapp)",
    "delong": "DeLong",
    "delong_logit": "DeLong, logit scale",
    "delong_paired": "DeLong, paired",
    "t_paired": "t, paired",
    "t": "t",
    "log_t": "t, log scale",
    "wald": "Wald",
    "wilson": "Wilson",
    "newcombe": "Newcombe",
    "likelihood_ratio_chi2_1": "likelihood ratio, χ² with 1 degree of freedom",
    "bootstrap_percentile": "bootstrap",
    "bootstrap_stratified_percentile": "stratified bootstrap",
}
RULES = {
    "youden": "greatest sensitivity + specificity (Youden)",
    "sensitivity": "fixed sensitivity",
    "specificity": "fixed specificity",
    "cost_ratio": "least cost",
    "net_benefit": "net benefit",
    "fixed": "fixed threshold",
}
# Rules whose threshold is the config's own number; no patient takes part.
GIVEN_RULES = ("net_benefit", "fixed")
# Models that see the scintigram.
IMAGE_MODELS = ("network", "signature", "handcrafted", "combined")
# The two tables of a design: telling patients apart and deciding; and honest probabilities.
DISCRIMINATION = ("auc", "sensitivity", "specificity", "ppv", "npv", "accuracy")
CALIBRATION = (
    "brier",
    "scaled_brier",
    "calibration_in_the_large",
    "calibration_slope",
    "oe_ratio",
    "ici",
)

COLUMNS = {
    "sex": "Sex",
    "age": "Age, years",
    "gland_mass": "Gland mass, g",
    "uptake_24h": "Iodine uptake at 24 h, %",
    "activity": "Administered I-131, MBq",
    "trab": "TRAb, IU/L",
    "ft4": "Free T4, pmol/L",
    "ft3": "Free T3, pmol/L",
    "antithyroid_drug": "Antithyroid drug before therapy",
    "withdrawal_days": "Drug withdrawn, days before",
    "orbitopathy": "Orbitopathy",
    "smoking": "Smoking",
    "vendor": "Camera vendor",
    "camera": "Camera",
    "collimator": "Collimator",
    "matrix": "Matrix",
    "pixel_mm": "Pixel size, mm",
    "duration_s": "Acquisition, s",
    "tc_activity_mbq": "Injected Tc-99m, MBq",
    "delay_min": "Injection to image, min",
    "q_counts": "Counts in the gland",
    "q_rate": "Count rate of the gland, 1/s",
    "q_uptake": "Tc-99m uptake, %",
    "q_area_right": "Right lobe area, cm²",
    "q_area_left": "Left lobe area, cm²",
    "q_mass": "Gland mass on the image, g",
    "q_asymmetry": "Asymmetry of the lobes",
    "q_heterogeneity": "Heterogeneity",
    "q_to_background": "Gland to background",
    "q_to_salivary": "Gland to salivary glands",
    "q_snr": "Signal to noise",
}
ROLES = {
    "development": "development",
    "external": "external validation",
    "prospective": "prospective",
}
PREDICTION_SETS = (
    "set_coverage",
    "set_coverage_cured",
    "set_coverage_not_cured",
    "set_abstention",
    "set_accuracy",
)
SETS = {"test": "Test", "train": "Training"}


def model(name: str) -> str:
    """What a model is called; a comparator of the user's keeps its own name."""
    return MODELS.get(name, plain(name))


def design(name: str) -> str:
    """What a design is called."""
    return DESIGNS.get(name, plain(name))


def metric(name: str) -> str:
    """What a metric is called; ``net_benefit@0.3`` becomes ``Net benefit at 0.3``."""
    head, _, at = name.partition("@")
    return METRICS.get(head, plain(head)) + (f" at {at}" if at else "")


def column(name: str) -> str:
    """What a column of the cohort is called, with its unit."""
    return COLUMNS.get(name, plain(name))


def method(name: str) -> str:
    """How something was estimated, in words where we have them."""
    head, space, rest = str(name).partition(";")[0].partition(" ")
    return METHODS.get(head, head.replace("_", " ")) + space + rest


def plain(name: str) -> str:
    """A machine's name as words."""
    text = str(name).replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def group(name: str) -> str:
    """``center:north`` as north, ``subgroup:sex=female`` as Sex: female, ``pooled`` as all."""
    kind, _, rest = str(name).partition(":")
    if kind == "center":
        return rest
    if kind == "subgroup":
        head, _, value = rest.partition("=")
        return f"{column(head)}: {value}"
    return "All patients" if name == "pooled" else plain(name)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a cell holds a finite number."""
    if value is None or isinstance(value, str | bool):
        return False
    try:
        return math.isfinite(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def number(value: object, digits: int = 2) -> str:
    """A number with fixed digits, or a dash: a report never says NaN."""
    if not is_number(value):
        return MISSING
    text = f"{float(value):.{digits}f}"
    # A rounded nothing has no sign.
    text = text.removeprefix("-") if float(text) == 0 else text
    return text.replace("-", "−")


def significant(value: object, digits: int = 3) -> str:
    """A measured quantity with so many significant digits and thousands apart."""
    if not is_number(value):
        return MISSING
    size = float(value)
    if size == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(size))))
    return f"{size:,.{decimals}f}".replace("-", "−")


def interval(low: object, high: object, digits: int = 2) -> str:
    """``0.72 to 0.90``, or nothing where an end is missing."""
    if not (is_number(low) and is_number(high)):
        return ""
    return f"{number(low, digits)} to {number(high, digits)}"


def estimate(value: object, low: object = None, high: object = None, digits: int = 2) -> str:
    """``0.81 (0.72 to 0.90)``."""
    if not is_number(value):
        return MISSING
    within = interval(low, high, digits)
    return number(value, digits) + (f" ({within})" if within else "")


def count(value: object) -> str:
    """A whole number with thousands apart."""
    return f"{int(float(value)):,}" if is_number(value) else MISSING


def share(part: float, whole: float) -> str:
    """``31 (26 %)``."""
    return f"{count(part)} ({percent(part / whole)})" if whole else f"{count(part)}"


def percent(value: object, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage."""
    return (
        f"{number(100 * float(value), digits)}\N{NO-BREAK SPACE}%" if is_number(value) else MISSING
    )


def share_of_variance(value: object) -> str:
    """I², which the tables hold in percent."""
    if not is_number(value):
        return MISSING
    return percent(float(value) / 100)


def p_value(value: object) -> str:
    """A p value as journals print it."""
    if not is_number(value):
        return MISSING
    size = float(value)
    return "< 0.001" if size < 0.001 else number(size, 3 if size < 0.1 else 2)


def quartiles(values: pd.Series) -> tuple[str, str]:
    """Median, and first to third quartile: ``44`` and ``36 to 53``."""
    numbers = pd.to_numeric(values, errors="coerce").dropna()
    if numbers.empty:
        return MISSING, ""
    whole = bool((numbers == numbers.round()).all())
    low, middle, high = (
        count(round(part)) if whole else significant(part)
        for part in numbers.quantile([0.25, 0.5, 0.75])
    )
    return middle, f"{low} to {high}"


def listing(names: Sequence[str]) -> str:
    """``a, b and c``."""
    names = list(names)
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def plural(size: int, one: str, many: str | None = None) -> str:
    """``1 center``, ``3 centers``."""
    return f"{count(size)} {one if size == 1 else many or one + 's'}"
