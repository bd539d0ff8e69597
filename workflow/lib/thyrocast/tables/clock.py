"""Read times of day from the cells of a center's table."""

import contextlib
import datetime
import itertools
import re

_CLOCK = re.compile(
    r"(?:^|[\sT])(\d{1,2})[:.h](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([ap])?\.?\s?m?\.?\s*(?:uhr|h)?$",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"^(\d{2})(\d{2})(\d{2})?$")
_DATE = re.compile(r"^(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})(?=[\sT,])")
# Spreadsheets give times the date 1899-12-30 or 1900-01-01, other programs 1970-01-01.
_FIRST_YEAR = 1980
_CENTURY = 2000
# The same with two digits of the year.
_NO_DATES = frozenset(
    {datetime.date(2099, 12, 30), datetime.date(2000, 1, 1), datetime.date(2070, 1, 1)}
)


def parse_clock(text: str) -> datetime.time | None:
    """Return the time of day in a cell; None if it is none.

    A date before the time is ignored. Midnight is how spreadsheets write that there is no time.

    Examples
    --------
    >>> parse_clock("10:30"), parse_clock("2020-01-03 1:05 PM"), parse_clock("00:00:00")
    (datetime.time(10, 30), datetime.time(13, 5), None)
    """
    cell = text.strip()
    match = _CLOCK.search(cell) or _COMPACT.match(cell)
    if not match:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups()[:3])
    half = match.group(4) if match.re is _CLOCK else None
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    if hour > 23 or minute > 59 or second > 59 or not (hour or minute or second):
        return None
    return datetime.time(hour, minute, second)


def parse_days(text: str) -> frozenset[datetime.date]:
    """Return the dates that a cell with a time of day may state before it, in any order of day and month.

    A year of two digits is of this century.

    Examples
    --------
    >>> sorted(str(day) for day in parse_days("03.01.2020 10:00"))
    ['2020-01-03', '2020-03-01']
    >>> sorted(str(day) for day in parse_days("14.02.20 10:00"))
    ['2014-02-20', '2020-02-14']
    >>> parse_days("10:00"), parse_days("1899-12-30 10:00")
    (frozenset(), frozenset())
    """
    match = _DATE.match(text.strip())
    if not match:
        return frozenset()
    found = set()
    first, middle, last = match.groups()
    # The year is never in the middle.
    for written, others in ((first, (middle, last)), (last, (first, middle))):
        year = int(written) + (_CENTURY if len(written) <= 2 else 0)
        for month, day in itertools.permutations(map(int, others)):
            with contextlib.suppress(ValueError):
                found.add(datetime.date(year, month, day))
    return frozenset(day for day in found - _NO_DATES if day.year >= _FIRST_YEAR)
