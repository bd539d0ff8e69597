"""What was understood of the columns of a clinical table: how full, which values, which codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.check.center import Center
from thyrocast.contract.cohort import CLINICAL
from thyrocast.contract.names import Source
from thyrocast.contract.table import Kind
from thyrocast.pages import words

Floats = NDArray[np.float64]
#: Bins of a histogram on the private and on the public page.
BINS, PUBLIC_BINS = 24, 8
#: A histogram spans these percentiles of all centers together, so that one typing error does not
#: hide the shape; its outer bins contain what is beyond.
SPAN = (1.0, 99.0)
#: Least values of a center whose distribution is compared.
LEAST = 5


@dataclass(frozen=True)
class Column:
    """A configured column of the table.

    Attributes
    ----------
    name, title, unit
        Our name, in words, and our unit.
    theirs
        The center's name of the column.
    patients, known
        Patients of the table, and those with a value.
    filled, readable
        Cells that are not empty, and the readable ones among them; None if not recorded.
    values
        Known values of a number, in our unit.
    codes
        Patients with each of our codes.
    others
        Known values of each other center.
    usual
        Range in which most centers' medians are; None if there is none.
    evidence
        Sentences about unit, codes or date order.
    """

    name: str
    title: str
    unit: str
    theirs: str
    patients: int
    known: int
    filled: int | None = None
    readable: int | None = None
    values: Floats = field(default_factory=lambda: np.empty(0))
    codes: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, Floats] = field(default_factory=dict)
    usual: tuple[float, float] | None = None
    evidence: Sequence[str] = ()

    @property
    def share_filled(self) -> float | None:
        """Share of patients with a value or, if recorded, with a cell that is not empty."""
        count = self.known if self.filled is None else self.filled
        return count / self.patients if self.patients else None

    @property
    def share_readable(self) -> float | None:
        """Share of readable cells among those that are not empty."""
        return self.readable / self.filled if self.filled and self.readable is not None else None

    def quartiles(self) -> tuple[float, float, float] | None:
        """Return first quartile, median and third quartile; None if there are too few values."""
        return quartiles(self.values)


def quartiles(values: Floats) -> tuple[float, float, float] | None:
    """Return first quartile, median and third quartile; None for fewer than `LEAST` values."""
    if len(values) < LEAST:
        return None
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float(low), float(middle), float(high)


def columns(center: Center) -> list[Column]:
    """Return the configured clinical columns, in the order of the contract."""
    given = center.config.columns.plain()
    rows = in_table(center.register)
    found = []
    for declared in CLINICAL:
        theirs = given.get(declared.name)
        if declared.name == "age" and not theirs and given.get("birth_date"):
            theirs = given["birth_date"]
        if not theirs:
            continue
        known = rows[declared.name].dropna()
        number = declared.kind is Kind.NUMBER
        found.append(
            Column(
                name=declared.name,
                title=words.column(declared.name),
                unit=declared.unit,
                theirs=str(theirs),
                patients=len(rows),
                known=len(known),
                values=known.to_numpy(float) if number else np.empty(0),
                codes={} if number else _codes(known),
                others=_others(center, declared.name) if number else {},
            )
        )
    return found


def in_table(register: pd.DataFrame) -> pd.DataFrame:
    """Return the patients of the clinical table."""
    return register[register["source"] != Source.DICOM]


def _codes(known: "pd.Series[str]") -> dict[str, int]:
    counts = known.value_counts()
    ordered = sorted(counts.index, key=lambda code: (-int(counts[code]), str(code)))
    return {str(code): int(counts[code]) for code in ordered}


def _others(center: Center, name: str) -> dict[str, Floats]:
    values = {
        other: in_table(tables.register)[name].dropna().to_numpy(float)
        for other, tables in center.others.items()
    }
    return {other: known for other, known in values.items() if len(known) >= LEAST}


def histogram(column: Column, bins: int) -> tuple[Floats, list[int]]:
    """Return limits (n + 1) and numbers of patients (n) of a column's histogram; empty if unknown.

    The limits are those of all centers together, so that histograms of centers can be compared.
    """
    if not len(column.values):
        return np.empty(0), []
    pooled = np.concatenate([column.values, *column.others.values()])
    low, high = (float(limit) for limit in np.percentile(pooled, SPAN))
    if high <= low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    counts = np.histogram(np.clip(column.values, low, high), edges)[0]
    return edges, [int(count) for count in counts]
