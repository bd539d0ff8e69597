"""Findings about the columns of a clinical table."""

from collections.abc import Iterator, Sequence

import numpy as np

from thyrocast.check.center import Center
from thyrocast.check.findings import Example, Finding, Section
from thyrocast.check.values import LEAST, Column, title
from thyrocast.contract.check import RemarkCode, Severity
from thyrocast.contract.documents import ColumnUnderstanding, UnusedColumn
from thyrocast.pages import numbers, words

#: A center whose median differs by this factor from the median of the others needs a look.
FAR = 2.5
#: Columns that only add a predictor; another column that is overlooked may change who is included
#: or with which outcome.
_PREDICTORS = frozenset(
    f"columns.{name}"
    for name in (
        "sex", "age", "gland_mass", "uptake_24h", "activity", "trab", "ft4", "ft3", "antithyroid_drug",
        "withdrawal_days", "orbitopathy", "smoking", "patient",
    )
)  # fmt: skip


def column_findings(center: Center, columns: Sequence[Column]) -> Iterator[Finding]:
    """Yield what to correct in the columns of the table."""
    least = center.settings.check.least_readable
    for column, understood in zip(columns, center.understanding.columns, strict=True):
        yield from _unreadable(column, least)
        yield from _doubtful(column, understood)
        yield from _far_from_others(column)
    for unused in center.understanding.unused:
        yield from _unused(unused)
    for note in center.understanding.notes:
        yield Finding(
            RemarkCode.TABLE,
            Severity.NOTE,
            "Something is unusual about the table as a whole; the private page says what.",
            "Check that the table is read as it is meant.",
            Section.COLUMNS,
            detail=note,
        )


def _unreadable(column: Column, least: float) -> Iterator[Finding]:
    if not column.filled:
        yield Finding(
            RemarkCode.UNREADABLE_CELLS,
            Severity.REMARK,
            f"{column.title}: the column is configured, but all its cells are empty.",
            "Check the name of the column in the config, and `missing`.",
            Section.COLUMNS,
            subject=column.key,
        )
    elif column.readable < column.filled:
        share = column.readable / column.filled
        yield Finding(
            RemarkCode.UNREADABLE_CELLS,
            Severity.BLOCKER if share < least else Severity.REMARK,
            f"{column.title}: cells that cannot be read.",
            "Correct these cells, or explain their codes in the config. The private page lists them.",
            Section.COLUMNS,
            column.filled - column.readable,
            "cells",
            column.key,
            examples=[Example(note=cell) for cell in column.cells],
        )


def _doubtful(column: Column, understood: ColumnUnderstanding) -> Iterator[Finding]:
    for warning in understood.warnings if understood.filled else ():
        yield Finding(
            RemarkCode.COLUMN,
            Severity.REMARK,
            f"{column.title}: unit, dates or missing values need a look.",
            "Compare with the table. Set `units` or `date_order` if needed.",
            Section.COLUMNS,
            subject=column.key,
            detail=f"{column.theirs!r}: {warning}.",
        )


def _far_from_others(column: Column) -> Iterator[Finding]:
    """Compare the median with those of the other centers, by their ratio."""
    if len(column.values) < LEAST or not column.others:
        return
    own = float(np.median(column.values))
    usual = float(np.median([np.median(values) for values in column.others.values()]))
    if own <= 0 or usual <= 0 or 1 / FAR < own / usual < FAR:
        return
    yield Finding(
        RemarkCode.DISTRIBUTION,
        Severity.REMARK,
        f"{column.title}: the median is far from the other centers’.",
        f"Check the unit of this column (`units.{column.key.removeprefix('columns.')}`) here and in "
        "the other centers.",
        Section.COLUMNS,
        subject=column.key,
        detail=f"{numbers.significant(own)} {column.unit} here, {numbers.significant(usual)} elsewhere.",
    )


def _unused(unused: UnusedColumn) -> Iterator[Finding]:
    like = unused.like_by_name or unused.like_by_content
    if not like or not unused.filled:
        return
    names = words.listing([title(key.replace("visits.", "visits[0].")) for key in like])
    overlooked = bool(unused.like_by_name) and not set(unused.like_by_name) <= _PREDICTORS
    by = "name" if unused.like_by_name else "cells"
    yield Finding(
        RemarkCode.UNUSED_COLUMN,
        Severity.REMARK if overlooked else Severity.NOTE,
        f"A column that the config does not name looks, by its {by}, like: {names}.",
        "If it is, name it in the config: " + " or ".join(f"`{key}`" for key in like) + ".",
        Section.COLUMNS,
        subject=" ".join(like),
        detail=f"Column {unused.header!r}.",
    )
