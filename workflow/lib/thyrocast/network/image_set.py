"""Patients of a split with their images, which are read from disk when they are needed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.choices import Architecture
from thyrocast.contract.names import FULL, Set
from thyrocast.errors import InputError
from thyrocast.network.model import AS_IT_IS, Normalization

#: Images that are in memory at once.
CHUNK = 256


@dataclass(frozen=True)
class ImageSet:
    """Patients of a split or of a member, in the order of the split's rows, with their images.

    Attributes
    ----------
    patient
        (n,) pseudonyms.
    center
        (n,) centers.
    outcome
        (n,) 1 cured, 0 not cured, NaN if not known yet.
    row
        (n,) row of each patient in the cohort's images and masks.
    set
        (n,) set of each patient in the split, ``train`` or ``test``.
    fold
        (n,) fold of a training patient, from 1; 0 for test patients.
    gland_counts
        (n,) counts in the gland, background included; NaN if unknown.
    camera_pixel
        (n,) side of a pixel of the camera, in pixels of the image; NaN if unknown.
    images
        (N, size, size) images of the whole cohort, memory-mapped.
    """

    patient: NDArray[np.str_]
    center: NDArray[np.str_]
    outcome: NDArray[np.float64]
    row: NDArray[np.int64]
    set: NDArray[np.str_]
    fold: NDArray[np.int64]
    gland_counts: NDArray[np.float64]
    camera_pixel: NDArray[np.float64]
    images: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.patient)

    @property
    def size(self) -> int:
        """Pixels per side of an image."""
        return int(self.images.shape[-1])

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "ImageSet":
        """Keep the patients that a mask or positions select."""
        names = (field.name for field in fields(self) if field.name != "images")
        return ImageSet(**{n: getattr(self, n)[which] for n in names}, images=self.images)

    def load(self, positions: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """Read the images (k, size, size) of the patients at these positions."""
        return np.ascontiguousarray(self.images[self.row[positions]], dtype=np.float32)

    def chunks(self) -> Sequence[slice]:
        """Slices of at most `CHUNK` patients that together cover all."""
        return [slice(start, start + CHUNK) for start in range(0, len(self), CHUNK)]


def read_split(cohort: Path, images: Path, splits: Path, design: str, split: str) -> ImageSet:
    """Read all patients of one split, in the order of its rows in splits.csv.

    Parameters
    ----------
    cohort, splits
        The COHORT and the SPLITS table.
    images
        Array (N, size, size) of the cohort's images.
    design, split
        Which split of which design.

    Raises
    ------
    InputError
        If the split is unknown or contains a patient who is not in the cohort.
    """
    # Only here: training itself needs no tables.
    import pandas as pd

    from thyrocast.contract import io
    from thyrocast.contract.cohort import COHORT
    from thyrocast.contract.splits import SPLITS

    patients = io.read(COHORT, cohort)
    every = io.read(SPLITS, splits)
    chosen = every[(every["design"] == design) & (every["split"] == split)]
    if chosen.empty:
        raise InputError(f"{splits} has no rows for split {design}/{split}: run make_splits again")
    row = pd.Index(patients["patient"]).get_indexer(chosen["patient"])
    if (row < 0).any():
        raise InputError(
            f"{splits} contains patient {chosen['patient'].iloc[int(row.argmin())]} in split "
            f"{design}/{split}, who is not in {cohort}: run make_splits again"
        )
    pixels = np.load(images, mmap_mode="r")
    if len(pixels) != len(patients):
        raise InputError(
            f"{images} contains {len(pixels)} images, but {cohort} has {len(patients)} patients: "
            "run assemble_cohort again"
        )
    facts = patients.iloc[row]
    return ImageSet(
        patient=facts["patient"].to_numpy(dtype=str),
        center=facts["center"].to_numpy(dtype=str),
        outcome=facts["outcome"].to_numpy(dtype=np.float64, na_value=np.nan),
        row=row.astype(np.int64),
        set=chosen["set"].to_numpy(dtype=str),
        fold=chosen["fold"].to_numpy(dtype=np.int64, na_value=0),
        gland_counts=facts["q_gross_counts"].to_numpy(dtype=np.float64),
        camera_pixel=(facts["pixel_mm"] / facts["image_pixel_mm"]).to_numpy(dtype=np.float64),
        images=pixels,
    )


def training_set(split: ImageSet, member: str) -> ImageSet:
    """Select the patients on whom a member is trained.

    Parameters
    ----------
    split
        All patients of the split.
    member
        ``full`` for all training patients, ``fold-k`` for all but those of fold k.

    Raises
    ------
    InputError
        If the member is unknown or its patients do not have both outcomes.
    """
    mask = split.set == Set.TRAIN
    if member != FULL:
        fold = _left_out(member)
        if fold not in split.fold[mask]:
            raise InputError(f"member {member} is unknown: its split has no such fold")
        mask &= split.fold != fold
    chosen = split.take(mask)
    if np.isnan(chosen.outcome).any():
        patient = chosen.patient[np.isnan(chosen.outcome)][0]
        raise InputError(
            f"patient {patient} is a training patient without outcome: complete the outcome"
        )
    cured = int(chosen.outcome.sum())
    if min(cured, len(chosen) - cured) < 1:
        raise InputError(
            f"member {member} has {len(chosen)} training patients, {cured} of them cured: a network "
            "needs both outcomes; add a center or patients, or check the centers' outcome rules"
        )
    return chosen


def _left_out(member: str) -> int:
    """Number of the fold that a member ``fold-k`` is not trained on; 0 for any other name."""
    number = member.removeprefix("fold-")
    return int(number) if number.isdecimal() else 0


def hold_out(
    data: ImageSet, fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide training patients for early stopping, stratified by outcome.

    scikit-learn's splitters and `thyrocast.statistics.partition.hold_out` are not used: they select
    other patients for the same seed, and do not guarantee one patient of each outcome on both
    sides. The validation AUC needs both outcomes.

    Parameters
    ----------
    data
        Training patients of a member.
    fraction
        Share of each outcome that is held out, at least one patient.
    seed
        Determines who is held out.

    Returns
    -------
    fitted, held_out : ndarray of int
        Positions in `data`, sorted. Nobody is held out if `fraction` is 0 or an outcome has a
        single patient.
    """
    everyone = np.arange(len(data))
    groups = [everyone[data.outcome == outcome] for outcome in (0, 1)]
    if fraction == 0 or min(map(len, groups)) < 2:
        return everyone, everyone[:0]
    generator = np.random.default_rng(seed)
    held_out = np.concatenate(
        [generator.permutation(group)[: max(1, round(fraction * len(group)))] for group in groups]
    )
    return np.setdiff1d(everyone, held_out), np.sort(held_out)


