"""Read numbers from the cells of a center's table."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

#: Physiological range of each of our numeric columns, and of TSH (mIU/L), in our units.
RANGES = {
    "age": (1.0, 110.0),
    "gland_mass": (1.0, 600.0),
    "uptake_24h": (0.0, 100.0),
    "activity": (10.0, 5_000.0),
    "trab": (0.0, 2_000.0),
    "ft4": (0.1, 400.0),
    "ft3": (0.1, 200.0),
    "withdrawal_days": (0.0, 3_650.0),
    "tsh": (0.0, 1_000.0),
    "tc_activity": (20.0, 1_000.0),
}
AMBIGUOUS = "may be a decimal or a thousands separator"


class Bound(StrEnum):
    """Whether a number is a limit of the laboratory: the value is below or above it."""

    BELOW = "below"
    ABOVE = "above"


class Mark(StrEnum):
    """The decimal mark of a column."""

    POINT = "."
    COMMA = ","


@dataclass(frozen=True)
class Number:
    """A number as it is written in a cell.

    Attributes
    ----------
    value
        The number, with its mark read as decimal mark if it may be either.
    thousands
        The number if its mark separates thousands; None if it can only be a decimal mark.
    mark
        The decimal mark for which the cell is evidence; the mark itself if it may be either.
    bound
        Whether the cell says that the value is below or above the number.
    unit
        Text behind the number; "" if there is none.
    """

    value: float
    thousands: float | None = None
    mark: Mark | None = None
    bound: Bound | None = None
    unit: str = ""


# Invisible characters: soft hyphen, zero-width spaces and joiners, marks of direction, byte order.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_BOUND = re.compile(
    r"(<=?|>=?|≤|≥|&lt;|&gt;|less than|below|under|unter|kleiner(?: als)?|inf(?:\.|[eé]rieur)? ?[aà]?|"
    r"menor(?: de| que)?|more than|above|over|[uü]ber|gr[oö](?:ß|ss)er(?: als)?|"
    r"sup(?:\.|[eé]rieur)? ?[aà]?|mayor(?: de| que)?)\s*(?=[\d.,])",
    re.IGNORECASE,
)
_BELOW = ("<", "≤", "&lt;", "less", "below", "under", "unter", "kleiner", "inf", "menor")
# Flags of a laboratory before or behind a number; a letter only behind a space or in brackets.
_FLAG = r"\*+|!+|[↑↓]+"
_FLAG_BEFORE = re.compile(rf"(?:{_FLAG}|(?:HH?|LL?)\s)\s*")
_FLAG_BEHIND = re.compile(
    rf"\s*(?:{_FLAG})$|\s+(?:HH?|LL?|[Hh]igh|[Ll]ow|hoch|niedrig)$|\s*[(\[](?:HH?|LL?|[↑↓*]+)[)\]]$"
)
_NUMBER = re.compile(r"([-+]?)([\d., ']*[\d.,]|\d)(e[-+]?\d{1,3})?\s*(\S.*)?", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:([ '])\d{3})(?:\1\d{3})*(?![\d ])")


def parse_number(text: str) -> Number:
    """Read a cell.

    Flags of a laboratory (``35.2 H``), a bound (``<0,01``), groups of thousands and a unit behind
    the number are understood.

    Raises
    ------
    ValueError
        If the text is not a number; says why.
    """
    value = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()
    value = value.replace("\u2212", "-").replace("\u2019", "'").replace("´", "'")
    value = _FLAG_BEHIND.sub("", _strip_start(_FLAG_BEFORE, value))
    bound = None
    if match := _BOUND.match(value):
        bound = Bound.BELOW if match[1].casefold().startswith(_BELOW) else Bound.ABOVE
        value = value[match.end() :]
    found = _NUMBER.fullmatch(" ".join(value.split()))
    if not found:
        raise ValueError("not a number")
    sign, digits, exponent, unit = found[1], found[2].strip(), found[3] or "", found[4] or ""
    if unit and ((not unit[0].isalpha() and unit[0] not in "%[(µ") or len(unit) > 24):
        raise ValueError("not a number")
    number, thousands, mark = _classify(digits)
    factor = float(f"{sign}1{exponent}")
    return Number(
        number * factor, None if thousands is None else thousands * factor, mark, bound, unit
    )


def _strip_start(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.match(text)
    return text[match.end() :] if match else text


def _classify(digits: str) -> tuple[float, float | None, Mark | None]:
    """Return a number, its second meaning if it has one, and the decimal mark that it shows."""
    if " " in digits or "'" in digits:
        head = re.match(r"[\d ']*", digits)
        grouped = head[0] if head else ""
        if not _GROUPED.fullmatch(grouped):
            raise ValueError("not one number")
        digits = re.sub("[ ']", "", grouped) + digits[len(grouped) :]
        if not re.fullmatch(r"\d+(?:[.,]\d+)?", digits):
            raise ValueError("not a number")
        # Behind groups of thousands, a mark can only be the decimal mark.
        return float(digits.replace(",", ".")), None, _shown(digits)
    if re.fullmatch(r"\d+", digits):
        return float(digits), None, None
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}", digits):
        return float(digits.replace(".", "").replace(",", ".")), None, Mark.COMMA
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}", digits):
        return float(digits.replace(",", "")), None, Mark.POINT
    if not re.fullmatch(r"\d+[.,]?\d*|[.,]\d+", digits):
        raise ValueError("not a number")
    value = float(digits.replace(",", "."))
    if re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", digits):
        return value, float(re.sub("[.,]", "", digits)), _shown(digits)
    return value, None, _shown(digits)


def _shown(digits: str) -> Mark | None:
    return Mark.COMMA if "," in digits else Mark.POINT if "." in digits else None


def single_number(text: str) -> float:
    """Return the number of a cell without a column.

    Raises
    ------
    ValueError
        If it is not a number, is a bound, or has a unit or a mark with two meanings.
    """
    number = parse_number(text)
    if number.thousands is not None or number.bound or number.unit:
        raise ValueError("not a plain number")
    return number.value


def decimal_mark(numbers: Iterable[Number]) -> Mark | None:
    """Return the decimal mark of a column, from its unambiguous cells; None if they do not agree."""
    marks = {number.mark for number in numbers if number.mark and number.thousands is None}
    return marks.pop() if len(marks) == 1 else None


def resolve(number: Number, mark: Mark | None, low: float, high: float) -> float:
    """Return the value of a number.

    Parameters
    ----------
    number
        A cell.
    mark
        The decimal mark of the column, if it is known.
    low, high
        Range of possible values, in the unit of the cell.

    Raises
    ------
    ValueError
        If a mark may separate decimals or thousands, and both values are possible.
    """
    if number.thousands is None:
        return number.value
    if mark is not None:
        return number.value if mark is number.mark else number.thousands
    possible = [value for value in (number.value, number.thousands) if low <= value <= high]
    if len(possible) == 1:
        return possible[0]
    raise ValueError(f"the {'comma' if number.mark is Mark.COMMA else 'point'} {AMBIGUOUS}")
