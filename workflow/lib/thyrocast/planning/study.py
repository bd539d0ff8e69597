"""Check the files that a study's config names, and list the patients in its tables.

Imported by the launcher: standard library only, except for the config.
"""

import hashlib
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from thyrocast import identity
from thyrocast.config.center import CenterConfig
from thyrocast.config.choices import RANDOM, Architecture
from thyrocast.config.cohort import CohortConfig
from thyrocast.config.network import COMPACT_SIZE
from thyrocast.config.study import StudyConfig
from thyrocast.config.table import Quantity
from thyrocast.errors import InputError
from thyrocast.planning import exchanges, folders, pseudonyms, results
from thyrocast.planning.exports import Export
from thyrocast.planning.fingerprints import code_version, digest
from thyrocast.tables import clinical, plausible
from thyrocast.tables.table import Table


def check_inputs(study: StudyConfig) -> None:
    """Stop before any job if a folder, table or file that the config names is missing or not valid.

    Raises
    ------
    InputError
        With one line for each fault, naming center, key or column, and what was expected.
    """
    tables: dict[str, Table] = {}
    faults = [
        fault for center in study.centers for fault in _center_faults(center, study.cohort, tables)
    ]
    faults += [*_unit_faults(study, tables), *_file_faults(study)]
    if faults:
        raise InputError(faults[0] if len(faults) == 1 else "\n".join(["", *faults]))


def _center_faults(
    center: CenterConfig, cohort: CohortConfig, tables: dict[str, Table]
) -> Iterator[str]:
    """Yield what is wrong with a center's files; add its table, if it can be used."""
    where = f"center {center.name}"
    folder = Path(center.dicom)
    if not folder.is_dir():
        yield f"{where}, key dicom: there is no folder {folder}, expected the DICOM export"
    elif Path.cwd().resolve().is_relative_to(folder.resolve()):
        yield (
            f"{where}, key dicom: folder {center.dicom} contains the project itself, expected a folder "
            "with nothing but the center's DICOM export"
        )
    elif next(folders.walk(folder), None) is None:
        yield f"{where}, key dicom: folder {folder} contains no files, expected DICOM files"
    if not Path(center.clinical).is_file():
        yield f"{where}, key clinical: there is no file {center.clinical}, expected a table"
        return
    try:
        tables[center.name] = clinical.read_table(center, cohort).table
    except InputError as error:
        yield from (line for line in str(error).splitlines() if line)


def _unit_faults(study: StudyConfig, tables: Mapping[str, Table]) -> Iterator[str]:
    """Yield the quantities of a center that differ from other centers' as by another unit."""
    for quantity in Quantity:
        medians = {}
        for name, table in tables.items():
            column = table.quantity(quantity)
            if column and quantity not in study.center(name).accept.unusual_values:
                medians[name] = (column.factor, statistics.median(column.as_given.values()))
        for name, near in plausible.other_centers(quantity, medians).items():
            yield (
                f"center {name}, key units.{quantity}: the median is {medians[name][1]:.3g} "
                f"{getattr(study.center(name).units, quantity)}, far from the other centers' medians, "
                f"which {' or '.join(near)} would explain: set the unit, or list {quantity} in "
                "accept.unusual_values if it is right"
            )


def _file_faults(study: StudyConfig) -> Iterator[str]:
    weights = study.network.weights
    trains = study.model is None
    if trains and weights != RANDOM and not Path(weights).expanduser().is_file():
        yield f"key network.weights: there is no file {weights}, expected `random` or weights"
    if Path(study.pseudonym_key).expanduser().is_dir():
        yield f"key pseudonym_key: {study.pseudonym_key!r} is a folder, expected a file"
    yield from results.faults(study)
    yield from exchanges.faults(study)
    if study.simulation and not Path(study.simulation).is_file():
        yield (
            f"key simulation: there is no file {study.simulation}, expected the simulator's "
            "summary: run the simulation first"
        )


def pretraining(study: StudyConfig) -> dict[str, Any]:
    """Return all that determines a network that the rule `pretrain_network` makes for a study."""
    network, image = study.network, study.image
    # The compact network sees as many pixels whatever the image's size.
    compact = network.architecture is Architecture.COMPACT
    return {
        "architecture": network.architecture.value,
        "view": [COMPACT_SIZE if compact else image.size, image.field_mm],
        "settings": {k: v for k, v in network.simulation.plain().items() if k != "folder"},
        "code": code_version("pretrain_network"),
    }


def pretrained_file(study: StudyConfig, determined: Mapping[str, Any]) -> str:
    """Return the path of the pretrained network that `determined` determines."""
    name = f"{determined['architecture']}-{digest(determined)}"
    return f"{study.network.simulation.folder}/{name}.safetensors"


def patients(study: StudyConfig, name: str, export: Export) -> dict[str, str]:
    """Return the patients of a center's clinical table, in its order.

    Returns
    -------
    dict
        For each pseudonym, a hash that changes with the patient's row or files.
    """
    center = study.center(name)
    key = pseudonyms.key(study)
    table = clinical.read_cells(center)
    files = export.versions()
    found: dict[str, str] = {}
    for cell, row in zip(table.column(center.columns.patient), table.rows, strict=True):
        if cell:
            identifier = identity.normalize_identifier(cell, center.identifiers)
            patient = identity.pseudonym(key, name, identifier)
            seen = [found.get(patient, ""), *row, files.get(identifier, files[""])]
            found[patient] = hashlib.sha256("\0".join(seen).encode()).hexdigest()[:12]
    return found
