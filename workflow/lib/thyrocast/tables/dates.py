"""Read dates from the cells of a center's table, and compute intervals between dates."""

import datetime
import functools
import re
import unicodedata

DAYS_PER_YEAR = 365.25
#: Orders of day, month and year in dates that are not ISO.
ORDERS = ("dmy", "mdy", "ymd")

# Names of the months in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish,
# Scandinavian languages, Turkish and Russian, without accents. A word may be cut after 3 letters.
_MONTHS = (
    "january januar janner janvier enero gennaio janeiro januari styczen stycznia ocak "
    "январь января",
    "february februar feber fevrier febrero febbraio fevereiro februari luty lutego subat "
    "февраль февраля",
    "march marz maerz mrz mars marzo marco maart mrt marzec marca mart март марта",
    "april avril abril aprile kwiecien kwietnia nisan апрель апреля",
    "may mai mayo maggio maio mei maj maja mayis май мая",
    "june juni juin junio giugno junho czerwiec czerwca haziran июнь июня",
    "july juli juillet julio luglio julho lipiec lipca temmuz июль июля",
    "august aout agosto augustus augusti sierpien sierpnia agustos август августа",
    "september septembre septiembre setiembre settembre setembro wrzesien wrzesnia eylul "
    "сентябрь сентября",
    "october oktober octobre octubre ottobre outubro pazdziernik pazdziernika ekim октябрь октября",
    "november novembre noviembre novembro listopad listopada kasim ноябрь ноября",
    "december dezember decembre diciembre dicembre dezembro desember grudzien grudnia aralik "
    "декабрь декабря",
)
_NAMES = [(name, number) for number, names in enumerate(_MONTHS, 1) for name in names.split()]
_WEEKDAYS = frozenset(
    [
        "mon",
        "tue",
        "tues",
        "wed",
        "thu",
        "thur",
        "thurs",
        "fri",
        "sat",
        "sun",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "mo",
        "di",
        "mi",
        "do",
        "fr",
        "sa",
        "so",
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "samstag",
        "sonntag",
        "lun",
        "mar",
        "mer",
        "jeu",
        "ven",
        "sam",
        "dim",
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "samedi",
        "dimanche",
        "mie",
        "jue",
        "vie",
        "sab",
        "dom",
        "lunes",
        "martes",
        "miercoles",
        "jueves",
        "viernes",
        "sabado",
        "domingo",
    ]
)
# Words between the parts of a date: `31 de mayo de 2020`, `1er mars`, `31st of May`.
_BETWEEN = frozenset(
    ["de", "del", "di", "of", "the", "le", "den", "er", "st", "nd", "rd", "th", "o"]
)
_TIME = (
    r"(?:[T ,]\s*\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?|Uhr|h|hrs)?"
    r"\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?)?"
)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})" + _TIME)
_CJK = re.compile(r"(\d{4})[年년]\s*(\d{1,2})[月월]\s*(\d{1,2})[日일]")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{6})?")
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?")
_PARTS = re.compile(r"(\d{1,4})\s?([./-]|\s)\s?(\d{1,2})\s?\2\s?(\d{1,4})\.?" + _TIME)
# A date that a spreadsheet shows as a number is the number of days since this day.
_EPOCH = datetime.date(1899, 12, 30)
# Other programs count days since 1960 (SAS, Stata) or 1970 (R). Up to here (11 June 1968), a
# number could be theirs; only a birth date may be as early.
_SURE_SERIAL = 25_000
# Radioiodine was first given to a patient with Graves' disease in 1941 (Hertz and Roberts,
# JAMA 1946); a person who was born before 1900 is in no study with a digital scintigram.
_FIRST_EVENT = datetime.date(1941, 1, 1)
_FIRST_BIRTH = datetime.date(1900, 1, 2)
# How far ahead the therapy of a prospective patient may be planned.
_PLANNED = datetime.timedelta(days=730)
_PLACEHOLDERS = {(1900, 1, 1), (1899, 12, 30), (1899, 12, 31), (1111, 11, 11), (1, 1, 1)}
_LAST_YEAR = 2900
_FIRST_YEAR = 1850


class Parts(tuple[str, str, str]):
    """Three numbers of a date whose order is not known."""

    __slots__ = ()


def parse_date(text: str, order: str, birth: bool = False, planned: bool = False) -> datetime.date:
    """Return a date, ISO or in the center's order of day, month and year; a time after it is ignored.

    Months may be names; a number of five digits counts the days of a spreadsheet.

    Parameters
    ----------
    text
        The cell.
    order
        One of `ORDERS`.
    birth
        Whether it is a birth date, which may be earlier than other dates.
    planned
        Whether it may be a planned date, up to `_PLANNED` ahead.

    Raises
    ------
    ValueError
        If the text is not a date of this order, or not a plausible one; says why.
    """
    found = _split(text, birth)
    date = found if isinstance(found, datetime.date) else _ordered(found, order, planned)
    return _plausible(date, birth, planned)


