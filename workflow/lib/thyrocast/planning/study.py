"""Who is in the study and what must be computed for it, known when the workflow is parsed.

Imported by the launcher: standard library only (beside the config's own checks).
"""

import csv
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from thyrocast import fileio, identity
from thyrocast.cohort import rule
from thyrocast.errors import InputError
from thyrocast.planning import exports
from thyrocast.planning.exports import Export
from thyrocast.planning.spreadsheet import read_sheet

Center = Mapping[str, Any]
Config = Mapping[str, Any]


def check_inputs(config: Config) -> None:
    """Stop before any job if a center's folder or table is not there or can't be what it should.

    Raises
    ------
    InputError
        With one line for each fault, naming center, key or column, and what was expected.
    """
    faults: list[str] = []
    for center in config["centers"]:
        faults += _center_faults(center)
    faults += _design_faults(config)
    faults += _evaluation_faults(config["evaluation"])
    faults += _file_faults(config)
    if faults:
        raise InputError(faults[0] if len(faults) == 1 else "\n".join(["", *faults]))


def _center_faults(center: Center) -> list[str]:
    where = f"center {center['name']}"
    folder = Path(center["dicom"])
    faults = []
    if center["name"] == "all":
        faults.append(f"{where}, key name: `all` stands for all splits together, expected another")
    if not folder.is_dir():
        faults.append(f"{where}, key dicom: there is no folder {folder}, expected the DICOM export")
    elif next(exports.files(folder), None) is None:
        faults.append(f"{where}, key dicom: folder {folder} holds no files, expected DICOM files")
    try:
        rule.check_rule(center)
    except InputError as error:
        faults.append(str(error))
    if not Path(center["clinical"]).is_file():
        faults.append(
            f"{where}, key clinical: there is no file {center['clinical']}, expected a table"
        )
        return faults
    try:
        table = read_sheet(center["clinical"], center.get("sheet"), center.get("encoding"))
    except InputError as error:
        return [*faults, f"{where}: {error}"]
    for key, name in rule.columns(center).items():
        if name not in table.header:
            faults.append(
                f"{where}, key {key}: table {center['clinical']} has no column {name!r}, "
                f"expected one of {', '.join(map(repr, table.header))}"
            )
    identifier = center["columns"].get("patient")
    if identifier in table.header and not any(table.column(identifier)):
        faults.append(
            f"{where}, column {identifier!r}: no patient in table {center['clinical']}, "
            "expected one row per patient with an identifier"
        )
    return faults


def _file_faults(config: Config) -> list[str]:
    faults = []
    weights = config["network"]["weights"]
    if weights != "random" and not Path(weights).expanduser().is_file():
        faults.append(
            f"key network.weights: there is no file {weights}, expected `random` or weights"
        )
    elif weights != "random" and config["network"]["sha256"] is None:
        faults.append(f"key network.sha256: missing, expected the SHA-256 of {weights}")
    for comparator in config["evaluation"]["comparators"]:
        if not Path(comparator["table"]).is_file():
            faults.append(
                f"key evaluation.comparators, {comparator['name']}: there is no file "
                f"{comparator['table']}, expected a table of probabilities"
            )
            continue
        with Path(comparator["table"]).open(encoding="utf-8-sig", errors="replace") as file:
            try:
                header = [cell.strip() for cell in next(csv.reader(file), [])]
            except csv.Error:
                header = []
        for name in ("patient", comparator["column"]):
            if name not in header:
                faults.append(
                    f"key evaluation.comparators, {comparator['name']}: {comparator['table']} has no "
                    f"column {name!r}, expected one of {', '.join(map(repr, header))}"
                )
    if config["simulation"] and not Path(config["simulation"]).is_file():
        faults.append(
            f"key simulation: there is no file {config['simulation']}, expected the simulator's "
            "summary: run the simulation first"
        )
    return faults


