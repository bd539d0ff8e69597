"""Tables of patients: registers, scans, images and the cohort."""

from collections.abc import Sequence

from thyrocast.contract.names import (
    AntithyroidDrug,
    Contradiction,
    DecidedBy,
    FileUse,
    FollowUp,
    Role,
    ScanKind,
    Sex,
    Smoking,
    Source,
    Status,
    ThyroidFunction,
    ThyroidState,
    ValueSource,
    ViewRule,
    ViewSource,
    YesNo,
)
from thyrocast.contract.readings import READING_SDS, READINGS
from thyrocast.contract.table import Column, Table, flag, integer, number, text

_PATIENT = text("patient", "Pseudonym: center and keyed hash of the identifier.")
_CENTER = text("center", "Center.")
_OUTCOME = integer("outcome", "1 cured, 0 not cured.", low=0, high=1, missing=True)

#: Clinical columns of a register and of the cohort.
CLINICAL = (
    text("sex", "Sex.", Sex, missing=True),
    number("age", "Age at therapy.", "years", missing=True),
    number("gland_mass", "Mass of the thyroid gland.", "g", missing=True),
    number("uptake_24h", "Iodine uptake 24 h after a tracer dose.", "percent", missing=True),
    number("activity", "Administered iodine-131 activity.", "MBq", missing=True),
    number("trab", "TSH-receptor antibodies.", "IU/L", missing=True),
    number("ft4", "Free thyroxine.", "pmol/L", missing=True),
    number("ft3", "Free triiodothyronine.", "pmol/L", missing=True),
    text("antithyroid_drug", "Drug before therapy.", AntithyroidDrug, missing=True),
    number("withdrawal_days", "Days from the last drug to therapy.", "days", missing=True),
    text("orbitopathy", "Orbitopathy.", YesNo, missing=True),
    text("smoking", "Smoking.", Smoking, missing=True),
)
#: How an outcome was decided.
DECISION = (
    text("function", "Thyroid function when the outcome was decided, in three states.",
         ThyroidFunction, missing=True),
    number("followup_months", "Time from therapy to what decided the outcome; a month has 30.4375 days.",
           "months", missing=True),
    text("decided_by", "What decided the outcome.", DecidedBy, missing=True),
)  # fmt: skip
#: How the scintigram was acquired.
ACQUISITION = (
    text("vendor", "Manufacturer of the camera.", missing=True),
    text("camera", "Model of the camera.", missing=True),
    text("collimator", "Collimator.", missing=True),
    integer("matrix", "Columns of the camera's matrix.", "pixels", missing=True),
    number("pixel_mm", "Pixel size, geometric mean of rows and columns.", "mm", missing=True),
    number("image_pixel_mm", "Pixel size of the standardized image.", "mm", missing=True),
    number("duration_s", "Duration of the frame.", "s", missing=True),
    number("tc_activity_mbq", "Injected technetium-99m activity.", "MBq", missing=True),
    number("delay_min", "Time from injection to image.", "min", missing=True),
    text("view_by", "What identified the anterior view.", missing=True),
    number("saturation", "Share of pixels at the largest value a pixel can have.", missing=True),
    number("centroid_x_mm", "Gland's centroid from mid-field, right positive.", "mm", missing=True),
    number("centroid_y_mm", "Gland's centroid from mid-field, down positive.", "mm", missing=True),
    flag("simulated", "Whether the header says that the image is simulated.", missing=True),
)  # fmt: skip
#: Amounts that injected activity, camera and scan time decide: the quality of an image, no predictors;
#: and how certain the quantities are.
QUALITY = (
    number("q_gross_counts", "Counts in the gland, background included.", "counts", missing=True),
    number("q_counts", "Net counts in the gland.", "counts", missing=True),
    number("q_rate", "Net count rate of the gland.", "counts/s", missing=True),
    number("q_snr", "Signal-to-noise ratio of the gland.", missing=True),
    number("q_score", "Probability that the image shows a thyroid.", missing=True),
    number("q_uptake_sd", "Standard deviation of the uptake.", "percent", missing=True),
    number("q_mass_sd", "Standard deviation of the mass.", "g", missing=True),
)
#: What is measured of the gland in the scintigram.
QUANTITIES = (
    number(
        "q_uptake",
        "Technetium uptake of the gland, corrected for attenuation and resolution.",
        "percent",
        missing=True,
    ),
    number("q_area_right", "Area of the right lobe.", "cm²", missing=True),
    number("q_area_left", "Area of the left lobe.", "cm²", missing=True),
    number("q_mass", "Mass estimated from areas and widths of the lobes.", "g", missing=True),
    number("q_asymmetry", "(right - left) / (right + left) counts.", missing=True),
    number(
        "q_heterogeneity",
        "Variation of counts in the lobes beyond noise and their thickness.",
        missing=True,
    ),
    number("q_to_background", "Mean counts of gland over background.", missing=True),
    number("q_to_salivary", "Mean counts of gland over salivary glands.", missing=True),
)

