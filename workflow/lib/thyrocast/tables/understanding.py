"""What was understood of a center's table: the document that a data manager checks."""

import datetime
import logging
import statistics
from collections.abc import Sequence
from typing import Any

from thyrocast.config.center import CenterConfig
from thyrocast.contract.documents import (
    Cell,
    CodeCount,
    ColumnUnderstanding,
    DateEvidence,
    NumberEvidence,
    Understanding,
    UnusedColumn,
)
from thyrocast.contract.names import ColumnKind, OrderSource
from thyrocast.contract.text import fold
from thyrocast.tables import plausible, resemblance
from thyrocast.tables.clinical import ClinicalTable
from thyrocast.tables.columns import Column, DateColumn, NumberColumn
from thyrocast.tables.headers import tidy
from thyrocast.tables.numbers import Bound
from thyrocast.tables.table import Table
from thyrocast.tables.units import UNITS

LOG = logging.getLogger("thyrocast")
# Largest number of unreadable cells, and of rows with a code, that are listed.
_EXAMPLES = 50


def understand(center: CenterConfig, read: ClinicalTable) -> Understanding:
    """Return what was understood of a center's table.

    Parameters
    ----------
    center
        The center's block of the config.
    read
        The table that was read.
    """
    table = read.table
    sheet = table.sheet
    found: dict[str, list[Column]] = {}
    for column in table.read():
        found.setdefault(tidy(column.header), []).append(column)
    columns = [
        _column(table, header, column)
        for header in sheet.header
        if header in table.keys
        for column in found.get(header) or [_unread(table, header)]
    ]
    return Understanding(
        center=center.name,
        rows=len(sheet.rows),
        patients=len(read.patients),
        columns=columns,
        unused=_unused(table, center),
        notes=read.notes,
    )


def log_warnings(understanding: Understanding) -> None:
    """Log what should be looked at in each column; no warning quotes a cell."""
    for column in understanding.columns:
        for warning in column.warnings:
            LOG.warning("center %s, column %r: %s", understanding.center, column.header, warning)


def _unread(table: Table, header: str) -> Column:
    texts = table.texts(header)
    return Column(header, "", ColumnKind.TEXT, texts, list(texts))


def _column(table: Table, header: str, column: Column) -> ColumnUnderstanding:
    problems = list(column.problems.items())
    dated = isinstance(column, DateColumn)
    return ColumnUnderstanding(
        keys=table.keys[header],
        header=header,
        name=column.name,
        kind=column.kind,
        rows=len(column.texts),
        filled=column.filled,
        readable=column.readable,
        unreadable=column.filled - column.readable,
        examples=[
            Cell(row=table.sheet.lines[at], text=str(column.texts[at]), problem=problem)
            for at, problem in problems[:_EXAMPLES]
        ],
        number=_number(column) if isinstance(column, NumberColumn) else None,
        date=_date(column) if dated and isinstance(column, DateColumn) else None,
        codes=_codes(table, column) if column.kind is ColumnKind.CODE else [],
        warnings=_warnings(table, column),
    )


