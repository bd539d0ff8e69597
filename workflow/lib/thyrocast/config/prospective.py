"""Config of what a patient without an outcome gets from a locked model."""

from enum import StrEnum

from thyrocast.config.base import Block, option


class DicomPatient(StrEnum):
    """Whose name is in a DICOM object."""

    SOURCE = "source"
    PSEUDONYM = "pseudonym"


class ProspectiveConfig(Block):
    """Patients of prospective centers, with a locked model (docs/prospective.md)."""

    dicom: bool = option(
        "Write a DICOM structured report and the picture of the map for each patient, into the private folder.",
        False,
    )
    dicom_patient: DicomPatient = option(
        "Who the DICOM objects are about: `source` (patient and study of the scan are copied from its header, so "
        "that an archive files them with the scan; they identify the patient) or `pseudonym` (only the pseudonym; "
        "patient and study are others than those of the scan).",
        DicomPatient.SOURCE,
    )
    withdrawn: tuple[str, ...] = option(
        "Pseudonyms of patients whose frozen prediction is not used, for example because a wrong scan was "
        "sent. They are predicted again and scored apart; the ledger keeps the first prediction.",
        (),
    )