@functools.lru_cache(maxsize=65_536)
def possible_orders(text: str, birth: bool = False, planned: bool = False) -> frozenset[str] | None:
    """Return the orders in which a cell is a plausible date.

    Returns
    -------
    frozenset
        Empty if the cell is a date in none; None if the order makes no difference, or the cell is
        not a date at all.
    """
    try:
        found = _split(text, birth)
    except ValueError:
        return None
    if isinstance(found, datetime.date):
        return None
    dates: dict[str, datetime.date] = {}
    for order in ORDERS:
        try:
            dates[order] = _plausible(_ordered(found, order, planned), birth, planned)
        except ValueError:
            continue
    if len(found[0]) > 2 or (set(dates) >= {"dmy", "mdy"} and len(set(dates.values())) == 1):
        return None
    return frozenset(dates)


def has_dots(text: str) -> bool:
    """Return whether the parts of a date are separated by points.

    No language puts the month first in such a date (Unicode CLDR 46, patterns of dates).
    """
    match = _PARTS.fullmatch(_clean(text))
    return bool(match and match[2] == ".")


def _clean(text: str) -> str:
    value = " ".join(unicodedata.normalize("NFKC", text).split())
    first, _, rest = value.partition(" ")
    if rest[:1].isdigit() and _plain(first.rstrip(".,")) in _WEEKDAYS:
        return rest
    return value


def _split(text: str, birth: bool) -> datetime.date | Parts:
    """Return a date whose order is known, or its parts."""
    value = _clean(text)
    for pattern in (_ISO, _CJK, _COMPACT):
        if match := pattern.fullmatch(value):
            return _date(*match.groups())
    if match := _SERIAL.fullmatch(value):
        days = int(match[1])
        if days < _SURE_SERIAL and not birth:
            raise ValueError("a number that may count days since 1900, 1960 or 1970")
        return _EPOCH + datetime.timedelta(days=days)
    if match := _PARTS.fullmatch(value):
        parts = Parts((match[1], match[3], match[4]))
        return _date(*parts) if len(match[1]) == 4 else parts
    if re.fullmatch(r"(\d{1,2}[./-])?\d{4}", value):
        raise ValueError("not a whole date")
    return _named(value)


def _named(value: str) -> datetime.date:
    """Return a date with the name of its month."""
    words: list[str] = re.findall(r"\d+|[^\W\d_]+", re.sub(_TIME + "$", "", value))
    numbers = [word for word in words if word.isdigit()]
    names = [_plain(word) for word in words if not word.isdigit()]
    months = [_months_of(name) for name in names if name not in _BETWEEN]
    if len(months) != 1 or len(months[0]) != 1 or len(numbers) != 2:
        raise ValueError("not a date")
    month = str(months[0][0])
    # `May 31, 2024` and `31 May 2024` have the day before the year, `2024 May 31` has it after.
    day, year = numbers if len(numbers[0]) <= 2 else reversed(numbers)
    if len(year) == 2:
        return _ordered(Parts((day, month, year)), "dmy")
    return _date(year, month, day)


def _plain(word: str) -> str:
    """Return a word in lower case and without accents."""
    letters = unicodedata.normalize("NFD", word.casefold().replace("ı", "i"))
    return "".join(c for c in letters if not unicodedata.combining(c))


@functools.lru_cache(maxsize=1024)
def _months_of(word: str) -> list[int]:
    """Return the months whose name begins with a word; several for a word such as ``jui``."""
    if len(word) < 3:
        return []
    return sorted({number for name, number in _NAMES if name.startswith(word)})


def _date(year: str, month: str, day: str) -> datetime.date:
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError("no day of the calendar") from None


def _ordered(parts: Parts, order: str, planned: bool = False) -> datetime.date:
    named = dict(zip(order, parts, strict=True))
    year = named["y"]
    if len(year) <= 2:
        # A year of two digits is in the past, or not further ahead than a plan.
        latest = (datetime.date.today() + (_PLANNED if planned else datetime.timedelta())).year
        century = latest // 100 * 100
        year = str(int(year) + (century if int(year) <= latest % 100 else century - 100))
    elif len(year) != 4 or max(len(named["m"]), len(named["d"])) > 2:
        raise ValueError(f"not a date in the order {order}")
    try:
        return datetime.date(int(year), int(named["m"]), int(named["d"]))
    except ValueError:
        raise ValueError(f"no day of the calendar in the order {order}") from None


def _plausible(date: datetime.date, birth: bool, planned: bool = False) -> datetime.date:
    """Return a date; refuse a placeholder, and one that no patient of a study can have."""
    parts = (date.year, date.month, date.day)
    if parts in _PLACEHOLDERS or not _FIRST_YEAR <= date.year < _LAST_YEAR:
        raise ValueError("a placeholder, not a date: if it means not known, list it in `missing`")
    if not birth and parts == (1970, 1, 1):
        raise ValueError("a placeholder, not a date: if it means not known, list it in `missing`")
    if date < (_FIRST_BIRTH if birth else _FIRST_EVENT):
        raise ValueError("too early to be the date of a patient of this study")
    today = datetime.date.today()
    if planned and date > today + _PLANNED:
        raise ValueError(f"a date more than {_PLANNED.days} days in the future")
    if not planned and date > today:
        raise ValueError("a date in the future")
    return date
