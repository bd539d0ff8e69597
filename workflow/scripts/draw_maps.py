"""Draw the maps of a design, and compare their shares inside the gland with random places."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.control_names import Curve
from thyrocast.contract.splits import AGREEMENT, ATTENTION, CURVES, GRADCAM, RANDOMIZATION, SHARES
from thyrocast.contract.table import Table
from thyrocast.explanation import agreement, attention, curves, grids, pictures, randomization

if TYPE_CHECKING:
    from snakemake.script import snakemake

logger = logging.getLogger("thyrocast")
REPORT_EVERY_S = 20


def run(
    *,
    cohort: Path,
    images: Path,
    masks: Path,
    gradcams: Mapping[str, Path],
    maps: Mapping[str, Path],
    randomized: Mapping[str, Path],
    compared: Mapping[str, Path],
    tables: Path,
    folder: Path,
    design: str,
    least: int,
) -> None:
    """Write the tables of a design, and a picture of every test patient in each of its splits.

    Parameters
    ----------
    cohort, images, masks
        Files of the cohort.
    gradcams, maps, randomized, compared
        ``gradcam.csv``, ``maps.npy``, ``randomized.npy`` and ``compared.npz`` of each split.
    tables, folder
        Folders for the tables and the pictures.
    design
        Its name.
    least
        Smallest number of patients of a center that has numbers.
    """
    place = pd.Index(io.read(COHORT, cohort)["patient"])
    pixels, glands = (np.load(file, mmap_mode="r") for file in (images, masks))
    explained: list[attention.Explained] = []
    found: dict[Table, list[pd.DataFrame]] = {RANDOMIZATION: [], CURVES: [], AGREEMENT: []}
    for split, file in gradcams.items():
        patients = io.read(GRADCAM, file)
        rows = place.get_indexer(patients["patient"])
        heat = np.load(maps[split], mmap_mode="r")
        explained.append(attention.measure(split, patients, heat, glands, rows))
        random = np.load(randomized[split])
        found[RANDOMIZATION].append(randomization.compare(split, random, glands, rows, least))
        with np.load(compared[split], allow_pickle=False) as arrays:
            areas = {curve: arrays[curve.value] for curve in Curve}
            methods = [arrays[name] for name in arrays if name.startswith("method/")]
            others = [name.removeprefix("method/") for name in arrays if name.startswith("method/")]
            names = patients["patient"].iloc[arrays["positions"]].tolist()
            found[CURVES].append(curves.table(split, names[: len(areas[Curve.DELETION])], areas))
            found[AGREEMENT].append(
                agreement.compare(
                    split, dict(zip(others, methods, strict=True)), arrays["members"], least
                )
            )
        draw(folder / split, patients["patient"].tolist(), rows, heat, pixels, glands)
    # A design without test patients has an empty folder.
    folder.mkdir(parents=True, exist_ok=True)
    written = {table: io.concat(table, parts) for table, parts in found.items()}
    written[SHARES] = io.concat(SHARES, [one.shares for one in explained])
    written[ATTENTION] = attention.summarize(design, explained, least)
    for table, rows_of in written.items():
        io.write(table, rows_of, tables / f"{table.name}.csv")


def draw(
    folder: Path,
    patients: list[str],
    rows: NDArray[np.intp],
    maps: NDArray[np.float32],
    images: NDArray[np.float32],
    glands: NDArray[np.uint8],
) -> None:
    """Write a picture of every patient, named by pseudonym.

    Parameters
    ----------
    folder
        Where the pictures are written.
    patients
        n pseudonyms.
    rows
        (n,) rows of the patients in the cohort.
    maps
        (n, cells, cells).
    images, glands
        (N, size, size) of the cohort.
    """
    reported = time.monotonic()
    for i, (patient, row) in enumerate(zip(patients, rows, strict=True)):
        enlarged = grids.enlarge(maps[i], images.shape[-1])
        picture = pictures.overlay(np.asarray(images[row], np.float32), enlarged, glands[row] > 0)
        with fileio.atomic(folder / f"{patient}.png") as temporary:
            picture.save(temporary)
        if time.monotonic() - reported > REPORT_EVERY_S:
            reported = time.monotonic()
            logger.info("%s: %d of %d pictures", folder.name, i + 1, len(patients))


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    names = list(snakemake.params.splits)
    run(
        cohort=Path(snakemake.input.cohort),
        images=Path(snakemake.input.images),
        masks=Path(snakemake.input.masks),
        gradcams={s: Path(f) for s, f in zip(names, snakemake.input.gradcams, strict=True)},
        maps={s: Path(f) for s, f in zip(names, snakemake.input.maps, strict=True)},
        randomized={s: Path(f) for s, f in zip(names, snakemake.input.randomized, strict=True)},
        compared={s: Path(f) for s, f in zip(names, snakemake.input.compared, strict=True)},
        tables=Path(snakemake.output.shares).parent,
        folder=Path(snakemake.output.pictures),
        design=snakemake.wildcards.design,
        least=snakemake.params.least,
    )