def _evaluation_faults(block: Mapping[str, Any]) -> list[str]:
    faults = []
    rule, target = block["threshold"]["rule"], block["threshold"]["target"]
    most = 1000 if rule == "cost_ratio" else 1
    if rule != "youden" and (target is None or not 0 <= target <= most):
        found = "missing" if target is None else f"is {target:g}"
        faults.append(
            f"key evaluation.threshold.target: {found}, expected a number from 0 to {most} for rule {rule}"
        )
    for name in ("range", "clinical"):
        low, high = block["decision"][name]
        if low >= high:
            faults.append(
                f"key evaluation.decision.{name}: goes from {low:g} to {high:g}, expected the smaller "
                "threshold first"
            )
    return faults


def _design_faults(config: Config) -> list[str]:
    development = names(config, "development")
    if not development:
        return [
            "key centers: no center has the role development, expected at least one to learn from"
        ]
    if "loco" in config["designs"] and len(development) < 2:
        return [
            f"key designs: loco leaves one development center out, but {development[0]} is the only "
            "one: add a development center or take loco from the list"
        ]
    return []


def names(config: Config, *roles: str) -> list[str]:
    """Names of the centers, in the config's order; only those of the given roles where any is given."""
    return [c["name"] for c in config["centers"] if not roles or c["role"] in roles]


def center(config: Config, name: str) -> Center:
    """The block of one center."""
    return next(c for c in config["centers"] if c["name"] == name)


def splits(config: Config) -> dict[str, list[str]]:
    """The splits of every design that is run."""
    known = {
        "holdout": [str(n + 1) for n in range(config["holdout"]["repeats"])],
        "kfold": [
            f"{repeat + 1}-{part + 1}"
            for repeat in range(config["kfold"]["repeats"])
            for part in range(config["kfold"]["parts"])
        ],
        "loco": names(config, "development"),
        "external": ["all"],
    }
    tested = bool(names(config, "external", "prospective"))
    needed = config["lock_model"] or tested
    wanted = [d for d in known if d in config["designs"] and (d != "external" or needed)]
    if needed and "external" not in wanted:
        wanted.append("external")
    return {design: known[design] for design in wanted}


def members(config: Config) -> list[str]:
    """The networks that are trained within each split."""
    folds = [f"fold-{n + 1}" for n in range(config["folds"])]
    return ["full", *(folds if config["signature"]["embeddings"] == "cross_fitted" else [])]


def patients(config: Config, name: str, export: Export) -> dict[str, str]:
    """Pseudonyms of the patients of a center's clinical table, in its order.

    Returns
    -------
    dict
        For each pseudonym a version that changes with the patient's row or files.
    """
    block = center(config, name)
    key = identity.load_key(config["pseudonym_key"])
    table = read_sheet(block["clinical"], block.get("sheet"), block.get("encoding"))
    files = export.versions()
    found: dict[str, str] = {}
    for cell, row in zip(table.column(block["columns"]["patient"]), table.rows, strict=True):
        if cell:
            identifier = identity.normalize_identifier(cell, block.get("identifiers"))
            patient = identity.pseudonym(key, name, identifier)
            seen = [found.get(patient, ""), *row, files.get(identifier, files[""])]
            found[patient] = hashlib.sha256("\0".join(seen).encode()).hexdigest()[:12]
    return found


def assign_jobs(joined: Sequence[str], present: Collection[str], size: int) -> dict[str, list[str]]:
    """Divide patients among jobs by the order in which they joined the study.

    A patient who joins or leaves later moves nobody else to another job.

    Parameters
    ----------
    joined
        All patients ever registered, oldest first (`read_ledger`).
    present
        Those of today's table.
    size
        Patients per job.
    """
    here = set(present)
    jobs: dict[str, list[str]] = {}
    for place, patient in enumerate(dict.fromkeys([*joined, *present])):
        if patient in here:
            jobs.setdefault(f"{place // size + 1:04d}", []).append(patient)
    return jobs


def read_ledger(path: str | Path) -> list[str]:
    """Pseudonyms in the order of joining; nobody where the file does not exist yet."""
    file = Path(path)
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def join_ledger(path: str | Path, present: Iterable[str]) -> None:
    """Add the patients that are new to the end of the ledger."""
    joined = read_ledger(path)
    order = list(dict.fromkeys([*joined, *present]))
    if order != joined:
        with fileio.atomic(path) as temporary:
            temporary.write_text("".join(f"{p}\n" for p in order), encoding="utf-8")
