"""The locked model: its files and the tables in it."""

from collections.abc import Iterable

from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.names import PredictionSet, ThresholdRule
from thyrocast.contract.site_names import Standing
from thyrocast.contract.splits import CENTER, MODEL, PATIENT, PROBABILITY
from thyrocast.contract.table import File, Table, flag, integer, number, text

MANIFEST = "manifest.json"
SIGNATURE = "signature/model.json"
FOREST = "signature/forest.skops"
CARD = "model_card.xml"
LICENSE = "LICENSE.txt"
DOMAIN = "domain.safetensors"
#: Manifest of the model that an updated one was made from.
PARENT = "parent.json"


def weights(member: str) -> str:
    """Return the path of a member's weights in a locked model."""
    return f"network/{member}/weights.safetensors"


THRESHOLDS = Table(
    "model/thresholds.csv",
    "Decision thresholds of the locked model, chosen on the cross-fitted predictions of its training patients.",
    (
        MODEL,
        text("rule", "How the threshold was chosen.", ThresholdRule),
        number("threshold", "Probability of cure from which a patient is called cured.", missing=True),
        flag("signal", "Whether the training patients show that the model ranks better than chance; "
             "empty if their probabilities are in-sample.", missing=True),
    ),
    key=("model", "rule"),
    digits=None,
)  # fmt: skip

REFERENCE = Table(
    "model/reference.csv",
    "Distribution of each variable in the training patients, as reference for drift. Numbers: mean, standard "
    "deviation and quantiles; text: share of each level. Levels and variables of fewer patients than "
    "`evaluation.minimum_count.patients` are left out, and quantiles that fewer would decide.",
    (
        text("variable", "Column of the cohort, or `probability of {model}`."),
        text("level", "Level of a text; empty for a number."),
        integer("n", "Patients with a value; with this level, of a text; missing if few have none.", low=0, missing=True),
        integer("of", "Training patients.", low=1),
        number("mean", "Mean.", missing=True),
        number("sd", "Standard deviation.", missing=True),
        *(number(f"q{share:02d}", f"Quantile at {share} %.", missing=True) for share in (5, 25, 50, 75, 95)),
    ),
    key=("variable", "level"),
    digits=6,
)  # fmt: skip

RANGES = Table(
    "model/ranges.csv",
    "Range of the acquisition in the training patients, widened (docs/locked-model.md). A patient outside of a "
    "range is flagged.",
    (
        text("variable", "Column of the cohort."),
        number("low", "Lower limit."),
        number("high", "Upper limit."),
    ),
    key=("variable",),
    digits=6,
)

_BUNDLE = text("locked_model", "Hash of the locked model.")
_AT = text("predicted_at", "When the patient was predicted: ISO 8601, UTC.")

APPLIED = Table(
    "deployment/predictions.csv",
    "Predictions of a locked model for every patient, with or without a known outcome.",
    (
        _BUNDLE,
        _AT,
        PATIENT,
        CENTER,
        MODEL,
        PROBABILITY,
        flag("called_cured", "Whether the probability is at or above the model's first threshold.", missing=True),
        number("p_not_cured", "Conformal p value of not cured.", low=0, high=1, missing=True),
        number("p_cured", "Conformal p value of cured.", low=0, high=1, missing=True),
        text("prediction", "Outcomes that are not excluded at the error `evaluation.prediction_sets.error`; "
             "missing without calibration scores.", PredictionSet, missing=True),
        flag("outside", "Whether the patient is unlike the training patients; see `deployment/patients.csv`."),
    ),
    key=("patient", "model"),
    digits=None,
)  # fmt: skip

APPLIED_PATIENTS = Table(
    "deployment/patients.csv",
    "Whether each patient is like the training patients of the locked model, and the image that was seen.",
    (
        _BUNDLE,
        _AT,
        PATIENT,
        CENTER,
        number("distance", "Distance of the embeddings from those of the training patients; above 1 is outside.", low=0),
        text("acquisition", "Variables outside of the training range, separated by spaces; empty if none."),
        flag("outside", "Whether the embeddings or the acquisition are outside."),
        text("image", "SHA-256 of the standardized image's numbers (float32, row by row)."),
        text("standing", "`unfrozen`: a center without frozen predictions. `before`: frozen before the outcome. Scored "
             "apart: `late` (frozen, but not before the outcome), `undated` (nobody can tell), `new` (not frozen, "
             "although the center has frozen predictions), `withdrawn` (by the config).", Standing),
        flag("clinical_changed", "Whether clinical values changed since the prediction was frozen.", missing=True),
    ),
    key=("patient",),
    digits=None,
)  # fmt: skip

