"""What to do about a reason for which patients are excluded."""

from dataclasses import dataclass
from enum import StrEnum

from thyrocast.tables import criteria


class Stage(StrEnum):
    """The step at which a patient was excluded."""

    TABLE = "table"
    ELIGIBILITY = "eligibility"
    OUTCOME = "outcome"
    SCAN = "scan"
    IMAGE = "image"


@dataclass(frozen=True)
class Advice:
    """Advice about a reason.

    Attributes
    ----------
    action
        What to do.
    technical
        Whether a correction of export, table or config may include these patients. Other reasons
        are facts about the patients, such as a short follow-up.
    """

    action: str
    technical: bool = True


_DEFAULT = {
    Stage.TABLE: Advice("Check the rows of these patients in the clinical table."),
    Stage.ELIGIBILITY: Advice(
        "Nothing to do if these patients are not in the study. The criteria are in `eligibility`.",
        False,
    ),
    Stage.OUTCOME: Advice("If these outcomes are known, enter them in the clinical table.", False),
    Stage.SCAN: Advice("Look at the files of these patients, and export them again if needed."),
    Stage.IMAGE: Advice("Look at these images: is the thyroid visible, and is it the right image?"),
}
# Reasons that name what differs or where, by how they begin.
_BEGINNINGS = {
    "contradictory identity": Advice(
        "Find out whose images these are. If two people share an identifier, separate them."
    ),
}
_SPECIFIC = {
    "not in the clinical table": Advice(
        "Add these patients to the table if they belong to the study; otherwise ignore this.", False
    ),
    "no identifier in the clinical table": Advice("Fill in the identifier in these rows."),
    "several different rows in the clinical table": Advice(
        "Keep one row per patient: delete or merge the others."
    ),
    "no identifier in the DICOM header": Advice(
        "Export these files with their PatientID, or remove them."
    ),
    "no images": Advice(
        "Export the scintigrams of these patients. If they are in the export, compare how table and "
        "images write the identifier (block `identifiers` of the config)."
    ),
    "outcome code not in the config": Advice(
        "Add the missing codes to `outcome.cured` or `outcome.not_cured` in the config."
    ),
    "second treatment not understood": Advice(
        "Write a date, yes or no into the column of the second treatment."
    ),
    "second treatment without a date": Advice(
        "Fill in the date of the second treatment; if the column means a treatment within a certain time, "
        "set `within`."
    ),
    "second treatment dated on or before the therapy": Advice(
        "Correct the date of the therapy or of the second treatment; an earlier treatment belongs into "
        "`eligibility`."
    ),
    "laboratory values are incomplete when the outcome is decided": Advice(
        "Fill in TSH and free T4 of these visits. Only if a missing value means a normal one, set "
        "`outcome.missing_lab: normal`."
    ),
    "laboratory values contradict each other when the outcome is decided": Advice(
        "Check these visits, and the units of `units.ft4` and `units.ft3`."
    ),
    "drug at the deciding visit not understood": Advice(
        "Add the codes of this column to `codes.antithyroid_drug` in the config."
    ),
    "view not stated": Advice(
        "Look at some of these images. If all are anterior, set `fallbacks.view: anterior`, or list "
        "the center's words in `views`."
    ),
    "a view other than anterior": Advice("Export the anterior view of these patients as well."),
    "pixel size not stated": Advice("Ask for the pixel size and set `fallbacks.pixel_mm`."),
    "a secondary capture": Advice(
        "Export the original images. Only if there are none, set `accept.secondary_capture`."
    ),
    "radionuclide not stated": Advice(
        "If all scans are with technetium-99m, set `fallbacks.radionuclide: tc99m`."
    ),
    "scans only after, or too near to, the therapy": Advice(
        "Compare the therapy date with the date of the scan; export the scan before therapy."
    ),
    "no scan within the window before the therapy": Advice(
        "Check the therapy date (day and month exchanged?), or widen `cohort.scan_window_days`."
    ),
    "too few counts in the gland": Advice(
        "Look at these images; compare with the table of `image.min_counts` below."
    ),
}  # fmt: skip


_CRITERION_UNKNOWN = Advice(
    "Fill in the column of this criterion. If an empty cell means that it is met, set its key "
    "`missing: include`; list codes that are not understood in the criterion."
)


def advice(reason: str, stage: Stage) -> Advice:
    """Return what to do about a reason; general advice for its step if there is no specific one."""
    if stage is Stage.ELIGIBILITY and reason.endswith(criteria.UNKNOWN):
        return _CRITERION_UNKNOWN
    for beginning, found in _BEGINNINGS.items():
        if reason.startswith(beginning):
            return found
    return _SPECIFIC.get(reason, _DEFAULT[stage])
