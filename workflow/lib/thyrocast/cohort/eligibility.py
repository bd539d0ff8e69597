"""Why a patient of a clinical table can't be in the study, before outcome and images are known."""

from thyrocast.tables.clinical import ClinicalPatient

NO_IDENTIFIER = "no identifier in the clinical table"
CONFLICTING_ROWS = "several different rows in the clinical table"
NOT_IN_TABLE = "not in the clinical table"
NO_PATIENT_ID = "no identifier in the DICOM header"


def exclusion(patient: ClinicalPatient) -> str:
    """Return the reason why a patient is excluded; "" for an eligible one."""
    if not patient.identifier:
        return NO_IDENTIFIER
    if patient.unreadable:
        return patient.unreadable
    return CONFLICTING_ROWS if patient.conflicting else patient.ineligible
