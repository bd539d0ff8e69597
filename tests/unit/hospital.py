"""A center on disk, and a cohort of several, computed as the rules compute them."""

from pathlib import Path
from typing import Any

import pandas as pd
from pydicom.dataset import Dataset

from tests.unit.example_scans import (
    center,
    cohort,
    image,
    neck,
    nm,
    save,
    table,
)
from thyrocast import identity
from thyrocast.cohort import registration as cohorts
from thyrocast.cohort.assembly import Inputs, Outputs
from thyrocast.cohort.assembly import assemble as assemble_cohort
from thyrocast.cohort.registration import Registration
from thyrocast.config.study import Outcomes
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT, SCANS
from thyrocast.image import standardize

KEY = b"k" * 32
SIZE = 32


def scan(identifier: str, seed: int = 1, **elements: Any) -> Dataset:
    return nm(neck(64, 4.0, seed=seed), PatientID=identifier, **elements)


class Hospital:
    """A center on disk that is registered, standardized and assembled as in a run."""

    def __init__(self, folder: Path, name: str = "north", **changes: Any) -> None:
        self.folder, self.name = folder / name, name
        columns = {
            "patient": "id", "outcome": "result", "therapy_date": "therapy",
            "birth_date": "birth", "sex": "sex",
        }  # fmt: skip
        changes = {"columns": columns, "eligibility": {"all_rows": True}} | changes
        self.dicom = self.folder / "dicom"
        clinical = str(self.folder / "table.csv")
        self.center = center(name=name, dicom=str(self.dicom), clinical=clinical, **changes)
        self.rows: list[dict[str, str]] = []

    def patient(self, identifier: str, result: str = "yes", **cells: str) -> None:
        row = {"therapy": "2020-02-01", "birth": "", "sex": "f"} | cells
        self.rows.append({"id": identifier, "result": result} | row)

    def scan(self, name: str, dataset: Dataset) -> Path:
        return save(dataset, self.dicom / name)

    def register(self, **settings: Any) -> Registration:
        table(Path(self.center.clinical), self.rows)
        return cohorts.register_center(self.center, cohort(**settings), KEY, self.folder / "index")

    def reasons(self, **settings: Any) -> list[tuple[str, str]]:
        """Identifier (``?`` for those that are not in the table) and reason of every row."""
        names = {identity.pseudonym(KEY, self.name, row["id"]): row["id"] for row in self.rows}
        register = self.register(**settings).register
        found = zip(register["patient"], register["reason"], strict=True)
        return [(names.get(patient, "?"), reason) for patient, reason in found]


def assemble(
    folder: Path,
    hospitals: list[Hospital],
    size: int = 100,
    outcomes: Outcomes = Outcomes.OBSERVED,
    **changes: Any,
) -> Path:
    """Run the three rules; return the folder with the cohort's files."""
    out = folder / "out"
    paths: dict[str, list[Path]] = {"registers": [], "scans": [], "images": [], "records": []}
    for hospital in hospitals:
        registration = hospital.register()
        register, scans = out / hospital.name / "register.csv", out / hospital.name / "scans.csv"
        cohorts.write(
            registration,
            register,
            scans.parent,
        )
        paths["registers"].append(register)
        paths["scans"].append(scans)
        everyone = registration.register["patient"].tolist()
        for at in range(0, len(everyone), size):
            results = standardize.standardize_job(
                everyone[at : at + size],
                io.read(SCANS, scans),
                hospital.dicom,
                hospital.center,
                image(size=SIZE),
            )
            job = out / hospital.name / f"{at}"
            standardize.write_job(results, SIZE, job.with_suffix(".npz"), job.with_suffix(".csv"))
            paths["images"].append(job.with_suffix(".npz"))
            paths["records"].append(job.with_suffix(".csv"))
    assemble_cohort(
        Inputs(**paths),
        Outputs(
            out / "cohort.csv",
            out / "patients.csv",
            out / "images.npy",
            out / "masks.npy",
            out / "follow_up.csv",
            out / "without_outcome.csv",
            flow=out / "flow.json",
        ),
        roles={h.name: h.center.role for h in hospitals},
        settings=cohort(**changes),
        outcomes=outcomes,
        seed=1,
    )
    return out


def read_cohort(folder: Path) -> pd.DataFrame:
    """The cohort in a folder that `assemble` returned."""
    return io.read(COHORT, folder / "cohort.csv")
