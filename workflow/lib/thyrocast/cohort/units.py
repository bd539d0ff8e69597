"""Numbers, units, codes and dates as they stand in the cells of a center's table."""

import datetime
import functools
import re
from collections.abc import Mapping
from typing import Any

from thyrocast.contract.text import fold as fold
from thyrocast.errors import InputError

# Unit and physiological range of each of our numeric columns.
UNITS = {
    "age": "years",
    "gland_mass": "g",
    "uptake_24h": "percent",
    "activity": "MBq",
    "trab": "IU/L",
    "ft4": "pmol/L",
    "ft3": "pmol/L",
    "withdrawal_days": "days",
}
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
}
# g/mol of thyroxine (C15H11I4NO4) and triiodothyronine (C15H12I3NO4), from IUPAC atomic weights.
MOLAR_MASS = {"ft4": 776.87, "ft3": 650.97}
# Sonographic volume is taken as mass at 1 g/mL (EANM dosimetry guideline, Hänscheid et al. 2013).
DENSITY = "1 g/mL"

CODES = {
    "sex": ("female", "male", "other"),
    "antithyroid_drug": ("none", "methimazole", "carbimazole", "propylthiouracil", "other"),
    "orbitopathy": ("yes", "no"),
    "smoking": ("never", "former", "current"),
}
_BUILT_IN = {
    "sex": {"f": "female", "w": "female", "m": "male", "o": "other"},
    "antithyroid_drug": {"mmi": "methimazole", "cbz": "carbimazole", "ptu": "propylthiouracil"},
    "smoking": {},
}
YES = {
    "yes", "y", "true", "1", "x", "+", "ja", "j", "oui", "si", "sí", "sì", "sim", "evet", "var",
    "tak", "ano", "igen", "да", "有", "是", "あり", "はい", "예",
}  # fmt: skip
NO = {
    "no", "n", "false", "0", "-", "–", "—", "none", "nil", "nein", "kein", "keine", "non", "aucun",
    "nee", "geen", "nej", "ingen", "não", "nessuno", "ninguno", "nenhum", "hayir", "yok", "nie",
    "brak", "ne", "nem", "нет", "无", "否", "無", "なし", "いいえ", "아니오",
}  # fmt: skip
# Names of antithyroid drugs in a cell, and of thyroid hormone, which is none of them.
_ANTITHYROID = re.compile(
    r"\bm(et|éth)h?imazol|\bth?iamazol|\bcarbimazol|\bpropylthiourac|\bpropiltiourac|\bptu\b|\bmmi\b"
    r"|\bcbz\b|\batd\b|\bthyreosta|\bthyrozol|\btapazol|\bstrumazol|\bfavistan|\bneo-?mercazol"
    r"|\bthacapzol|perchlor|перхлорат|тиамазол|メルカゾール|チウラジール|甲巯咪唑|丙硫氧嘧啶"
)
_HORMONE = re.compile(
    r"\b(levo|l)[- ]?(th?[iy]rox|t4\b)|\b(eu)?th?[iy]rox|\blt4\b|\bsynthroid|тироксин|チラーヂン"
)
_DOSE = re.compile(r"\d+([.,]\d+)? ?(mg|мг|毫克)?(/ ?\w+)?")
_BUILT_IN["orbitopathy"] = dict.fromkeys(YES, "yes") | dict.fromkeys(NO, "no")

# Beginnings of the months' names in English, German, French, Spanish, Italian, Portuguese, Turkish.
_MONTHS = (
    "jan jän ene gen oca", "feb fev fév şub sub", "mar mär mrz", "apr avr abr nis",
    "may mai mag mayi", "jun juin giu haz", "jul juil lug tem", "aug aou aoû ago ağu agu",
    "sep set eyl", "oct okt out ott eki", "nov kas", "dec dez déc dic ara",
)  # fmt: skip
_MONTH = {start: n for n, starts in enumerate(_MONTHS, 1) for start in starts.split()}
# Days of a date that a spreadsheet shows as a number count from here.
_EPOCH = datetime.date(1899, 12, 30)