REGISTER = Table(
    "cohort/{center}/register.csv",
    "Every patient of a center's clinical table or images, included or excluded with the reason.",
    (
        _PATIENT,
        _CENTER,
        flag("included", "Whether the patient has everything that the study needs."),
        text("reason", "Why the patient is excluded; empty for included ones."),
        text("source", "Where the patient was found.", Source),
        text(
            "view_evidence", "The rule that identified the view of the best scan.", ViewRule, missing=True
        ),
        text("flags", "What is unusual about the best scan, separated by spaces.", missing=True),
        _OUTCOME,
        *CLINICAL,
        text("limits", "Clinical columns whose value is a limit of the laboratory, such as `<0.01`, separated by spaces.", missing=True),
        text("state", "Thyroid function when the outcome was decided, in five states.", ThyroidState, missing=True),
        *DECISION,
        text("follow_up", "Whether the outcome of an eligible patient is known; missing for others.",
             FollowUp, missing=True),
        flag("scanned", "Whether a scan could be chosen."),
    ),
    key=("patient",),
    digits=6,
)  # fmt: skip

DEFINITIONS = Table(
    "cohort/{center}/definitions.csv",
    "The outcome of every eligible patient of the clinical table under every definition of the outcome.",
    (
        _PATIENT,
        _CENTER,
        text("definition", "Name of the definition."),
        flag("main", "Whether models are trained with this definition."),
        _OUTCOME,
        *DECISION,
        text("reason", "Why there is no outcome; empty where there is one."),
    ),
    key=("patient", "definition"),
    digits=6,
)

RECORDS = Table(
    "cohort/{center}/jobs/{job}.csv",
    "Patients of one standardization job: how the image was acquired and what it shows.",
    (
        _PATIENT,
        flag("usable", "Whether one of the patient's scans could be standardized."),
        text("reason", "Why none could; empty for usable patients."),
        integer("rank", "Rank of the scan that was used, 0 for the best.", missing=True),
        *ACQUISITION,
        *QUALITY,
        *QUANTITIES,
        *READINGS,
        *READING_SDS,
        text("q_impossible", "Quantities that are missing because their value was physically impossible "
             "(an uptake of more than 100 %; counts that are multiples of a factor, as for a display), "
             "separated by spaces.", missing=True),
    ),
    key=("patient",),
    digits=6,
)  # fmt: skip

PATIENTS = Table(
    "cohort/patients.csv",
    "Every patient of every center, analyzed or excluded with the reason: that of the register, of the "
    "image, or of being the same person as another patient.",
    (
        _PATIENT,
        _CENTER,
        flag("analyzed", "Whether the patient is in the cohort."),
        text("reason", "Why the patient is excluded; empty for analyzed ones."),
    ),
    key=("patient",),
)

COHORT = Table(
    "cohort/cohort.csv",
    "The analyzed patients; row i belongs to image i.",
    (
        _PATIENT,
        _CENTER,
        text("role", "Role of the center.", Role),
        _OUTCOME,
        *DECISION,
        *CLINICAL,
        *ACQUISITION,
        *QUALITY,
        *QUANTITIES,
        *READINGS,
        *READING_SDS,
    ),
    key=("patient",),
    digits=6,
)

