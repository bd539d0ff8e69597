"""Write a center's included patients as a package for a study at another site."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydicom.filewriter import dcmwrite

from thyrocast import fileio
from thyrocast.cohort.deidentify import (
    THERAPY_DAY,
    RefusedError,
    best_scans,
    dataset_of,
    pictures_of,
)
from thyrocast.cohort.registration import Registration, register_center
from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.contract import cohort as contract
from thyrocast.contract import io
from thyrocast.contract.columns import CLINICAL
from thyrocast.contract.names import OutcomeRule, Role
from thyrocast.dicom.pixels import PixelError

LOG = logging.getLogger("thyrocast")


def package_center(
    center: CenterConfig, cohort: CohortConfig, key: bytes, index: Path, target: Path, threads: int
) -> int:
    """Register a center and write its package; see `write_package`.

    Parameters
    ----------
    center, cohort
        The center's block and the cohort's block of the config.
    key, target
        As in `write_package`.
    index, threads
        As in `thyrocast.cohort.registration.register_center`.
    """
    registration = register_center(center, cohort, key, index, threads)
    return write_package(registration, center, key, target)


def write_package(
    registration: Registration, center: CenterConfig, key: bytes, target: Path
) -> int:
    """Write the package of a center's included patients.

    Parameters
    ----------
    registration
        As `thyrocast.cohort.registration.register_center` returns it.
    center
        The center's block of the config.
    key
        Secret of the pseudonyms; unique identifiers are derived from it too.
    target
        Folder for ``dicom/``, ``clinical.csv`` and ``center.yaml``, the block for another config.

    Returns
    -------
    int
        Number of patients in the package; patients who are left out are logged.
    """
    written = []
    for scan in best_scans(registration):
        try:
            objects = pictures_of(scan, Path(center.dicom))
        except (RefusedError, PixelError) as error:
            LOG.warning("%s is not in the package: %s", scan.patient, error)
            continue
        for number, picture in enumerate(objects, 1):
            dataset = dataset_of(picture, scan, key, number)
            path = target / "dicom" / scan.patient / f"{number}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            with fileio.atomic(path) as temporary:
                dcmwrite(temporary, dataset, enforce_file_format=True)
        written.append(scan.patient)
    io.write(contract.PACKAGE, _clinical_table(registration, written), target / "clinical.csv")
    with fileio.atomic(target / "center.yaml") as temporary:
        temporary.write_text(
            yaml.safe_dump({"centers": [_block(center)]}, sort_keys=False), encoding="utf-8"
        )
    return len(written)


def _clinical_table(registration: Registration, patients: list[str]) -> pd.DataFrame:
    register = registration.register.set_index("patient").loc[patients].reset_index()
    best = registration.scans[registration.scans["rank"] == 0].set_index("patient")
    dated = best["therapy_date"].reindex(register["patient"]).notna().to_numpy(bool)
    return pd.DataFrame(
        {
            "patient": register["patient"],
            "therapy_date": [THERAPY_DAY.isoformat() if known else None for known in dated],
            "outcome": register["outcome"].map({1: "cured", 0: "not cured"}).astype("str"),
            **{name: register[name] for name in CLINICAL},
        }
    )


def _block(center: CenterConfig) -> dict[str, Any]:
    name = center.name
    block: dict[str, Any] = {
        "name": name,
        "role": center.role.value,
        "dicom": f"{name}/dicom",
        "clinical": f"{name}/clinical.csv",
        "columns": {column: column for column in contract.PACKAGE.names},
    }
    if center.role is not Role.PROSPECTIVE:
        rule = OutcomeRule.GIVEN.value
        block["outcome"] = {"rule": rule, "cured": ["cured"], "not_cured": ["not cured"]}
    return block