LOOKS = Table(
    "deployment/looks.csv",
    "Every evaluation of a locked model in this study's folder, from an append-only log in the private folder.",
    (
        integer("look", "Number, from 1.", low=1),
        text("date", "ISO 8601, UTC."),
        _BUNDLE,
        text("cohort", "Fingerprint of patients and outcomes."),
        integer("patients", "Patients with an outcome.", low=0),
        integer("seen_before", "Of them, patients whom an earlier look scored.", low=0),
        integer(
            "fitted_to",
            "Of the patients, those to whom this updated model was fitted: their results are in-sample.",
            low=0,
        ),
        flag(
            "differs_little",
            "Whether its patients differ from those of an earlier look by fewer than `evaluation.minimum_count.cells`, "
            "or only in outcomes: results of both, side by side, would show them.",
        ),
        text("note", "What is special about the look; empty if nothing is."),
    ),
    key=("look",),
)

LEDGER = Table(
    "deployment/ledger.csv",
    "The ledger of frozen predictions, which is in the private folder: one row, or none. Whoever receives the hash "
    "of its last line can check later that no line was edited or removed.",
    (
        integer("entries", "Frozen predictions.", low=1),
        integer(
            "missing",
            "Those of patients who are not in the cohort any more and were not withdrawn: they are not scored.",
        ),
        text("first", "When the first one was made: ISO 8601, UTC."),
        text("last", "When the last one was made."),
        text("head", "SHA-256 of the last line, which has the hash of the line before."),
    ),
)

APART = Table(
    "deployment/apart.csv",
    "Performance in patients whose prediction was not frozen before the outcome, though their center has frozen "
    "predictions; columns as in `evaluation/performance.csv`. No rows if there are none.",
    PERFORMANCE.columns,
    digits=PERFORMANCE.digits,
)
#: Files of a locked model that an update may change; all others are the parent's.
CHANGED = ("thresholds.csv", CARD)

PROSPECTIVE = Table(
    "{center}/prospective/predictions.csv",
    "Private: the predictions for the patients of a prospective center, with everything to be careful about.",
    (
        PATIENT,
        text("identifier", "Normalized patient identifier."),
        CENTER,
        text("scan_date", "Date of the scan, ISO 8601.", missing=True),
        _AT,
        _BUNDLE,
        MODEL,
        flag("main", "Whether the model heads the patient's sheet: `evaluation.primary_model`."),
        PROBABILITY,
        number("threshold", "Probability from which a patient is called cured.", missing=True),
        flag("called_cured", "Whether the probability is at or above the threshold.", missing=True),
        number("p_not_cured", "Conformal p value of not cured.", low=0, high=1, missing=True),
        number("p_cured", "Conformal p value of cured.", low=0, high=1, missing=True),
        text("prediction", "Outcomes that are not excluded; missing without calibration scores.", PredictionSet, missing=True),
        number("members_agree", "Share of the model's networks on its side of the threshold.", low=0, high=1, missing=True),
        flag("disagrees", "Whether the decision is another one than that of the main model.", missing=True),
        number("distance", "Distance of the embeddings from those of the training patients; above 1 is outside.", low=0),
        text("acquisition", "Variables outside of the training range, separated by spaces; empty if none."),
        flag("outside", "Whether the embeddings or the acquisition are outside."),
        text("quality", "What is unusual about the scan, separated by spaces; empty if nothing is."),
        flag("clinical_changed", "Whether clinical values changed since the prediction was frozen.", missing=True),
    ),
    key=("patient", "model"),
    private=True,
    digits=None,
)  # fmt: skip

#: What applying a locked model writes.
OF_APPLICATION = (APPLIED, APPLIED_PATIENTS, LOOKS, LEDGER, APART, PROSPECTIVE)
#: Tables of a locked model.
TABLES = (THRESHOLDS, REFERENCE, RANGES)


def inside(table: Table) -> str:
    """Return the path of a table in a locked model."""
    return table.path.removeprefix("model/")


FILES = (
    File("model/manifest.json", "Locked model: SHA-256 of every file and of the whole, config, versions, training cohort."),
    File("model/network/{member}/weights.safetensors", "Locked model: network with its normalization."),
    File(f"model/{SIGNATURE}", "Locked model: recalibration, selected features, heads and baselines with their imputation."),
    File(f"model/{FOREST}", "Locked model: the forest of the signature."),
    File(f"model/{DOMAIN}", "Locked model: distribution of the training patients' embeddings, of each member."),
    File(f"model/{CARD}", "Locked model: model card by the schema of the Coalition for Health AI (v0.2)."),
    File(f"model/{LICENSE}", "Locked model: the license."),
    File("updated/{center}/", "Updated locked model: the files of `model/` and `parent.json`, the manifest of the model that was updated (`make update`)."),
)  # fmt: skip


def contents(members: Iterable[str], *, updated: bool = False) -> set[str]:
    """Return the paths that a locked model with these members contains, but for its manifest.

    Parameters
    ----------
    members
        Names of the networks.
    updated
        Whether the model is an update of another one.
    """
    return {
        *([PARENT] if updated else []),
        *(weights(member) for member in members),
        *(inside(table) for table in TABLES),
        SIGNATURE,
        FOREST,
        DOMAIN,
        CARD,
        LICENSE,
    }
