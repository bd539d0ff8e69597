"""Tables of the splits: who is in which set, what was trained, and every prediction."""

from enum import StrEnum

from thyrocast.contract.control_names import Compared, Curve, Randomized
from thyrocast.contract.names import Design, GroupKind, MapStatus, MapTarget, Set
from thyrocast.contract.table import Table, flag, integer, number, text


class End(StrEnum):
    """End of a feature's values."""

    HIGHEST = "highest"
    LOWEST = "lowest"


DESIGN = text("design", "Design of the validation.", Design)
SPLIT = text("split", "Split of the design.")
MODEL = text("model", "Model, a reference strategy, or the name of external predictions.")
SET = text("set", "Side of the split.", Set)
PATIENT = text("patient", "Pseudonym.")
CENTER = text("center", "Center.")
OUTCOME = integer("outcome", "1 cured, 0 not cured.", low=0, high=1, missing=True)
FOLD = integer("fold", "Fold of a training patient, from 1.", low=1, missing=True)
PROBABILITY = number("probability", "Predicted probability of cure.", low=0, high=1)

MEMBER = text(
    "member",
    "`fold-k`, fitted without fold k; or `full`, fitted to all training patients, as published.",
)

SPLITS = Table(
    "splits.csv",
    "The set of every patient in every split, and the fold of training patients.",
    (DESIGN, SPLIT, PATIENT, SET, FOLD),
    key=("design", "split", "patient"),
)

_SPLIT = "splits/{design}/{split}"

HISTORY = Table(
    f"{_SPLIT}/network/{{member}}/history.csv",
    "Training of one member, epoch by epoch.",
    (
        integer("epoch", "Epoch, from 1.", low=1),
        number("learning_rate", "Learning rate at the end of the epoch."),
        number("train_loss", "Mean loss of the patients used to fit the network."),
        number("validation_loss", "Loss of the patients held out for early stopping.", missing=True),
        number("validation_auc", "AUC of the patients held out for early stopping.", missing=True),
        number("seconds", "Duration of the epoch.", "s"),
        flag("best", "Whether the weights of this epoch were kept."),
    ),
    key=("epoch",),
    digits=None,
)  # fmt: skip

LOGITS = Table(
    f"{_SPLIT}/network.csv",
    "Log-odds of cure of every patient of the split by every member's network.",
    (
        PATIENT,
        SET,
        FOLD,
        MEMBER,
        number("logit", "Log-odds of cure."),
    ),
    key=("patient", "member"),
    digits=7,
)  # fmt: skip

PATH = Table(
    f"{_SPLIT}/signature/path.csv",
    "The LASSO path of every member with its cross-validated deviance; no rows if no path could be fitted.",
    (
        MEMBER,
        number("lambda", "Penalty."),
        integer("nonzero", "Features with a nonzero coefficient."),
        number("cv_deviance", "Cross-validated deviance.", missing=True),
        number("cv_se", "Its standard error.", missing=True),
        flag("chosen", "Whether this penalty was chosen."),
    ),
    digits=None,
)

FEATURES = Table(
    f"{_SPLIT}/signature/features.csv",
    "The selected features of every member, the most important first.",
    (
        MEMBER,
        integer("feature", "Index of the embedding's feature, from 0.", low=0),
        number("coefficient", "Coefficient of the LASSO."),
        number("importance", "Importance in the random forest."),
    ),
    key=("member", "feature"),
    digits=None,
)

CORRELATES = Table(
    f"{_SPLIT}/signature/correlates.csv",
    "What the selected features of every member resemble: rank correlations with quantities of the training "
    "patients; no rows for a locked model.",
    (
        MEMBER,
        integer("feature", "Index of the embedding's feature, from 0.", low=0),
        text("quantity", "Column of the cohort."),
        number("correlation", "Spearman's rank correlation; missing if one of both is constant.", low=-1, high=1, missing=True),
        integer("n", "Training patients with the quantity.", low=0),
    ),
    key=("member", "feature", "quantity"),
    digits=4,
)  # fmt: skip