def normalization_of(
    data: ImageSet, architecture: Architecture = Architecture.RESNET50
) -> Normalization:
    """Compute mean and standard deviation of the square root of these images, in chunks.

    The compact network sees the square root itself: its pretraining was on images of one scale.

    Raises
    ------
    InputError
        If the images are constant or not finite.
    """
    total = square = 0.0
    pixels = 0
    for part in data.chunks():
        root = np.sqrt(np.maximum(data.load(part), 0), dtype=np.float64)
        total += root.sum()
        square += np.square(root).sum()
        pixels += root.size
    mean = total / pixels
    std = max(square / pixels - mean**2, 0.0) ** 0.5
    if not np.isfinite(std) or std == 0:
        raise InputError(
            f"the images of {len(data)} training patients are constant or not finite: "
            "look at the quality columns of cohort.csv"
        )
    if architecture is Architecture.COMPACT:
        return AS_IT_IS
    return Normalization(float(mean), float(std))


def counts_per_unit(data: ImageSet, masks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the counts per unit of pixel intensity (n,); NaN if unknown.

    Parameters
    ----------
    data
        Patients with their images.
    masks
        (N, size, size) gland masks of the cohort.
    """
    factor = np.full(len(data), np.nan, dtype=np.float32)
    for part in data.chunks():
        gland = np.where(masks[data.row[part]] > 0, data.load(part), 0).sum(axis=(1, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            factor[part] = data.gland_counts[part] / gland
    factor[~np.isfinite(factor) | (factor <= 0)] = np.nan
    return factor
