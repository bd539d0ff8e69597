"""What was understood of the columns of a clinical table: how full, which values, which codes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thyrocast.check import evidence
from thyrocast.check.center import Center, in_table
from thyrocast.contract.cohort import CLINICAL
from thyrocast.contract.documents import ColumnUnderstanding
from thyrocast.contract.names import ColumnKind
from thyrocast.contract.table import Kind
from thyrocast.pages import numbers, words

Floats = NDArray[np.float64]
#: Bins of a histogram on the private and on the public page.
BINS, PUBLIC_BINS = 24, 8
#: A histogram spans these percentiles of all centers together, so that one typing error does not
#: hide the shape; its outer bins contain what is beyond.
SPAN = (1.0, 99.0)
#: Least values of a center whose distribution is compared.
LEAST = 5
#: Most unreadable cells and codes of a column that the private page lists.
MOST_CELLS, MOST_CODES = 8, 14
_TITLES = {
    "columns.patient": "Patient identifier",
    "columns.outcome": "Outcome",
    "columns.therapy_date": "Date of therapy",
    "columns.birth_date": "Date of birth",
}
_WORDS = {"tsh": "TSH", "ft4": "free T4", "ft3": "free T3"}


@dataclass(frozen=True)
class Code:
    """A code of the center, what it means ("" if that is unknown), and how often it occurs."""

    code: str
    meaning: str
    count: int


@dataclass(frozen=True)
class Column:
    """A configured column of the table.

    Attributes
    ----------
    key, title, unit
        Config key, our name in words, and our unit.
    theirs
        The center's name of the column; private.
    rows, filled, readable
        Cells, those that are not empty, and those that were understood.
    values
        Known values of a number, in our unit.
    meanings
        Cells with each of our codes.
    codes
        The center's codes; private.
    others
        Known values of each other center.
    usual
        Range in which a center's median is expected; None if there is none.
    evidence, private_evidence
        Sentences about unit, codes and dates; the private ones may name rows.
    cells
        Unreadable cells, each with its row and the problem; private.
    """

    key: str
    title: str
    unit: str
    theirs: str
    rows: int
    filled: int
    readable: int
    values: Floats = field(default_factory=lambda: np.empty(0))
    meanings: Mapping[str, int] = field(default_factory=dict)
    codes: Sequence[Code] = ()
    others: Mapping[str, Floats] = field(default_factory=dict)
    usual: tuple[float, float] | None = None
    evidence: Sequence[str] = ()
    private_evidence: Sequence[str] = ()
    cells: Sequence[str] = ()

    @property
    def share_filled(self) -> float | None:
        """Share of cells that are not empty."""
        return self.filled / self.rows if self.rows else None

    @property
    def share_readable(self) -> float | None:
        """Share of understood cells among those that are not empty."""
        return self.readable / self.filled if self.filled else None

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
    """Return the configured columns, in the order of the table."""
    return [_column(center, understood) for understood in center.understanding.columns]


def _column(center: Center, understood: ColumnUnderstanding) -> Column:
    key = understood.keys[0]
    number, coded = understood.number, understood.kind is ColumnKind.CODE
    return Column(
        key=key,
        title=title(key),
        unit=number.our_unit if number else "",
        theirs=understood.header,
        rows=understood.rows,
        filled=understood.filled,
        readable=understood.readable,
        values=np.array(number.values if number else [], float),
        meanings=_meanings(understood) if coded else {},
        codes=_codes(understood) if coded else (),
        others=_others(center, key) if number else {},
        usual=_usual(number.plausible) if number else None,
        evidence=evidence.public(understood),
        private_evidence=evidence.private(understood),
        cells=[
            f"row {cell.row}: {cell.text!r}, {cell.problem}"
            for cell in understood.examples[:MOST_CELLS]
        ],
    )


def title(key: str) -> str:
    """Return a config key that names a column in words.

    Examples
    --------
    >>> title("columns.age"), title("outcome.visits[1].tsh"), title("eligibility.diagnosis.column")
    ('Age, years', 'Visit 2: TSH', 'Eligibility: diagnosis')
    """
    if key in _TITLES:
        return _TITLES[key]
    block, _, name = key.rpartition(".")
    word = _WORDS.get(name, name.replace("_", " "))
    if visit := re.fullmatch(r"outcome\.visits\[(\d+)\]", block):
        return f"Visit {int(visit[1]) + 1}: {word}"
    if block == "columns":
        return words.column(name)
    parts = [part for part in re.split(r"[.\[\]]+", key) if part and not part.isdigit()]
    rest = " ".join(part for part in parts[1:] if part != "column")
    return words.plain(f"{parts[0]}: {rest}") if rest else words.plain(parts[0])


def _meanings(understood: ColumnUnderstanding) -> dict[str, int]:
    counts: dict[str, int] = {}
    for code in understood.codes:
        meaning = (
            evidence.meaning(understood.keys[0], code.meaning) if code.known else "unknown code"
        )
        counts[meaning] = counts.get(meaning, 0) + code.count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _codes(understood: ColumnUnderstanding) -> list[Code]:
    key = understood.keys[0]
    return [
        Code(one.code, evidence.meaning(key, one.meaning) if one.known else "", one.count)
        for one in understood.codes[:MOST_CODES]
    ]


def _usual(plausible: Sequence[float] | None) -> tuple[float, float] | None:
    return (plausible[0], plausible[1]) if plausible else None


def _others(center: Center, key: str) -> dict[str, Floats]:
    name = key.removeprefix("columns.")
    if name not in {column.name for column in CLINICAL if column.kind is Kind.NUMBER}:
        return {}
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


def readable_words(column: Column) -> str:
    """Return the shares of filled and readable cells in words."""
    if column.share_filled is None:
        return numbers.MISSING
    filled = column.filled
    text = (
        "all filled" if filled == column.rows else f"{numbers.percent(column.share_filled)} filled"
    )
    if not filled:
        return text
    if column.readable == filled:
        return (
            f"{text}, all of them readable" if filled < column.rows else "all filled and readable"
        )
    return f"{text}, {numbers.percent(column.readable / filled)} of them readable"