ACTIVATING = Table(
    f"{_SPLIT}/signature/activating.csv",
    "Training patients in whom a selected feature is highest and lowest; no rows for a locked model.",
    (
        MEMBER,
        integer("feature", "Index of the embedding's feature, from 0.", low=0),
        text("end", "Whether these patients have the highest or the lowest values.", End),
        integer("rank", "1: the highest or the lowest value.", low=1),
        PATIENT,
        CENTER,
        number("value", "Standard deviations from the mean of the training patients."),
    ),
    key=("member", "feature", "end", "rank"),
    digits=4,
)  # fmt: skip

OPTIMISM = Table(
    f"{_SPLIT}/signature/optimism.csv",
    "Bootstrap correction of the signature's apparent performance; no rows if it is not requested.",
    (
        text("metric", "Measure of performance."),
        number("apparent", "Performance in the patients used to fit the signature."),
        number("optimism", "Mean difference of apparent and tested performance over resamples."),
        number("corrected", "Apparent performance minus optimism."),
        integer("resamples", "Bootstrap resamples."),
    ),
    key=("metric",),
    digits=None,
)

PREDICTIONS = Table(
    f"{_SPLIT}/predictions.csv",
    "Probabilities of cure of every model for every patient of the split; those of training patients "
    "are cross-fitted, or in-sample if the config says so.",
    (DESIGN, SPLIT, MODEL, SET, PATIENT, CENTER, OUTCOME, PROBABILITY),
    key=("design", "split", "model", "patient"),
    digits=None,
)

MEMBER_PREDICTIONS = Table(
    f"{_SPLIT}/member_predictions.csv",
    "Log-odds of every model by its members: of test patients by all members, of training patients by the "
    "member that did not see them (or by `full`). Prediction sets compare them within each member.",
    (
        DESIGN,
        SPLIT,
        MODEL,
        SET,
        PATIENT,
        MEMBER,
        number("logit", "Log-odds of cure, standardized and recalibrated as those of the model."),
    ),
    key=("design", "split", "model", "patient", "member"),
    digits=None,
)

GRADCAM = Table(
    f"{_SPLIT}/explanation/gradcam.csv",
    "What the map of every test patient shows, in the order of `maps.npy`; maps are means over the members.",
    (
        PATIENT,
        CENTER,
        OUTCOME,
        text("target", "What the map shows evidence for.", MapTarget),
        PROBABILITY,
        text("status", "Whether the map is zero everywhere.", MapStatus),
        number("map_left_mm", "Left edge of the map from the middle of the camera's field, right positive; missing for a pinhole.", "mm", missing=True),
        number("map_top_mm", "Its upper edge, with the head up, down positive.", "mm", missing=True),
        number("cell_mm", "Side of a cell of the map.", "mm", missing=True),
    ),
    key=("patient",),
    digits=6,
)  # fmt: skip

_DESIGN = "explanation/{design}"
_INSIDE = "Share of the map's sum inside the gland"
_COARSE = "missing for a map of zeros or of fewer than 7 × 7 cells"

SHARES = Table(
    f"{_DESIGN}/shares.csv",
    "Share of every test patient's map inside the gland, and of the same map at random places: moved over its "
    "grid, around the border, in eight orientations.",
    (
        SPLIT,
        PATIENT,
        number("inside", f"{_INSIDE}; {_COARSE}.", low=0, high=1, missing=True),
        number("area", "Share of the image that is gland.", low=0, high=1),
        number("random_low", "5 % of the random places have a smaller share.", low=0, high=1, missing=True),
        number("random_high", "5 % of the random places have a larger share.", low=0, high=1, missing=True),
        number("others", "Mean share, inside this gland, of the maps of the split's other patients.", low=0, high=1, missing=True),
    ),
    key=("split", "patient"),
    digits=6,
)  # fmt: skip

