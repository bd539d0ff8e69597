"""The patients and images of all centers as one cohort."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap

from thyrocast import fileio, seeds
from thyrocast.cohort import duplicates, without_outcome
from thyrocast.config.cohort import CohortConfig
from thyrocast.config.study import Outcomes
from thyrocast.contract import cohort as contract
from thyrocast.contract import documents, io
from thyrocast.contract.columns import ACQUISITION, QUALITY, QUANTITIES, READING_SDS, READINGS
from thyrocast.contract.documents import CenterFlow, Flow
from thyrocast.contract.names import Role, Source
from thyrocast.errors import InputError

LOG = logging.getLogger("thyrocast")


@dataclass(frozen=True)
class Inputs:
    """Files of all centers.

    Attributes
    ----------
    registers, scans
        register.csv and the private scans.csv of every center.
    images, records
        npz and csv of every standardization job, in the same order.
    """

    registers: Sequence[Path]
    scans: Sequence[Path]
    images: Sequence[Path]
    records: Sequence[Path]


@dataclass(frozen=True)
class Outputs:
    """Files of the cohort.

    cohort.csv, patients.csv, images.npy, masks.npy, follow_up.csv, without_outcome.csv, flow.json.
    """

    cohort: Path
    patients: Path
    images: Path
    masks: Path
    follow_up: Path
    without_outcome: Path
    flow: Path


def assemble(
    inputs: Inputs,
    outputs: Outputs,
    roles: Mapping[str, str],
    settings: CohortConfig,
    outcomes: Outcomes,
    seed: int,
    smallest: int = 1,
) -> None:
    """Write the cohort, its images, the reason of each exclusion, and the flow of patients.

    Parameters
    ----------
    inputs, outputs
        Files.
    roles
        For each center its role, in the order of the config, which is also that of the cohort.
    settings
        The cohort's block of the config.
    outcomes, seed
        Whether the outcomes are permuted within each center, and the study's seed.
    smallest
        Fewest patients of a group that may be reported.

    Raises
    ------
    InputError
        If patients look like one person and the config does not say whether they are.
    """
    registered = [io.read(contract.REGISTER, path) for path in inputs.registers]
    register = io.concat(contract.REGISTER, registered)
    position = {center: n for n, center in enumerate(roles)}
    register = register.sort_values("center", key=lambda c: c.map(position), kind="stable")
    records = io.concat(contract.RECORDS, [io.read(contract.RECORDS, p) for p in inputs.records])
    scans = io.concat(contract.SCANS, [io.read(contract.SCANS, path) for path in inputs.scans])
    images = _locate(inputs.images)
    register["reason"] = _reasons(register, records, images)
    register["reason"] = _without_duplicates(register, scans, images, settings)
    included = register[register["reason"] == ""].merge(
        records[["patient", *ACQUISITION, *QUALITY, *QUANTITIES, *READINGS, *READING_SDS]],
        on="patient",
        how="left",
    )
    cohort = included.assign(role=included["center"].map(dict(roles)).astype("str"))
    cohort["outcome"] = _outcomes(cohort, outcomes, seed)
    io.write(contract.COHORT, cohort[list(contract.COHORT.names)], outputs.cohort)
    places = images.set_index("patient").loc[cohort["patient"]]
    _stack(places, inputs.images, "image", np.dtype(np.float32), outputs.images)
    _stack(places, inputs.images, "mask", np.dtype(np.uint8), outputs.masks)
    decided = register.assign(analyzed=register["reason"] == "")
    io.write(contract.PATIENTS, decided[list(contract.PATIENTS.names)], outputs.patients)
    followed = without_outcome.follow_up(register)
    io.write(contract.FOLLOW_UP, followed, outputs.follow_up)
    compared = without_outcome.compare(followed, smallest)
    io.write(contract.WITHOUT_OUTCOME, compared, outputs.without_outcome)
    documents.write(_flow(register, roles), outputs.flow)
    LOG.info("%d patients analyzed, %d cured", len(cohort), int((cohort["outcome"] == 1).sum()))


def _locate(images: Sequence[Path]) -> pd.DataFrame:
    """Return the place of each image: patient, job, row of the job's arrays, hash of the pixels."""
    found = []
    for job, path in enumerate(images):
        with np.load(path) as arrays:
            patients, digests = arrays["patient"].tolist(), arrays["digest"].tolist()
        part = pd.DataFrame({"patient": patients, "digest": digests, "job": job})
        # Without any image, the columns of texts would be numbers.
        found.append(part.astype({"patient": "str", "digest": "str"}))
    if not found:
        return pd.DataFrame({"patient": [], "digest": [], "job": [], "row": []})
    located = pd.concat(found, ignore_index=True)
    return located.assign(row=located.groupby("job").cumcount())


