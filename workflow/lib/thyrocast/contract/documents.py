"""JSON documents of a run: a model for each, and functions that read and write them."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from thyrocast import fileio
from thyrocast.contract import files
from thyrocast.contract.names import ColumnKind, OrderSource, Role
from thyrocast.errors import InputError

Count = Annotated[int, Field(ge=0)]
ThisContract = Annotated[int, Field(ge=files.VERSION, le=files.VERSION)]
Share = Annotated[float, Field(ge=0, le=1)]


class Document(BaseModel):
    """A JSON file of a run; unknown keys are rejected and values cannot be changed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_by_name=True, validate_by_alias=True
    )


class CenterFlow(Document):
    """Patients of one center, from those found to those analyzed.

    Attributes
    ----------
    role
        What the center is used for.
    found
        Patients in the clinical table, in the DICOM export, or in both.
    in_table, in_dicom, matched
        Patients in the clinical table, in the DICOM export, and in both.
    excluded
        Patients excluded, by reason.
    analyzed
        Patients in the cohort.
    cured
        Cured patients in the cohort.
    """

    role: Annotated[Role, Field(strict=False)]
    found: Count
    in_table: Count
    in_dicom: Count
    matched: Count
    excluded: dict[str, Count]
    analyzed: Count
    cured: Count


class Flow(Document):
    """``cohort/flow.json``: the flow of patients, by center in the order of the config."""

    centers: dict[str, CenterFlow]


class Provenance(Document):
    """``provenance.json``: which code, data and settings a result came from.

    Attributes
    ----------
    thyrocast, contract
        Version of the package, and of the contract of the files that it writes.
    code, commit
        SHA-256 of the workflow's code; its commit, with ``+`` if files were edited since, empty
        outside of git.
    config
        The config without paths, columns and codes of the centers.
    inputs
        SHA-256 of every input file, by its description.
    seed
        Seed of the study.
    slurm_jobs
        SLURM job id of every job that ran on a cluster.
    system
        Operating system on which Snakemake ran.
    versions
        Versions of Python and of packages in each environment (``imaging``, ``deep``, ``stats``,
        ``explain``, ``report``), as its jobs recorded them, and of Snakemake (``launcher``). If jobs
        of an environment differ, all versions are named (``1.0 and 1.1``).
    version_conflicts
        Packages of which the study's jobs used several versions, with the rules that used each.
    jobs_without_versions
        Jobs whose log has no versions, because an older thyrocast ran them.
    """

    thyrocast: str
    contract: ThisContract
    code: str
    commit: str
    config: dict[str, JsonValue]
    inputs: dict[str, str]
    seed: int
    slurm_jobs: dict[str, str]
    system: str
    versions: dict[str, dict[str, str]]
    version_conflicts: dict[str, dict[str, list[str]]]
    jobs_without_versions: list[str]


class TrueRisk(Document):
    """Discrimination of the true risk in simulated patients.

    Attributes
    ----------
    simulated
        Simulated patients.
    n, events
        Patients with image, table row and outcome, and the cured ones among them.
    prevalence, mean_risk
        Share of cured patients, and mean true probability of cure.
    auc
        AUC of the true risk for the outcomes that were drawn; None if all outcomes are the same.
    expected_auc
        AUC of the true risk over all outcomes that could have been drawn.
    """

    simulated: Count
    n: Count
    events: Count
    prevalence: Share
    mean_risk: Share
    auc: Share | None
    expected_auc: Share


class SimulationSummary(Document):
    """``summary.json`` of the simulator.

    Attributes
    ----------
    simulated
        Always true.
    seed
        Seed of the simulated cohort.
    formula
        The true log-odds of cure in words.
    intercept, coefficients
        Intercept and coefficients of the formula.
    centers, overall
        Discrimination of the true risk, by center and in all patients together.
    """

    simulated: bool
    seed: int
    formula: str
    intercept: float
    coefficients: dict[str, float]
    centers: dict[str, TrueRisk]
    overall: TrueRisk


class Cell(Document):
    """A cell of a center's table: row of the file, its text, and why it can't be read."""

    row: Count
    text: str
    problem: str


class CodeCount(Document):
    """A code of a column.

    Attributes
    ----------
    code
        As the center writes it.
    meaning
        What it means; None if it means "not known", or if it is unknown.
    known
        Whether its meaning is known.
    count, rows
        How many cells have it, and the first rows of them.
    """

    code: str
    meaning: str | None
    known: bool
    count: Count
    rows: list[Count]