def parse_number(text: str) -> float:
    """A number with decimal point or comma, thousands marked or not; ``<0.4`` counts as 0.4.

    Raises
    ------
    ValueError
        If the text is no number.
    """
    value = re.sub(r"[\s'\u00a0\u202f]", "", text).lstrip("<>≤≥~=")
    if re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+,\d+|[-+]?\d{1,3}(\.\d{3}){2,}", value):
        value = value.replace(".", "")
    elif re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+\.\d+|[-+]?\d{1,3}(,\d{3}){2,}", value):
        value = value.replace(",", "")
    value = value.replace(",", ".")
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?", value, re.IGNORECASE):
        raise ValueError("not a number")
    return float(value)


def factor(column: str, unit: str, center: str) -> float:
    """What a number in a center's unit is multiplied with to be in ours.

    Raises
    ------
    InputError
        If the unit is unknown or measures something else.
    """
    ours = UNITS[column]
    if unit == ours:
        return 1.0
    if column == "uptake_24h" and unit == "fraction":
        return 100.0
    registry = _registry()
    if column == "trab":  # laboratories write U for IU; to the library it is an enzyme's
        unit = re.sub(r"(?<![A-Za-z])([mµu]?)U(?=/)", r"\1IU", unit)
    try:
        given = registry.Quantity(1.0, unit)
        if column == "gland_mass" and given.check("[volume]"):
            given = given * registry.Quantity(DENSITY)
        if column in MOLAR_MASS and given.check("[mass]/[volume]"):
            given = given / registry.Quantity(MOLAR_MASS[column], "g/mol")
        return float(given.to(ours).magnitude)
    except Exception as error:
        raise InputError(
            f"center {center}, key units.{column}: {unit!r} is no unit that becomes {ours}: "
            "write it as `ng/dL`, `mCi` or the like"
        ) from error


@functools.cache
def _registry() -> Any:
    # Imported here: most centers send our units, and the library takes half a second to load.
    import pint

    registry: Any = pint.UnitRegistry()
    registry.define("IU = [international_unit] = international_unit")
    return registry


def decode(column: str, text: str, codes: Mapping[str, str | None]) -> str | None:
    """Our code for a center's code; None for one that means "not known".

    Raises
    ------
    ValueError
        If the code is not among the center's nor ours.
    """
    folded = fold(text)
    table = {fold(str(theirs)): ours for theirs, ours in codes.items()}
    for known in (table, {c: c for c in CODES[column]}, _BUILT_IN[column]):
        if folded in known:
            return known[folded]
    raise ValueError("an unknown code")


def antithyroid_drug(text: str, codes: Mapping[str, str | None]) -> bool:
    """Whether a cell about drugs tells of an antithyroid one: a yes or no, a name or a dose.

    Parameters
    ----------
    text
        The cell; empty is no.
    codes
        The center's codes of ``antithyroid_drug``.

    Raises
    ------
    ValueError
        If it tells neither; a guess either way would decide the patient's outcome.
    """
    folded = fold(text)
    if not folded or folded in NO or re.fullmatch(r"0+([.,]0+)? ?\w{0,3}", folded):
        return False
    if folded in YES or _ANTITHYROID.search(folded) or _DOSE.fullmatch(folded):
        return True
    if _HORMONE.search(folded):
        return False
    code = decode("antithyroid_drug", text, codes)
    if code is None:
        raise ValueError("a code that means not known")
    return code != "none"


def parse_date(text: str, order: str) -> datetime.date:
    """A date, ISO or in the center's order of day, month and year; a time after it is dropped.

    Months may be names, and a number of five digits counts a spreadsheet's days.

    Raises
    ------
    ValueError
        If the text is no date.
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
        # Two digits are a year that has been.
        now = datetime.date.today().year
        year += now // 100 * 100 if year <= now % 100 else now // 100 * 100 - 100
    return datetime.date(year, int(parts["m"]), int(parts["d"]))


def _without_names(text: str, order: str) -> tuple[str, str]:
    """A date with its month's name made a number, and the order of its parts."""
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
    # `May 31, 2024` and `31 May 2024` have the day before the year, `2024 May 31` after it.
    day, year = parts[:2] if len(parts[0]) <= 2 else parts[1::-1]
    return f"{day} {month} {year}", "dmy"
