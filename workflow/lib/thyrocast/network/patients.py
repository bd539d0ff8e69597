"""Which patients a member trains on, and their images without loading them all."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thyrocast.errors import InputError
from thyrocast.fileio import read_csv
from thyrocast.network.model import Normalization

CHUNK = 256


@dataclass(frozen=True)
class Patients:
    """Patients of a split or of a member, in the order of the split's rows.

    Attributes
    ----------
    name
        Pseudonyms (n,).
    center
        Centers (n,).
    outcome
        1 cured, 0 not cured, NaN where it is not known yet (n,).
    row
        Row of each patient in ``images`` and ``masks`` (n,).
    set, fold
        ``train`` or ``test``, and the fold as text, empty for test patients (n,).
    gland_counts
        Counts in the gland, NaN where unknown (n,).
    images
        The cohort's images (N, size, size), memory-mapped.
    """

    name: NDArray[np.str_]
    center: NDArray[np.str_]
    outcome: NDArray[np.float64]
    row: NDArray[np.int64]
    set: NDArray[np.str_]
    fold: NDArray[np.str_]
    gland_counts: NDArray[np.float64]
    images: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.name)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Patients":
        """Keep the patients that a mask or positions choose."""
        columns = ("name", "center", "outcome", "row", "set", "fold", "gland_counts")
        return Patients(**{c: getattr(self, c)[which] for c in columns}, images=self.images)

    def load(self, positions: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """Images (k, size, size) of the patients at these positions."""
        return np.ascontiguousarray(self.images[self.row[positions]], dtype=np.float32)


def read_split(cohort: Path, images: Path, splits: Path, design: str, split: str) -> Patients:
    """All patients of one split, in the order of its rows in splits.csv.

    Raises
    ------
    InputError
        If the split is unknown or names a patient that the cohort lacks.
    """
    rows = {row["patient"]: (index, row) for index, row in enumerate(read_csv(cohort))}
    chosen = [r for r in read_csv(splits) if r["design"] == design and r["split"] == split]
    if not chosen:
        raise InputError(f"{splits} has no rows for split {design}/{split}: run make_splits again")
    unknown = [r["patient"] for r in chosen if r["patient"] not in rows]
    if unknown:
        raise InputError(
            f"{splits} names patient {unknown[0]} in split {design}/{split}, whom {cohort} lacks: "
            "run make_splits again"
        )
    pixels = np.load(images, mmap_mode="r")
    if len(pixels) != len(rows):
        raise InputError(
            f"{images} holds {len(pixels)} images, but {cohort} has {len(rows)} patients: "
            "run assemble_cohort again"
        )
    facts = [rows[r["patient"]][1] for r in chosen]
    return Patients(
        name=np.array([r["patient"] for r in chosen], dtype=str),
        center=np.array([f["center"] for f in facts], dtype=str),
        outcome=np.array([_number(f, "outcome") for f in facts]),
        row=np.array([rows[r["patient"]][0] for r in chosen], dtype=np.int64),
        set=np.array([r["set"] for r in chosen], dtype=str),
        fold=np.array([r["fold"] for r in chosen], dtype=str),
        gland_counts=np.array([_number(f, "q_counts") for f in facts]),
        images=pixels,
    )


def _number(row: Mapping[str, str], column: str) -> float:
    return float(row.get(column) or "nan")


def training_patients(split: Patients, member: str) -> Patients:
    """Patients that a member may learn from: ``full`` all, ``fold-k`` all but fold k.

    Raises
    ------
    InputError
        If the member is unknown or its patients don't show both outcomes.
    """
    mask = split.set == "train"
    if member != "full":
        fold = member.removeprefix("fold-")
        if fold not in split.fold[mask]:
            raise InputError(f"member {member} is unknown: its split has no such fold")
        mask &= split.fold != fold
    chosen = split.take(mask)
    cured = int(np.nansum(chosen.outcome))
    if np.isnan(chosen.outcome).any():
        patient = chosen.name[np.isnan(chosen.outcome)][0]
        raise InputError(f"patient {patient} is a training patient without outcome: fill it in")
    if min(cured, len(chosen) - cured) < 1:
        raise InputError(
            f"member {member} has {len(chosen)} training patients, {cured} of them cured: a network "
            "needs both outcomes; add a center or patients, or check the centers' outcome rules"
        )
    return chosen


def hold_out(
    patients: Patients, fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions that are fitted and that watch for early stopping, stratified by outcome.

    Every outcome stays on both sides; where one has a single patient, nobody watches.
    """
    everyone = np.arange(len(patients))
    groups = [everyone[patients.outcome == outcome] for outcome in (0, 1)]
    if fraction == 0 or min(map(len, groups)) < 2:
        return everyone, everyone[:0]
    generator = np.random.default_rng(seed)
    watching = np.concatenate(
        [generator.permutation(group)[: max(1, round(fraction * len(group)))] for group in groups]
    )
    return np.setdiff1d(everyone, watching), np.sort(watching)


def measure(patients: Patients) -> Normalization:
    """Mean and standard deviation of the square root of these patients' images, by chunks."""
    total = square = 0.0
    pixels = 0
    for start in range(0, len(patients), CHUNK):
        root = np.sqrt(np.maximum(patients.load(slice(start, start + CHUNK)), 0), dtype=np.float64)
        total += root.sum()
        square += np.square(root).sum()
        pixels += root.size
    mean = total / pixels
    std = max(square / pixels - mean**2, 0.0) ** 0.5
    if not np.isfinite(std) or std == 0:
        raise InputError(
            f"the images of {len(patients)} training patients are constant or not finite: "
            "look at the quality columns of cohort.csv"
        )
    return Normalization(float(mean), float(std))


def counts_per_unit(patients: Patients, masks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Find the counts that one unit of pixel intensity stands for (n,); NaN where unknown."""
    factor = np.full(len(patients), np.nan, dtype=np.float32)
    for start in range(0, len(patients), CHUNK):
        part = slice(start, start + CHUNK)
        gland = np.where(masks[patients.row[part]] > 0, patients.load(part), 0).sum(axis=(1, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            factor[part] = patients.gland_counts[part] / gland
    factor[~np.isfinite(factor) | (factor <= 0)] = np.nan
    return factor
