"""Enumerations that tables, config and code share; standard library only."""

from enum import StrEnum


class Role(StrEnum):
    """What a center is used for."""

    DEVELOPMENT = "development"
    EXTERNAL = "external"
    PROSPECTIVE = "prospective"


class Design(StrEnum):
    """How patients are divided into training and test sets; in the order in which they run."""

    HOLDOUT = "holdout"
    KFOLD = "kfold"
    LOCO = "loco"
    TEMPORAL = "temporal"
    EXTERNAL = "external"


#: Designs whose test centers no model saw in training.
UNSEEN_CENTERS = (Design.LOCO, Design.EXTERNAL)
#: Designs by the strength of their evidence, strongest first.
STRONGEST_FIRST = (
    Design.EXTERNAL, Design.LOCO, Design.TEMPORAL, Design.KFOLD, Design.HOLDOUT,
)  # fmt: skip
#: The split that joins the test predictions of all splits of a design.
ALL_SPLITS = "all"


class Set(StrEnum):
    """The side of a split on which a patient is."""

    TRAIN = "train"
    TEST = "test"


class Model(StrEnum):
    """The study's own models, in the order of the report."""

    NETWORK = "network"
    SIGNATURE = "signature"
    SIMULATED = "simulated"
    HANDCRAFTED = "handcrafted"
    CLINICAL = "clinical"
    COMBINED = "combined"
    DOSE = "dose"
    RIDGE = "ridge"
    LASSO = "lasso"
    ELASTIC_NET = "elastic_net"


#: Models that use the scintigram.
IMAGE_MODELS = (
    Model.NETWORK, Model.SIGNATURE, Model.SIMULATED, Model.HANDCRAFTED, Model.COMBINED,
    Model.RIDGE, Model.LASSO, Model.ELASTIC_NET,
)  # fmt: skip
#: Models without a network that is trained on outcomes, and one that combines their predictors with network
#: and signature.
BASELINES = (Model.SIMULATED, Model.HANDCRAFTED, Model.CLINICAL, Model.COMBINED, Model.DOSE)
#: Linear models on the embeddings, in place of the signature's LASSO and forest.
HEADS = (Model.RIDGE, Model.LASSO, Model.ELASTIC_NET)


#: The member of a split that is trained on all training patients, as published.
FULL = "full"


def fold_member(fold: int) -> str:
    """Name of the member that is trained without a fold (from 1)."""
    return f"fold-{fold}"


class Strategy(StrEnum):
    """Reference strategies of a decision curve."""

    TREAT_ALL = "treat_all"
    TREAT_NONE = "treat_none"


class GroupKind(StrEnum):
    """What a row of results is about: all patients, one center, or one subgroup."""

    POOLED = "pooled"
    CENTER = "center"
    SUBGROUP = "subgroup"


class Status(StrEnum):
    """Whether there is a result."""

    ESTIMATED = "estimated"
    NOT_ESTIMABLE = "not_estimable"
    SUPPRESSED = "suppressed"


class Scale(StrEnum):
    """Scale on which a standard error is given and on which centers are pooled."""

    IDENTITY = "identity"
    LOG = "log"
    LOGIT = "logit"


class Metric(StrEnum):
    """Measures of performance."""

    AUC = "auc"
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"
    PPV = "ppv"
    NPV = "npv"
    ACCURACY = "accuracy"
    BRIER = "brier"
    SCALED_BRIER = "scaled_brier"
    LOG_LOSS = "log_loss"
    OE_RATIO = "oe_ratio"
    CALIBRATION_IN_THE_LARGE = "calibration_in_the_large"
    CALIBRATION_SLOPE = "calibration_slope"
    CALIBRATION_INTERCEPT = "calibration_intercept"
    ICI = "ici"
    E50 = "e50"
    E90 = "e90"
    EMAX = "emax"
    SPIEGELHALTER_Z = "spiegelhalter_z"
    SPIEGELHALTER_P = "spiegelhalter_p"
    NET_BENEFIT = "net_benefit"
    LIKELIHOOD_RATIO = "likelihood_ratio"
    SET_COVERAGE = "set_coverage"
    SET_COVERAGE_CURED = "set_coverage_cured"
    SET_COVERAGE_NOT_CURED = "set_coverage_not_cured"
    SET_ABSTENTION = "set_abstention"
    SET_ACCURACY = "set_accuracy"
    SET_COVERAGE_OWN_CENTER = "set_coverage_own_center"
    SET_ABSTENTION_OWN_CENTER = "set_abstention_own_center"