ATTENTION = Table(
    f"{_DESIGN}/attention.csv",
    "Medians of the shares over patients. The random places of a group are those of all its maps moved "
    "alike: maps of one network resemble each other. Small groups have no numbers.",
    (
        DESIGN,
        text("group_kind", "All test patients of the design, or one center.", (GroupKind.POOLED, GroupKind.CENTER)),
        text("group", "Center; empty for all."),
        integer("n", "Test patients.", low=0, missing=True),
        integer("empty", "Those whose map is zero everywhere.", low=0, missing=True),
        number("inside", f"{_INSIDE}, median.", low=0, high=1, missing=True),
        number("inside_low", "Its first quartile.", low=0, high=1, missing=True),
        number("inside_high", "Its third quartile.", low=0, high=1, missing=True),
        number("area", "Share of the image that is gland, median.", low=0, high=1, missing=True),
        number("random_low", "5 % of the random places have a smaller median share.", low=0, high=1, missing=True),
        number("random_high", "5 % of the random places have a larger median share.", low=0, high=1, missing=True),
        number("others", "Share of the other patients' maps inside a patient's gland, median.", low=0, high=1, missing=True),
    ),
    key=("design", "group_kind", "group"),
    digits=6,
)  # fmt: skip

RANDOMIZATION = Table(
    f"{_DESIGN}/randomization.csv",
    "How maps change if the weights of the first member's network become random, from the top of the network "
    "(Adebayo et al. 2018); medians over the test patients of a split. No rows if the test is not requested, "
    "or for maps that are too coarse.",
    (
        SPLIT,
        text("randomized", "Blocks with random weights: from the top down to this one.", Randomized),
        integer("n", "Test patients.", low=0),
        number("correlation", "Spearman's correlation of the map with the true one, over the cells.", low=-1, high=1, missing=True),
        number("correlation_low", "Its first quartile.", low=-1, high=1, missing=True),
        number("correlation_high", "Its third quartile.", low=-1, high=1, missing=True),
        number("inside", f"{_INSIDE}.", low=0, high=1, missing=True),
    ),
    key=("split", "randomized"),
    digits=6,
)  # fmt: skip

CURVES = Table(
    f"{_DESIGN}/curves.csv",
    "Deletion and insertion curves (Petsiuk et al. 2018) of some test patients by the first member's network, with "
    "those of the same map at random places. No rows if they are not requested, or for maps that are too coarse.",
    (
        SPLIT,
        PATIENT,
        text("curve", "`deletion`: the pixels that the map marks first take the image's median; `insertion`: they take their values in a blurred image.", Curve),
        number("area", "Mean probability of cure along the curve: low in a good deletion, high in a good insertion.", low=0, high=1),
        number("moved", "The same of the maps at random places, mean.", low=0, high=1),
        integer("better_than", "Random places with a worse area.", low=0),
        integer("places", "Random places.", low=1),
    ),
    key=("split", "patient", "curve"),
    digits=6,
)  # fmt: skip

AGREEMENT = Table(
    f"{_DESIGN}/agreement.csv",
    "How alike a patient's maps are by another method (network of the first member, some test patients, evidence for "
    "cure) and by two members of the split (all test patients, mean over the pairs). No rows if it is not requested, for maps that are too "
    "coarse, or for too few patients.",
    (
        SPLIT,
        text("compared", "With what.", Compared),
        text("method", "The other method; empty for members."),
        integer("n", "Test patients.", low=0),
        number("correlation", "Spearman's correlation over the cells, median over patients.", low=-1, high=1),
        number("correlation_low", "Its first quartile.", low=-1, high=1),
        number("correlation_high", "Its third quartile.", low=-1, high=1),
    ),
    key=("split", "compared", "method"),
    digits=6,
)  # fmt: skip

TABLES = (
    SPLITS,
    HISTORY,
    LOGITS,
    PATH,
    FEATURES,
    CORRELATES,
    ACTIVATING,
    OPTIMISM,
    PREDICTIONS,
    MEMBER_PREDICTIONS,
    GRADCAM,
    SHARES,
    ATTENTION,
    RANDOMIZATION,
    CURVES,
    AGREEMENT,
)
