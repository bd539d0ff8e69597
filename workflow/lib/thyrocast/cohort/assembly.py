"""Gathering the centers' patients and images into one cohort."""

import collections
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from thyrocast import fileio, seeds
from thyrocast.cohort import duplicates
from thyrocast.cohort.duplicates import Person
from thyrocast.contract import columns as contract_columns

LOG = logging.getLogger("thyrocast")
Row = dict[str, str]

COHORT = (
    "patient", "center", "role", "outcome",
    *contract_columns.CLINICAL, *contract_columns.ACQUISITION, *contract_columns.QUANTITIES,
)  # fmt: skip


def assemble(
    registers: Sequence[Path],
    scans: Sequence[Path],
    images: Sequence[Path],
    records: Sequence[Path],
    roles: Mapping[str, str],
    settings: Mapping[str, Any],
    outcomes: str,
    seed: int,
    cohort: Path,
    images_out: Path,
    masks_out: Path,
    flow: Path,
) -> None:
    """Write cohort.csv, images.npy, masks.npy and flow.json.

    Parameters
    ----------
    registers, scans
        register.csv and the private scans.csv of every center.
    images, records
        npz and csv of every standardization job, in the same order.
    roles
        Center -> role, in the config's order, which is the cohort's.
    settings
        The cohort's block of the config.
    outcomes, seed
        ``shuffled`` permutes the outcomes within each center.

    Raises
    ------
    InputError
        If patients look like one person and the config does not say what they are.
    """
    register = _by_center([row for path in registers for row in fileio.read_csv(path)], roles)
    record = {row["patient"]: row for path in records for row in fileio.read_csv(path)}
    place, digests = _locate(images)
    reasons = _reasons(register, record, place)
    analysed = [row for rows in register.values() for row in rows if not reasons[row["patient"]]]
    people = _people(analysed, scans, digests)
    for patient, reason in duplicates.resolve(
        people, settings["duplicates"], settings["distinct"]
    ).items():
        reasons[patient] = reason
    analysed = [row for row in analysed if not reasons[row["patient"]]]
    labels = _labels(analysed, outcomes, seed)
    fileio.write_csv(
        cohort,
        COHORT,
        [
            {**record[row["patient"]], **row, "role": roles[row["center"]], "outcome": label}
            for row, label in zip(analysed, labels, strict=True)
        ],
    )
    order = [row["patient"] for row in analysed]
    _stack(order, images, place, "image", images_out)
    _stack(order, images, place, "mask", masks_out)
    fileio.write_json(flow, {"centers": _flow(register, reasons, roles)})
    LOG.info("%d patients analysed, %d cured", len(labels), labels.count("1"))


def _by_center(rows: Sequence[Row], roles: Mapping[str, str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {center: [] for center in roles}
    for row in rows:
        found[row["center"]].append(row)
    return found


def _locate(images: Sequence[Path]) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
    """Where each patient's image is (job, row), and the hash of its pixels."""
    place: dict[str, tuple[int, int]] = {}
    digests: dict[str, str] = {}
    for job, path in enumerate(images):
        with np.load(path) as held:
            for row, (patient, digest) in enumerate(
                zip(held["patient"].tolist(), held["digest"].tolist(), strict=True)
            ):
                place[patient] = (job, row)
                digests[patient] = digest
    return place, digests


def _reasons(
    register: Mapping[str, Sequence[Row]],
    record: Mapping[str, Row],
    place: Mapping[str, tuple[int, int]],
) -> dict[str, str]:
    reasons = {}
    for rows in register.values():
        for row in rows:
            patient = row["patient"]
            reason = row["reason"]
            if not reason and patient not in place:
                reason = record.get(patient, {}).get("reason") or "not standardized"
            reasons[patient] = reason
    return reasons


def _people(
    analysed: Sequence[Row], scans: Sequence[Path], digests: Mapping[str, str]
) -> list[Person]:
    first = {
        row["patient"]: row for path in scans for row in fileio.read_csv(path) if row["rank"] == "0"
    }
    return [
        Person(
            row["patient"],
            row["center"],
            first[row["patient"]]["person_identifier"],
            first[row["patient"]]["person_birth"],
            first[row["patient"]]["therapy_date"],
            digests[row["patient"]],
        )
        for row in analysed
    ]


def _labels(analysed: Sequence[Row], outcomes: str, seed: int) -> list[str]:
    labels = [row["outcome"] for row in analysed]
    if outcomes != "shuffled":
        return labels
    for center in dict.fromkeys(row["center"] for row in analysed):
        at = [n for n, row in enumerate(analysed) if row["center"] == center]
        drawn = np.random.default_rng(seeds.derive(seed, "shuffled outcomes", center)).permutation(
            np.array(at)
        )
        values = [labels[n] for n in drawn.tolist()]
        for n, value in zip(at, values, strict=True):
            labels[n] = value
    return labels


def _stack(
    order: Sequence[str],
    images: Sequence[Path],
    place: Mapping[str, tuple[int, int]],
    name: str,
    path: Path,
) -> None:
    """Write one array of all patients, job by job, never holding more than one job's."""
    of_job: dict[int, list[tuple[int, int]]] = collections.defaultdict(list)
    for target, patient in enumerate(order):
        job, row = place[patient]
        of_job[job].append((target, row))
    kind = np.dtype(np.float32 if name == "image" else np.uint8)
    size = 0
    if images:
        with np.load(images[0]) as held:
            size = held[name].shape[-1]
    with fileio.atomic(path) as temporary:
        if not order:  # nothing can be mapped into no bytes
            with temporary.open("wb") as file:
                np.save(file, np.zeros((0, size, size), kind))
            return
        stacked = open_memmap(temporary, mode="w+", dtype=kind, shape=(len(order), size, size))
        for job, moves in sorted(of_job.items()):
            with np.load(images[job]) as held:
                values = held[name]
            targets, rows = np.array(moves).T
            stacked[targets] = values[rows]
        stacked.flush()
        del stacked


def _flow(
    register: Mapping[str, Sequence[Row]], reasons: Mapping[str, str], roles: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Numbers of the flow diagram: found = analysed + all excluded, for every center."""
    flow = {}
    for center, rows in register.items():
        excluded = collections.Counter(
            reasons[row["patient"]] for row in rows if reasons[row["patient"]]
        )
        analysed = [row for row in rows if not reasons[row["patient"]]]
        sources = collections.Counter(row["source"] for row in rows)
        flow[center] = {
            "role": roles[center],
            "found": len(rows),
            "in_table": sources["both"] + sources["clinical"],
            "in_dicom": sources["both"] + sources["dicom"],
            "matched": sources["both"],
            "excluded": dict(excluded),
            "analysed": len(analysed),
            "cured": sum(row["outcome"] == "1" for row in analysed),
        }
    return flow