class Source(StrEnum):
    """Where a patient of a register was found."""

    BOTH = "both"
    CLINICAL = "clinical"
    DICOM = "dicom"


class FileUse(StrEnum):
    """What became of a file of a center's export."""

    USED = "used"
    CANDIDATE = "candidate"
    EXCLUDED = "excluded"
    UNREADABLE = "unreadable"


class ScanKind(StrEnum):
    """How a scan was acquired; preferred kinds come first."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    CAPTURE = "capture"


class ViewSource(StrEnum):
    """What identified the view of a scan; the most certain source comes first."""

    CODE = "code"
    ORIENTATION = "orientation"
    DESCRIPTION = "description"
    FALLBACK = "fallback"


class ViewRule(StrEnum):
    """The rule that identified the view of a scan; the most certain one comes first."""

    CODE_AND_ORIENTATION = "code_and_orientation"
    ORIENTATION = "orientation"
    ORIENTATION_OF_HEADS = "orientation_of_heads"
    CODE = "code"
    START_ANGLE = "start_angle"
    PRIVATE_LABEL = "private_label"
    DESCRIPTION = "description"
    CONFIGURED_LABEL = "configured_label"
    CONFIGURED_HEAD = "configured_head"
    CONFIGURED_VIEW = "configured_view"


class ScanFlag(StrEnum):
    """What is unusual about a scan, its acquisition or what the center states about it."""

    VIEW_CONTRADICTION = "view_contradiction"
    START_ANGLE_REVERSED = "start_angle_reversed"
    FEWER_COUNTS = "fewer_counts"
    SUMMED_FRAMES = "summed_frames"
    ENERGY_WINDOW_UNKNOWN = "energy_window_unknown"
    RADIONUCLIDE_BY_WINDOW = "radionuclide_by_window"
    RADIONUCLIDE_ASSUMED = "radionuclide_assumed"
    SECONDARY_CAPTURE = "secondary_capture"
    PINHOLE = "pinhole"
    PIXEL_SIZE_IMPLAUSIBLE = "pixel_size_implausible"
    PIXEL_SIZE_BY_FIELD = "pixel_size_by_field"
    PIXEL_SIZE_DIFFERS = "pixel_size_differs"
    PIXEL_SIZE_OF_ONE = "pixel_size_of_one"
    DURATION_IMPLAUSIBLE = "duration_implausible"
    ACTIVITY_IMPLAUSIBLE = "activity_implausible"
    ACTIVITY_IN_BQ = "activity_in_bq"
    ACTIVITY_DIFFERS = "activity_differs"
    DELAY_IMPLAUSIBLE = "delay_implausible"
    DELAY_DIFFERS = "delay_differs"
    DATES_DIFFER = "dates_differ"
    BODY_PART_DIFFERS = "body_part_differs"
    TRACER_DOUBTFUL = "tracer_doubtful"
    DERIVED = "derived"
    COPY_AFTER_THERAPY = "copy_after_therapy"


class ValueSource(StrEnum):
    """Where a value of a scan comes from."""

    TABLE = "table"
    HEADER = "header"
    FIELD_OF_VIEW = "field_of_view"
    CONFIG = "config"


class PredictionSet(StrEnum):
    """What a conformal prediction set contains."""

    CURED = "cured"
    NOT_CURED = "not_cured"
    UNCERTAIN = "uncertain"
    ATYPICAL = "atypical"


class ThresholdRule(StrEnum):
    """How a decision threshold is chosen on a training set."""

    YOUDEN = "youden"
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"
    COST_RATIO = "cost_ratio"
    NET_BENEFIT = "net_benefit"
    FIXED = "fixed"


class OutcomeRule(StrEnum):
    """How a center's outcome is decided."""

    GIVEN = "given"
    FOLLOWUP = "followup"


