"""Draw the maps of a design, and compare their shares inside the gland with random places."""

import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.control_names import Curve
from thyrocast.contract.deployment import APPLIED_PATIENTS
from thyrocast.contract.site_names import APART
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
    applied: Path | None = None,
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
    applied
        Table `APPLIED_PATIENTS` of a locked model: whoever is scored apart has a picture, and is in no table.
    """
    apart = _apart(applied)
    place = pd.Index(io.read(COHORT, cohort)["patient"])
    pixels, glands = (np.load(file, mmap_mode="r") for file in (images, masks))
    explained: list[attention.Explained] = []
    found: dict[Table, list[pd.DataFrame]] = {RANDOMIZATION: [], CURVES: [], AGREEMENT: []}
    for split, file in gradcams.items():
        patients = io.read(GRADCAM, file)
        rows = place.get_indexer(patients["patient"])
        heat = np.load(maps[split], mmap_mode="r")
        kept = (~patients["patient"].isin(apart)).to_numpy()
        shown = patients[kept].reset_index(drop=True), heat if kept.all() else heat[kept]
        explained.append(attention.measure(split, *shown, glands, rows[kept]))
        random = np.load(randomized[split])
        random = random[:, kept] if random.shape[1] else random
        found[RANDOMIZATION].append(randomization.compare(split, random, glands, rows[kept], least))
        with np.load(compared[split], allow_pickle=False) as arrays:
            for table, rows_of in _compared(split, arrays, patients["patient"], kept, least):
                found[table].append(rows_of)
        draw(folder / split, patients["patient"].tolist(), rows, heat, pixels, glands)
    # A design without test patients has an empty folder.
    folder.mkdir(parents=True, exist_ok=True)
    written = {table: io.concat(table, parts) for table, parts in found.items()}
    written[SHARES] = io.concat(SHARES, [one.shares for one in explained])
    written[ATTENTION] = attention.summarize(design, explained, least)
    for table, rows_of in written.items():
        io.write(table, rows_of, tables / f"{table.name}.csv")


def _apart(applied: Path | None) -> list[str]:
    """Patients who are scored apart."""
    if applied is None:
        return []
    flagged = io.read(APPLIED_PATIENTS, applied)
    return flagged.loc[flagged["standing"].isin(APART), "patient"].to_list()


def _compared(
    split: str,
    arrays: Mapping[str, NDArray[Any]],
    patients: "pd.Series[str]",
    kept: NDArray[np.bool_],
    least: int,
) -> Iterator[tuple[Table, pd.DataFrame]]:
    """Yield `CURVES` and `AGREEMENT` of a split, of the patients who are kept, (n,)."""
    positions = arrays["positions"]
    names = patients.iloc[positions].to_numpy(object)
    chosen = kept[positions]
    areas = {curve: arrays[curve.value] for curve in Curve}
    first = len(areas[Curve.DELETION])
    counted = [str(name) for name in names[:first][chosen[:first]]]
    yield (
        CURVES,
        curves.table(
            split, counted, {curve: area[chosen[:first]] for curve, area in areas.items()}
        ),
    )
    methods = {
        name.removeprefix("method/"): _of(arrays[name], chosen)
        for name in arrays
        if name.startswith("method/")
    }
    yield AGREEMENT, agreement.compare(split, methods, arrays["members"][:, kept], least)


def _of(maps: NDArray[Any], chosen: NDArray[np.bool_]) -> NDArray[Any]:
    """Maps of the chosen patients, (n, ...); without maps if the method was not requested."""
    return maps[chosen] if len(maps) else maps


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
        applied=Path(snakemake.input.applied) if snakemake.input.applied else None,
    )
