"""The check of a center: its verdict, its remarks and, as numbers, what its page shows."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from thyrocast.contract.documents import Count, Document, Share, ThisContract
from thyrocast.contract.names import Role


class Verdict(StrEnum):
    """Whether a center's data can be used."""

    READY = "ready"
    REMARKS = "ready_with_remarks"
    NOT_READY = "not_ready"


class Severity(StrEnum):
    """How important a remark is; the most important comes first."""

    BLOCKER = "blocker"
    REMARK = "remark"
    NOTE = "note"


class RemarkCode(StrEnum):
    """What a remark is about."""

    NO_PATIENT = "no_patient"
    NO_MATCH = "no_match"
    ONE_OUTCOME = "one_outcome"
    ELIGIBILITY = "eligibility"
    EXCLUDED = "excluded"
    UNREADABLE_CELLS = "unreadable_cells"
    COLUMN = "column"
    DISTRIBUTION = "distribution"
    UNUSED_COLUMN = "unused_column"
    TABLE = "table"
    DUPLICATE = "duplicate"
    IDENTITY = "identity"
    DATES = "dates"
    OUTCOME_AGAINST_VISITS = "outcome_against_visits"
    FALLBACK = "fallback"
    FRAME = "frame"
    QUALITY = "quality"
    PLAUSIBILITY = "plausibility"
    UNREADABLE_FILES = "unreadable_files"


_Verdict = Annotated[Verdict, Field(strict=False)]


class Remark(Document):
    """One thing to correct or to look at.

    Attributes
    ----------
    code, severity
        What it is about, and how important it is.
    subject
        What distinguishes remarks of one code: a column, a reason; empty if there is one only.
    count
        How many patients, files or cells; None if fewer than the smallest count that is shown.
    text, action
        What was found, and what to do.
    """

    code: Annotated[RemarkCode, Field(strict=False)]
    severity: Annotated[Severity, Field(strict=False)]
    subject: str
    count: Count | None
    text: str
    action: str


class Counted(Document):
    """A name with a number of patients or files; None if fewer than the smallest count shown."""

    name: str
    count: Count | None


class ColumnCheck(Document):
    """What was understood of a column.

    Attributes
    ----------
    column, unit
        Config key of the column, and our unit.
    readable
        Share of readable cells among the filled ones; None if no cell is filled.
    filled
        Share of filled cells.
    quartiles
        First quartile, median and third quartile of a number; None if there are too few.
    edges, counts
        Histogram: n + 1 limits and n numbers of patients.
    codes
        Cells with each of our codes.
    evidence
        How unit or dates were understood, in sentences.
    """

    column: str
    unit: str
    readable: Share | None
    filled: Share | None
    quartiles: tuple[float, float, float] | None
    edges: list[float]
    counts: list[Count | None]
    codes: list[Counted]
    evidence: list[str]


class CenterCheck(Document):
    """``check/{center}.json``: the check of one center, without patients.

    Attributes
    ----------
    center, role
        Center.
    verdict
        Whether training may begin.
    smallest_count
        Smaller numbers of patients than this are None.
    remarks
        What to do, the most important first.
    flow
        Patients at each step, from those found to those with an image.
    excluded
        Excluded patients by reason.
    columns
        Columns of the clinical table.
    images
        For each property of the images, the number of patients with each value.
    left_out
        Files that are not the chosen image, by reason.
    """

    contract: ThisContract
    center: str
    role: Annotated[Role, Field(strict=False)]
    verdict: _Verdict
    smallest_count: Count
    remarks: list[Remark]
    flow: list[Counted]
    excluded: list[Counted]
    columns: list[ColumnCheck]
    images: dict[str, list[Counted]]
    left_out: list[Counted]


class Approval(Document):
    """``approval.json``: the verdict of every center; training needs it.

    Attributes
    ----------
    verdicts
        Verdict of each center.
    """

    contract: ThisContract
    verdicts: dict[str, _Verdict]