class NumberEvidence(Document):
    """How the numbers of a column were read.

    Attributes
    ----------
    unit, our_unit, factor
        The center's unit, ours, and the factor between them.
    header_unit
        The unit in the name of the column; None if it has none.
    cell_units
        How many cells have a unit of their own.
    possible_units
        Other units in which the median would be plausible as well.
    plausible
        Lower and upper limit of plausible medians in our unit; None if there are no such limits.
    quantiles
        Minimum, quartiles and maximum in our unit, by share (0, 0.25, 0.5, 0.75, 1).
    values
        All numbers in our unit, in ascending order.
    below, above
        How many cells say that the value is below or above a limit, such as ``<0.01``.
    decimal_mark
        The decimal mark that the cells show; None if they show none.
    """

    unit: str
    our_unit: str
    factor: float
    header_unit: str | None
    cell_units: dict[str, Count]
    possible_units: list[str]
    plausible: list[float] | None
    quantiles: dict[str, float]
    values: list[float]
    below: Count
    above: Count
    decimal_mark: str | None


class DateEvidence(Document):
    """How the dates of a column were read.

    Attributes
    ----------
    order, order_by
        Order of day, month and year, and how it is known; None if no cell needs an order.
    undecided
        Cells that need an order to be understood.
    possible
        How many of them are a date in each order.
    both
        How many of them are a date in more than one order.
    first, last
        Earliest and latest date (ISO 8601); None if no cell is a date.
    """

    order: str | None
    order_by: Annotated[OrderSource | None, Field(strict=False)]
    undecided: Count
    possible: dict[str, Count]
    both: Count
    first: str | None
    last: str | None


class ColumnUnderstanding(Document):
    """What was understood of a configured column.

    Attributes
    ----------
    keys
        The config keys that name it, such as ``columns.age``.
    header
        Its name in the table.
    name
        Our name of its quantity or codes; "" if it has none.
    kind
        What its cells were read as.
    rows, filled, readable, unreadable
        Number of cells: all, not empty, understood, and not understood.
    examples
        Cells that were not understood.
    number, date, codes
        The evidence, according to the kind.
    warnings
        What should be looked at, in one sentence each; without the text of cells.
    """

    keys: list[str]
    header: str
    name: str
    kind: Annotated[ColumnKind, Field(strict=False)]
    rows: Count
    filled: Count
    readable: Count
    unreadable: Count
    examples: list[Cell]
    number: NumberEvidence | None = None
    date: DateEvidence | None = None
    codes: list[CodeCount] = []
    warnings: list[str] = []


class UnusedColumn(Document):
    """A column that the config does not name.

    Attributes
    ----------
    header, filled
        Its name in the table and the number of cells that are not empty.
    like_by_name, like_by_content
        Config keys whose column its name or its cells look like.
    """

    header: str
    filled: Count
    like_by_name: list[str]
    like_by_content: list[str]


class Understanding(Document):
    """``understanding.json``: what was understood of a center's table; private.

    Attributes
    ----------
    center
        The center.
    rows, patients
        Rows of the table, and different patients in them.
    columns
        The columns that the config names, in the table's order.
    unused
        The other columns.
    notes
        Remarks on the table as a whole: hidden rows, repeated rows, formulas, layout.
    """

    center: str
    rows: Count
    patients: Count
    columns: list[ColumnUnderstanding]
    unused: list[UnusedColumn]
    notes: list[str]


AnyDocument = TypeVar("AnyDocument", bound=Document)


def read(document: type[AnyDocument], path: str | Path) -> AnyDocument:
    """Read a document that this project wrote.

    Raises
    ------
    InputError
        If the file is missing, is not JSON, or has other keys or values than declared.
    """
    try:
        return document.model_validate_json(Path(path).read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise InputError(f"{path} is not a JSON file: {first['msg']}") from None
        key = ".".join(str(part) for part in first["loc"])
        where = f"{path}, key {key}" if key else str(path)
        raise InputError(
            f"{where}: {first['msg']}; was it written by another version of thyrocast?"
        ) from None


def write(document: Document, path: str | Path, *, private: bool = False) -> None:
    """Write a document atomically, with sorted keys; a private one is readable by its owner only."""
    mode = fileio.private_mode(path) if private else None
    fileio.write_json(path, document.model_dump(mode="json", by_alias=True), mode)