class ThyroidState(StrEnum):
    """Thyroid function at a visit."""

    HYPERTHYROID = "hyperthyroid"
    SUBCLINICAL_HYPERTHYROID = "subclinical_hyperthyroid"
    EUTHYROID = "euthyroid"
    SUBCLINICAL_HYPOTHYROID = "subclinical_hypothyroid"
    HYPOTHYROID = "hypothyroid"


class ThyroidFunction(StrEnum):
    """The three states of the outcome; subclinical states belong to the overt ones."""

    HYPERTHYROID = "hyperthyroid"
    EUTHYROID = "euthyroid"
    HYPOTHYROID = "hypothyroid"


class DecidedBy(StrEnum):
    """What decided an outcome."""

    CENTER = "center"
    VISIT = "visit"
    EARLY_HYPOTHYROIDISM = "early_hypothyroidism"
    SECOND_TREATMENT = "second_treatment"


class FollowUp(StrEnum):
    """Whether the outcome of an eligible patient is known, and if not, why."""

    SETTLED_EARLY = "settled_early"
    DECIDED = "decided"
    UNDECIDED = "undecided"
    LOST = "lost"
    DIED = "died"


#: The outcome is known.
KNOWN = (FollowUp.SETTLED_EARLY, FollowUp.DECIDED)


class SecondKind(StrEnum):
    """Kinds of second treatment after a first radioiodine therapy."""

    IODINE = "iodine"
    SURGERY = "surgery"
    DRUGS = "drugs"
    OTHER = "other"


class Sex(StrEnum):
    """Codes of the column ``sex``."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class AntithyroidDrug(StrEnum):
    """Codes of the column ``antithyroid_drug``."""

    NONE = "none"
    METHIMAZOLE = "methimazole"
    CARBIMAZOLE = "carbimazole"
    PROPYLTHIOURACIL = "propylthiouracil"
    OTHER = "other"


class YesNo(StrEnum):
    """Codes of the column ``orbitopathy``."""

    YES = "yes"
    NO = "no"


class Smoking(StrEnum):
    """Codes of the column ``smoking``."""

    NEVER = "never"
    FORMER = "former"
    CURRENT = "current"


class View(StrEnum):
    """Views of a planar scan of the neck."""

    ANTERIOR = "anterior"
    POSTERIOR = "posterior"
    LEFT_ANTERIOR_OBLIQUE = "left_anterior_oblique"
    RIGHT_ANTERIOR_OBLIQUE = "right_anterior_oblique"


class MapTarget(StrEnum):
    """What a Grad-CAM map shows evidence for."""

    CURED = "cured"
    NOT_CURED = "not_cured"


class MapStatus(StrEnum):
    """Whether a Grad-CAM map contains evidence."""

    OK = "ok"
    ALL_ZERO = "all_zero"


class SimulatedStatus(StrEnum):
    """What the export of a simulated center contains for a patient."""

    COMPLETE = "complete"
    LOST = "lost"
    TABLE_ONLY = "table_only"
    DICOM_ONLY = "dicom_only"


class Contradiction(StrEnum):
    """What contradicts itself in the data of a patient."""

    SEX = "sex"
    BIRTH = "birth_date"
    AGE = "age"
    FILES = "files"
    THERAPY = "therapy_before_scan"
    BORN = "born_after"
    VISIT = "visit_before_therapy"
    OUTCOME = "outcome_against_visits"


class ColumnKind(StrEnum):
    """What the cells of a clinical table's column are read as."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    CODE = "code"


class OrderSource(StrEnum):
    """How the order of day, month and year in a column is known."""

    CONFIG = "config"
    COLUMN = "column"
    POINTS = "points"
    OTHER_COLUMNS = "other_columns"