def _number(column: NumberColumn) -> NumberEvidence:
    values = sorted(value for value in column.values if value is not None)
    given = sorted(column.as_given.values())
    bounds = list(column.bounds.values())
    return NumberEvidence(
        unit=column.unit,
        our_unit=str(UNITS[column.name]),
        factor=column.factor,
        header_unit=plausible.named_unit(column.header, column.name),
        cell_units=dict(sorted(column.cell_units.items())),
        possible_units=plausible.possible_units(
            column.name, column.factor, statistics.median(given)
        )
        if given
        else [],
        plausible=list(plausible.MEDIANS[column.name])
        if column.name in plausible.MEDIANS
        else None,
        quantiles=_quantiles(values),
        values=values,
        below=bounds.count(Bound.BELOW),
        above=bounds.count(Bound.ABOVE),
        decimal_mark=column.mark.value if column.mark else None,
    )


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return minimum, quartiles and maximum of sorted values; empty if there are none."""
    if not values:
        return {}
    inner = (
        statistics.quantiles(values, n=4, method="inclusive")
        if len(values) > 1
        else [values[0]] * 3
    )
    numbers = (values[0], *inner, values[-1])
    return dict(zip(("0", "0.25", "0.5", "0.75", "1"), numbers, strict=True))


def _date(column: DateColumn) -> DateEvidence:
    dates = [value.isoformat() for value in column.values if isinstance(value, datetime.date)]
    return DateEvidence(
        order=column.order,
        order_by=column.order_by,
        undecided=column.undecided,
        possible=column.possible,
        both=column.both,
        first=min(dates, default=None),
        last=max(dates, default=None),
    )


def _codes(table: Table, column: Column) -> list[CodeCount]:
    places: dict[str, list[int]] = {}
    for position, text in enumerate(column.texts):
        if text:
            places.setdefault(fold(text), []).append(position)
    counts = []
    for positions in places.values():
        first = positions[0]
        known = first not in column.problems
        value = column.values[first]
        counts.append(
            CodeCount(
                code=str(column.texts[first]),
                meaning=_word(value) if known else None,
                known=known,
                count=len(positions),
                rows=[table.sheet.lines[position] for position in positions[:_EXAMPLES]],
            )
        )
    return sorted(counts, key=lambda code: (-code.count, code.code))


def _word(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


def _warnings(table: Table, column: Column) -> list[str]:
    """Return what should be looked at in a column; without the text of its cells."""
    found = []
    if not column.filled:
        found.append("all its cells are empty or mean not known")
    if isinstance(column, DateColumn):
        found += _date_warnings(table, column)
    if isinstance(column, NumberColumn):
        found += _number_warnings(table, column)
    return found


def _date_warnings(table: Table, column: DateColumn) -> list[str]:
    found = []
    if column.contradicting:
        found.append(
            f"{table.rows(column.contradicting)}: no dates in the order {column.order}; if these are "
            "not typing errors, other dates of the column may be wrong as well"
        )
    if column.order_by in {OrderSource.OTHER_COLUMNS, OrderSource.POINTS} and column.both:
        by = (
            "other date columns"
            if column.order_by is OrderSource.OTHER_COLUMNS
            else "the points between the parts"
        )
        found.append(
            f"its own dates do not show the order of day and month, {by} do: {column.order}; set "
            "date_order to confirm it"
        )
    return found


def _number_warnings(table: Table, column: NumberColumn) -> list[str]:
    found = []
    readable = sorted(value for value in column.values if value is not None)
    lost = [column.raw[at] for at in column.problems if at in column.raw]
    if len(readable) > 3 and len(lost) > 1:
        lower, _, upper = statistics.quantiles(readable, n=4)
        if min(lost) > upper or max(lost) < lower:
            side = "high" if min(lost) > upper else "low"
            found.append(
                f"the {len(lost)} numbers that are not used are all {side}: whether a value is "
                "missing depends on the value"
            )
    if column.name in plausible.MEDIANS and readable:
        low, high = plausible.MEDIANS[column.name]
        middle = statistics.median(readable)
        if not low <= middle <= high:
            found.append(
                f"its median is {middle:.3g} {UNITS[column.name]}, expected {low:g} to {high:g}"
            )
    if column.cell_units:
        units = ", ".join(f"{unit} ({count})" for unit, count in column.cell_units.most_common())
        found.append(f"the unit in the cell was used where there is one: {units}")
    return found


def _unused(table: Table, center: CenterConfig) -> list[UnusedColumn]:
    configured = set(center.named_columns())
    return [
        UnusedColumn(
            header=header,
            filled=sum(map(bool, table.texts(header))),
            like_by_name=[k for k in resemblance.by_name(header) if k not in configured],
            like_by_content=[
                k for k in resemblance.by_content(table.texts(header)) if k not in configured
            ],
        )
        for header in table.sheet.header
        if header and header not in table.keys
    ]