FOLLOW_UP = Table(
    "cohort/follow_up.csv",
    "Eligible patients with a scan: the analyzed, and those who are not analyzed only because their outcome is "
    "not known. Their images were not standardized, so some might have been excluded later.",
    (
        _PATIENT,
        _CENTER,
        text("follow_up", "Whether the outcome is known, and if not, why.", FollowUp),
        *CLINICAL,
    ),
    key=("patient",),
    digits=6,
)

WITHOUT_OUTCOME = Table(
    "cohort/without_outcome.csv",
    "Analyzed patients compared with those of `follow_up.csv` without an outcome. A difference above 0.1 "
    "of a standard deviation is often taken as imbalance (Austin, Stat Med 2009;28:3083).",
    (
        text("variable", "Clinical column, or center."),
        text("level", "Code, `missing` for patients without a value, or empty for a mean."),
        number("analyzed", "Mean, or share, in the analyzed.", missing=True),
        number("without", "Mean, or share, in those without an outcome.", missing=True),
        number("difference", "Standardized difference.", missing=True),
        integer("n_analyzed", "Analyzed patients with a value.", low=0),
        integer("n_without", "Patients without an outcome with a value.", low=0),
        text("status", "Whether there is a result.", Status),
        text("note", "Why there is none."),
    ),
    key=("variable", "level"),
    digits=6,
)

_SYRINGE = "the full dose syringe"
_RESIDUAL = "the syringe after injection"


def _syringe(name: str, what: str) -> Sequence[Column]:
    return (
        text(f"{name}_file", f"File with the image of {what}.", missing=True),
        integer(f"{name}_frame", "Frame of this image, from 0.", missing=True),
        number(f"{name}_s", "Duration of this image.", "s", missing=True),
        number(f"{name}_min", "Time from this image to the scan.", "min", missing=True),
    )


SCANS = Table(
    "{center}/scans.csv",
    "Private: the scans of included patients, best first, and keyed hashes that identify a person "
    "who is registered twice.",
    (
        _PATIENT,
        text("identifier", "Normalized patient identifier."),
        integer("rank", "0 for the best scan."),
        text("file", "Path of the file below the center's folder, percent-encoded."),
        text("stamp", "Size and time of the file.", missing=True),
        integer("days_before", "Days from the scan to the therapy.", "days", missing=True),
        text("frames", "Frames that are summed, from 0, separated by spaces."),
        text("kind", "Static frame, frames of a dynamic study, or a captured picture.", ScanKind),
        text("view_by", "What identified the anterior view.", ViewSource),
        text("view_evidence", "The rule that identified it.", ViewRule, missing=True),
        integer("turn", "Quarter turns that bring the head up."),
        number("row_mm", "Distance of rows; missing for a pinhole.", "mm", missing=True),
        number("column_mm", "Distance of columns; missing for a pinhole.", "mm", missing=True),
        text("spacing_by", "Where the pixel size comes from.", ValueSource, missing=True),
        number("duration_s", "Duration.", "s", missing=True),
        text("duration_by", "Where the duration comes from.", ValueSource, missing=True),
        number("tc_activity_mbq", "Injected technetium-99m activity.", "MBq", missing=True),
        text("activity_by", "Where the activity comes from.", ValueSource, missing=True),
        number("delay_min", "Time from injection to image.", "min", missing=True),
        text("delay_by", "Where this time comes from.", ValueSource, missing=True),
        text("vendor", "Manufacturer of the camera.", missing=True),
        text("camera", "Model of the camera.", missing=True),
        text("collimator", "Collimator.", missing=True),
        flag("simulated", "Whether the header says that the image is simulated."),
        text("flags", "Unusual properties of the scan, separated by spaces.", missing=True),
        *_syringe("syringe", _SYRINGE),
        *_syringe("residual", _RESIDUAL),
        text("person_identifier", "Keyed hash of the identifier alone.", missing=True),
        text("person_birth", "Keyed hash of birth date and sex.", missing=True),
        text("person_name", "Keyed hashes of each family name with each given name.", missing=True),
        text("person_given", "Keyed hashes of the given name: script (s), first letter (i), the word and those that differ by a letter (w).", missing=True),
        text("therapy_date", "Date of therapy, ISO 8601.", missing=True),
        text("scan_date", "Date of the scan, ISO 8601.", missing=True),
    ),
    key=("patient", "rank"),
    private=True,
    digits=None,
)  # fmt: skip

