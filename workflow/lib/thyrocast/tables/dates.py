"""Read dates from the cells of a center's table, and compute intervals between dates."""

import datetime
import re

from thyrocast.contract.text import fold

DAYS_PER_YEAR = 365.25

# First letters of month names in English, German, French, Spanish, Italian, Portuguese, Turkish.
_MONTHS = (
    "jan jän ene gen oca", "feb fev fév şub sub", "mar mär mrz", "apr avr abr nis",
    "may mai mag mayi", "jun juin giu haz", "jul juil lug tem", "aug aou aoû ago ağu agu",
    "sep set eyl", "oct okt out ott eki", "nov kas", "dec dez déc dic ara",
)  # fmt: skip
_MONTH = {start: n for n, starts in enumerate(_MONTHS, 1) for start in starts.split()}
# A date that a spreadsheet shows as a number is the number of days since this day.
_EPOCH = datetime.date(1899, 12, 30)


def parse_date(text: str, order: str) -> datetime.date:
    """Return a date, ISO or in the center's order of day, month and year; a time after it is ignored.

    Months may be names; a number of five digits counts the days of a spreadsheet.

    Raises
    ------
    ValueError
        If the text is not a date.
    """
    value = text.strip()
    if match := re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]|$)", value):
        return datetime.date(*map(int, match.groups()))
    if match := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", value):
        return datetime.date(*map(int, match.groups()))
    if match := re.fullmatch(r"(\d{5})(?:[.,]\d+)?", value):
        return _EPOCH + datetime.timedelta(days=int(match[1]))
    value, order = _without_names(value, order)
    match = re.match(r"(\d{1,4})[./\- ]+(\d{1,2})[./\- ]+(\d{1,4})(?:[T ,.]|$)", value)
    if not match:
        raise ValueError("not a date")
    parts = dict(zip(order, match.groups(), strict=True))
    if len(match[1]) == 4:
        parts = dict(zip("ymd", match.groups(), strict=True))
    year = int(parts["y"])
    if len(parts["y"]) <= 2:
        # A year of two digits is in the past.
        now = datetime.date.today().year
        year += now // 100 * 100 if year <= now % 100 else now // 100 * 100 - 100
    return datetime.date(year, int(parts["m"]), int(parts["d"]))


def _without_names(text: str, order: str) -> tuple[str, str]:
    """Replace the name of a month by its number; return the date and the order of its parts."""
    named = re.fullmatch(r"(.*?)([^\W\d_]{3,})\.?(.*)", text)
    if not named:
        return text, order
    before, name, after = named[1], fold(named[2]), named[3]
    month = next((_MONTH[name[:n]] for n in (4, 3) if name[:n] in _MONTH), None)
    if month is None:  # a word after the date or the time
        return text, order
    parts = [part for part in re.split(r"[\s.,/\-]+", f"{before} {after}") if part]
    if len(parts) < 2:
        raise ValueError("not a date")
    # `May 31, 2024` and `31 May 2024` have the day before the year, `2024 May 31` has it after.
    day, year = parts[:2] if len(parts[0]) <= 2 else parts[1::-1]
    return f"{day} {month} {year}", "dmy"
