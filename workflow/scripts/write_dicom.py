"""Write the predictions of a prospective center as DICOM objects: two for each patient."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log
from thyrocast.config.prospective import DicomPatient
from thyrocast.contract import deployment, io
from thyrocast.dicom.names import unquote_name
from thyrocast.prospective import dicom_objects, overview

if TYPE_CHECKING:
    from snakemake.script import snakemake

logger = logging.getLogger("thyrocast")
#: What a header with odd values makes pydicom and highdicom raise.
_ODD = (InvalidDicomError, OSError, AttributeError, KeyError, TypeError, ValueError)


def run(
    table: Path,
    patients: Path,
    scans: Path,
    records: Sequence[Path],
    pictures: Path,
    export: Path,
    about: DicomPatient,
    folder: Path,
    simulated: bool,
) -> None:
    """Write ``<pseudonym>-report.dcm`` and ``<pseudonym>-map.dcm`` of every patient with a picture.

    Parameters
    ----------
    table
        Private table `PROSPECTIVE`.
    patients
        Table `APPLIED_PATIENTS`.
    scans, records
        As in `overview.used_scans`.
    pictures
        Folder below which the pictures of the maps are.
    export
        The center's folder of DICOM files.
    about
        Who the objects are about.
    folder
        Where they are written.
    simulated
        Whether the model learned from simulated patients.
    """
    fileio.private_folder(folder)
    rows = io.read(deployment.PROSPECTIVE, table)
    images = io.read(deployment.APPLIED_PATIENTS, patients).set_index("patient")["image"]
    used = overview.used_scans(scans, records).set_index("patient")
    found = {file.stem: file for file in sorted(pictures.rglob("*.png"))}
    written = 0
    for patient, own in rows.groupby("patient", sort=False):
        name = str(patient)
        if name not in found:
            logger.warning("patient %s: no picture of the map, so there are no DICOM objects", name)
            continue
        scan = used.loc[name]
        try:
            source = None
            if about is DicomPatient.SOURCE:
                source = header(export / unquote_name(str(scan["file"])))
            frames = [int(frame) + 1 for frame in str(scan["frames"]).split()]
            prediction = dicom_objects.Prediction(own, str(images[name]), source, frames, simulated)
            capture = dicom_objects.capture(prediction, found[name].read_bytes())
            objects = {"map": capture, "report": dicom_objects.report(prediction, capture)}
        except _ODD as error:
            # Neither the text of the error nor the file's name: both may identify the patient.
            logger.warning(
                "center %s, patient %s: the header of the scan (its file is in the private scans.csv) does not allow DICOM "
                "objects (%s), so there are none: export it again, or set prospective.dicom_patient to pseudonym",
                own["center"].iloc[0],
                name,
                type(error).__name__,
            )
            continue
        for kind, made in objects.items():
            path = folder / f"{name}-{kind}.dcm"
            with fileio.atomic(path, fileio.private_mode(path)) as temporary:
                made.save_as(temporary)
        written += 1
    logger.info("%d of %d patients have DICOM objects", written, rows["patient"].nunique())


def header(file: Path) -> Dataset:
    """Return the header of a scan.

    Raises
    ------
    InvalidDicomError
        If the file has no identifiers of study, series and image, to which the objects refer.
    """
    found = pydicom.dcmread(file, stop_before_pixels=True)
    for name in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        if not found.get(name):
            raise InvalidDicomError(f"there is no {name}")
    return found


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    given = snakemake.input
    run(
        Path(given.table),
        Path(given.patients),
        Path(given.scans),
        [Path(file) for file in given.records],
        Path(given.pictures),
        Path(snakemake.params.export),
        DicomPatient(snakemake.params.about),
        Path(snakemake.output.objects),
        snakemake.params.simulated,
    )