def _reasons(
    register: pd.DataFrame, records: pd.DataFrame, images: pd.DataFrame
) -> "pd.Series[str]":
    """Return why registration or standardization excluded each patient; "" if they did not.

    Raises
    ------
    InputError
        If an included patient has neither an image nor a reason. A change of other patients' data
        can include a patient (a birth date is no longer that of many); its job does not notice.
    """
    said = register["patient"].map(records.set_index("patient")["reason"]).replace("", np.nan)
    registered = (register["reason"] != "") | register["patient"].isin(images["patient"])
    forgotten = register.loc[~registered & said.isna(), "patient"].tolist()
    if forgotten:
        raise InputError(
            f"{len(forgotten)} included patients have no standardized image ({forgotten[0]} is the "
            "first), because data of other patients changed how theirs are read: run again with "
            "--forcerun standardize_images"
        )
    return register["reason"].where(registered, said)


def _without_duplicates(
    register: pd.DataFrame, scans: pd.DataFrame, images: pd.DataFrame, settings: CohortConfig
) -> "pd.Series[str]":
    """Return the reasons, with one for each patient who is the same person as another patient."""
    included = register.loc[register["reason"] == "", ["patient", "center"]]
    best = scans[scans["rank"] == 0]
    table = included.merge(best, on="patient", how="left").merge(images, on="patient", how="left")
    excluded = duplicates.resolve(duplicates.people(table), settings.duplicates, settings.distinct)
    return register["reason"].mask(register["patient"].isin(excluded), duplicates.REASON)


def _outcomes(cohort: pd.DataFrame, outcomes: Outcomes, seed: int) -> "pd.Series[Any]":
    """Return the outcomes as observed, or permuted within each center."""
    observed = cohort["outcome"]
    if outcomes is not Outcomes.SHUFFLED:
        return observed
    shuffled = observed.copy()
    for center, rows in cohort.groupby("center", sort=False):
        random = np.random.default_rng(seeds.derive(seed, "shuffled outcomes", str(center)))
        shuffled[rows.index] = observed[random.permutation(rows.index.to_numpy())].array
    return shuffled


def _stack(
    places: pd.DataFrame, images: Sequence[Path], name: str, kind: "np.dtype[Any]", path: Path
) -> None:
    """Write one array of all patients, with the arrays of one job in memory at a time.

    Parameters
    ----------
    places
        Columns ``job`` and ``row`` of each patient, in the order of the cohort.
    images
        npz of every job.
    name, kind
        Name of the array in the npz and dtype of the array that is written.
    path
        The array (n, S, S) that is written.
    """
    size = 0
    if images:
        with np.load(images[0]) as arrays:
            size = arrays[name].shape[-1]
    with fileio.atomic(path) as temporary:
        if places.empty:  # an empty file can't be mapped
            with temporary.open("wb") as file:
                np.save(file, np.zeros((0, size, size), kind))
            return
        shape = (len(places), size, size)
        stacked = open_memmap(temporary, mode="w+", dtype=kind, shape=shape)
        fileio.reserve(temporary)
        job_of = places["job"].to_numpy()
        row_of = places["row"].to_numpy()
        for job in np.unique(job_of):
            (targets,) = np.nonzero(job_of == job)
            with np.load(images[job]) as arrays:
                stacked[targets] = arrays[name][row_of[targets]]
        stacked.flush()
        del stacked


def _flow(register: pd.DataFrame, roles: Mapping[str, str]) -> Flow:
    """Return the numbers of the flow diagram; in every center, found = analyzed + all excluded."""
    by_center = dict(iter(register.groupby("center")))
    return Flow(
        centers={
            center: _counts(by_center.get(center, register.iloc[:0]), Role(role))
            for center, role in roles.items()
        }
    )


def _counts(rows: pd.DataFrame, role: Role) -> CenterFlow:
    analyzed = rows[rows["reason"] == ""]
    excluded = rows.loc[rows["reason"] != "", "reason"].value_counts()
    sources = rows["source"].value_counts()
    both, table, dicom = (
        int(sources.get(source, 0)) for source in (Source.BOTH, Source.CLINICAL, Source.DICOM)
    )
    return CenterFlow(
        role=role,
        found=len(rows),
        in_table=both + table,
        in_dicom=both + dicom,
        matched=both,
        excluded={str(reason): int(count) for reason, count in excluded.items()},
        analyzed=len(analyzed),
        cured=int((analyzed["outcome"] == 1).sum()),
    )