OUTCOMES = Table(
    "{center}/outcomes.csv",
    "Private: what each outcome was derived from.",
    (
        _PATIENT,
        text("identifier", "Normalized patient identifier.", missing=True),
        text("therapy_date", "Date of therapy, ISO 8601.", missing=True),
        text("visit_date", "Date of what decided the outcome, ISO 8601.", missing=True),
        text("state", "Thyroid function at that time, in five states.", ThyroidState, missing=True),
        text(
            "function",
            "Thyroid function at that time, in three states.",
            ThyroidFunction,
            missing=True,
        ),
        number("days", "Days from therapy to that time.", "days", missing=True),
        text("decided_by", "What decided the outcome.", DecidedBy, missing=True),
        _OUTCOME,
        text("reason", "Why there is no outcome; empty where there is one."),
    ),
    key=("patient",),
    private=True,
)

FILES = Table(
    "{center}/files.csv",
    "Private: every file of a center's export, whose it is, and what became of it.",
    (
        text("file", "Path of the file below the center's folder, percent-encoded."),
        text("patient", "Pseudonym; missing if the file does not name a patient.", missing=True),
        text("identifier", "Normalized patient identifier of the file.", missing=True),
        text(
            "verdict",
            "`used` is the best scan of an included patient; `candidate` has an anterior scan that "
            "is not the best one, or whose patient is excluded; `excluded` has none; `unreadable` "
            "is no DICOM image.",
            FileUse,
        ),
        text("reason", "Why the file is not used; empty for used files and for candidates that come "
             "after a better scan."),
        text("kind", "How its first anterior scan was acquired.", ScanKind, missing=True),
        text("view_by", "What identified the anterior view of this scan.", ViewSource, missing=True),
        text("view_evidence", "The rule that identified it.", ViewRule, missing=True),
        text("flags", "What is unusual about this scan, separated by spaces.", missing=True),
        text("frames", "Frames of this scan, from 0, separated by spaces.", missing=True),
    ),
    key=("file",),
    private=True,
)  # fmt: skip

CONTRADICTIONS = Table(
    "{center}/contradictions.csv",
    "Private: what contradicts itself in a patient's row and files; for the check page.",
    (
        _PATIENT,
        text("identifier", "Normalized patient identifier.", missing=True),
        text("kind", "What contradicts itself.", Contradiction),
        integer("row", "Row of the clinical table."),
        text("file", "Path of the file below the center's folder, percent-encoded.", missing=True),
        text("note", "In words, without the values."),
    ),
    key=("patient", "kind"),
    private=True,
)


def package(followup: Sequence[Column]) -> Table:
    """Return the table of a package that a center sends (`scripts/package_center.py`).

    Not part of a run.

    Parameters
    ----------
    followup
        Columns of visits and second treatments, which depend on the center.
    """
    return Table(
        "{center}/clinical.csv",
        "The patients of a package, as a clinical table for the config of another site.",
        (
            _PATIENT,
            text("therapy_date", "Date of therapy, the same for all, ISO 8601.", missing=True),
            text("outcome", "Outcome.", ("cured", "not cured"), missing=True),
            *CLINICAL,
            *followup,
        ),
        key=("patient",),
        digits=6,
    )


TABLES = (
    REGISTER,
    DEFINITIONS,
    RECORDS,
    PATIENTS,
    COHORT,
    FOLLOW_UP,
    WITHOUT_OUTCOME,
    SCANS,
    OUTCOMES,
    FILES,
    CONTRADICTIONS,
)
