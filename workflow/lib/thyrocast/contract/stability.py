"""Tables of the assessment of stability."""

from enum import StrEnum

from thyrocast.contract.names import Status
from thyrocast.contract.splits import CENTER, DESIGN, MODEL, PATIENT, PROBABILITY
from thyrocast.contract.table import Table, integer, number, text

_SPLIT = text("split", "Split of the design; `all`: over its splits.")
_STATUS = text("status", "Whether there is a result.", Status)
_NOTE = text("note", "Why there is none, or a remark.")
_N = integer("n", "Test patients with an outcome.", low=0, missing=True)
_RESAMPLES = integer("resamples", "Bootstrap samples.", low=0)


class StabilityMeasure(StrEnum):
    """What moves if the models are fitted again."""

    AUC = "auc"
    CALIBRATION_SLOPE = "calibration_slope"
    OE_RATIO = "oe_ratio"
    MAPE = "mape"
    CLASSIFICATION_INSTABILITY = "classification_instability"


class VarianceSource(StrEnum):
    """Where the variance of a result comes from."""

    TEST_PATIENTS = "test_patients"
    TRAINING_PATIENTS = "training_patients"
    SEED = "seed"
    SPLIT = "split"
    NETWORK_SEED = "network_seed"


class AveragedUnit(StrEnum):
    """What predictions are averaged over."""

    MEMBER = "member"
    TRAINING = "training"


MODELS = Table(
    "stability/stability.csv",
    "Test performance of each model fitted again to bootstrap samples of its training patients, and "
    "how far the predictions of a patient move. Networks are not trained again for these samples.",
    (
        DESIGN,
        _SPLIT,
        MODEL,
        text("measure", "`mape`: mean absolute difference from the predicted probability of the study; `classification_instability`: share of refitted models with another decision at their threshold; each over the fits, for each patient.", StabilityMeasure),
        number("original", "By the models of the study; missing for what compares with them.", missing=True),
        number("mean", "Mean over the fits; of `mape` and `classification_instability`, over patients.", missing=True),
        number("spread", "Their standard deviation.", low=0, missing=True),
        number("low", "Their 2.5th percentile.", missing=True),
        number("high", "Their 97.5th percentile.", missing=True),
        _RESAMPLES,
        _STATUS,
        _NOTE,
        _N,
        integer("events", "Cured patients among them.", low=0, missing=True),
    ),
    key=("design", "split", "model", "measure"),
    digits=6,
)  # fmt: skip

CURVE = Table(
    "stability/instability_curve.csv",
    "Instability plot: test patients in groups by the predicted probability of the study.",
    (
        DESIGN,
        text("split", "Split of the design."),
        MODEL,
        integer("group", "Number of the group, from the lowest probability.", low=1),
        number("probability", "Mean predicted probability of the study.", low=0, high=1),
        number("low", "2.5th percentile of a patient's probabilities by the refitted models, averaged.", low=0, high=1),
        number("high", "97.5th percentile, averaged.", low=0, high=1),
        number("mape", "Mean absolute difference from the predicted probability of the study.", low=0, high=1),
        integer("n", "Patients of the group.", low=1),
    ),
    key=("design", "split", "model", "group"),
    digits=6,
)  # fmt: skip

PATIENTS = Table(
    "stability/patient_instability.csv",
    "How far the predicted probability of each test patient moves.",
    (
        DESIGN,
        text("split", "Split of the design."),
        MODEL,
        PATIENT,
        CENTER,
        PROBABILITY,
        number("low", "2.5th percentile of the probabilities by the refitted models.", low=0, high=1),
        number("high", "97.5th percentile.", low=0, high=1),
        number("mape", "Mean absolute difference from `probability`.", low=0, high=1),
        number("classification_instability", "Share of the refitted models with another decision.", low=0, high=1, missing=True),
    ),
    key=("design", "split", "model", "patient"),
    digits=6,
)  # fmt: skip

SELECTION = Table(
    "stability/selection_stability.csv",
    "How stable the features are that the LASSO of the signature selects, by member: index of "
    "Nogueira et al. (J Mach Learn Res 2018;18(174)) over the bootstrap samples.",
    (
        DESIGN,
        text("split", "Split of the design."),
        text("member", "Member, in whose feature space the features are counted."),
        number("stability", "1: always the same features; 0: as random selection.", low=-1, high=1, missing=True),
        number("ci_low", "Lower 95 % limit; over samples drawn from these patients, not over other patients.", low=-1, high=1, missing=True),
        number("ci_high", "Upper limit.", low=-1, high=1, missing=True),
        number("features", "Mean number of selected features.", low=0),
        number("features_low", "Their 2.5th percentile.", low=0),
        number("features_high", "Their 97.5th percentile.", low=0),
        integer("often", "Features that are selected in at least 80 % of the samples.", low=0),
        _RESAMPLES,
        _STATUS,
        _NOTE,
    ),
    key=("design", "split", "member"),
    digits=6,
)  # fmt: skip

VARIANCE = Table(
    "stability/variance_sources.csv",
    "Variance of the test AUC, and of a test patient's log-odds, by source.",
    (
        DESIGN,
        _SPLIT,
        MODEL,
        text("quantity", "The AUC, or a patient's log-odds (variance averaged over patients).", ("auc", "log_odds")),
        text("source", "`test_patients`: DeLong, what the report's intervals contain; `training_patients`: between bootstrap samples; `seed`: tuning folds and forests, within samples; `split`: what remains between at least three splits; `network_seed`: between trainings of the networks with other seeds (`stability.network_seeds`).", VarianceSource),
        number("variance", "Variance; a negative estimate is given as 0.", low=0, missing=True),
        number("deviation", "Its square root.", low=0, missing=True),
        _STATUS,
        _NOTE,
    ),
    key=("design", "split", "model", "quantity", "source"),
    digits=8,
)  # fmt: skip

AVERAGING = Table(
    "stability/averaging.csv",
    "AUC of a model by the number of members, or of trainings with other seeds, whose log-odds are averaged.",
    (
        DESIGN,
        text("split", "Split of the design."),
        MODEL,
        text("unit", "What is averaged: `member`, the members of one training; `training`, trainings with other seeds, each with all its members.", AveragedUnit),
        integer("averaged", "How many of them.", low=1),
        integer("combinations", "Combinations of so many of them, over which `auc` is averaged.", low=1),
        number("auc", "Mean of the AUC in the test set.", low=0, high=1),
        number("spread", "Standard deviation over the combinations, which have members or trainings in common.", low=0, missing=True),
        integer("trainings", "Trainings with their own seed, that of the study among them.", low=1),
        integer("n", "Test patients with an outcome.", low=1),
        integer("events", "Cured patients among them.", low=0),
    ),
    key=("design", "split", "model", "unit", "averaged"),
    digits=6,
)  # fmt: skip

TABLES = (MODELS, CURVE, PATIENTS, SELECTION, VARIANCE, AVERAGING)
