"""What is known about a center before training, read from the files of its registration and images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from thyrocast.config.center import CenterConfig
from thyrocast.config.check import CheckConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.config.image import ImageConfig
from thyrocast.contract import documents, io
from thyrocast.contract.cohort import CONTRADICTIONS, FILES, OUTCOMES, RECORDS, REGISTER, SCANS
from thyrocast.contract.documents import Understanding
from thyrocast.contract.names import Source


@dataclass(frozen=True)
class Settings:
    """What the config says about a check.

    Attributes
    ----------
    study
        Name of the study.
    center, check, cohort, image
        Blocks of the config.
    smallest
        Smallest number of patients that a public page shows.
    """

    study: str
    center: CenterConfig
    check: CheckConfig
    cohort: CohortConfig
    image: ImageConfig
    smallest: int


@dataclass(frozen=True)
class CenterFiles:
    """Files of one center; those of another center may not exist yet.

    Attributes
    ----------
    register, scans
        register.csv and the private scans.csv.
    private
        Folder of the other private tables; None for another center.
    images, records
        npz and csv of every standardization job, in the same order.
    """

    register: Path
    scans: Path
    private: Path | None = None
    images: Sequence[Path] = ()
    records: Sequence[Path] = ()


@dataclass(frozen=True)
class Other:
    """What is compared with another center.

    Attributes
    ----------
    register, scans
        Its tables.
    digests
        Hash of the camera's pixels of each of its patients.
    """

    register: pd.DataFrame
    scans: pd.DataFrame
    digests: Mapping[str, str]


@dataclass(frozen=True)
class Center:
    """A center as it was registered and standardized.

    Attributes
    ----------
    settings
        What the config says.
    register, outcomes, scans, files, contradictions, records
        Its tables.
    understanding
        What was understood of its clinical table.
    images
        npz of every standardization job.
    digests
        Hash of the camera's pixels of each patient with an image.
    others
        The other centers by name.
    """

    settings: Settings
    register: pd.DataFrame
    outcomes: pd.DataFrame
    scans: pd.DataFrame
    files: pd.DataFrame
    contradictions: pd.DataFrame
    records: pd.DataFrame
    understanding: Understanding
    images: Sequence[Path]
    digests: Mapping[str, str]
    others: Mapping[str, Other] = field(default_factory=dict)

    @property
    def config(self) -> CenterConfig:
        """The center's block of the config."""
        return self.settings.center

    @property
    def name(self) -> str:
        """Name of the center."""
        return self.config.name

    @property
    def used(self) -> pd.DataFrame:
        """The scan that each patient with an image got: its row of SCANS with that of RECORDS."""
        usable = self.records[self.records["usable"]]
        return usable.merge(
            self.scans, on=["patient", "rank"], how="inner", suffixes=("", "_header")
        )

    @property
    def identifiers(self) -> dict[str, str]:
        """Identifier of each patient of table or images, by pseudonym; private."""
        known = pd.concat(
            [table[["patient", "identifier"]] for table in (self.files, self.outcomes)]
        )
        known = known.dropna()
        return dict(zip(known["patient"], known["identifier"], strict=True))

    def reasons(self) -> "pd.Series[Any]":
        """Return why each patient has no image, by pseudonym; "" for those who have one."""
        found = self.register.set_index("patient")["reason"]
        unusable = self.records.loc[~self.records["usable"]].set_index("patient")["reason"]
        return found.where(found != "", unusable.reindex(found.index).fillna(""))


def in_table(register: pd.DataFrame) -> pd.DataFrame:
    """Return the patients of the clinical table."""
    return register[register["source"] != Source.DICOM]


def read(settings: Settings, files: CenterFiles, others: Mapping[str, CenterFiles]) -> Center:
    """Read a center's files and what is compared with the other centers."""
    if files.private is None:
        raise TypeError("the checked center needs its private tables")
    return Center(
        settings=settings,
        register=io.read(REGISTER, files.register),
        outcomes=io.read(OUTCOMES, files.private / "outcomes.csv"),
        scans=io.read(SCANS, files.scans),
        files=io.read(FILES, files.private / "files.csv"),
        understanding=documents.read(Understanding, files.private / "understanding.json"),
        contradictions=io.read(CONTRADICTIONS, files.private / "contradictions.csv"),
        records=io.concat(RECORDS, [io.read(RECORDS, path) for path in files.records]),
        images=files.images,
        digests=_digests(files.images),
        others={
            other: Other(
                io.read(REGISTER, paths.register),
                io.read(SCANS, paths.scans),
                _digests(paths.images),
            )
            for other, paths in others.items()
        },
    )


def _digests(images: Sequence[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in images:
        with np.load(path) as arrays:
            found |= dict(zip(arrays["patient"].tolist(), arrays["digest"].tolist(), strict=True))
    return found
