"""Convert units of a center's numbers to ours; standard library only.

The config and single cells may name units. They are read when the workflow is parsed, where a full
library of units would cost more time than the rest; the tests compare every factor with pint.
"""

import re
import unicodedata
from dataclasses import dataclass

from thyrocast.contract import cohort as contract
from thyrocast.contract.table import Kind
from thyrocast.errors import InputError

#: Unit of each of our numeric clinical columns, of TSH, and of the injected technetium-99m activity.
UNITS = {
    **{column.name: column.unit for column in contract.CLINICAL if column.kind is Kind.NUMBER},
    "tsh": "mIU/L",
    "tc_activity": "MBq",
}
#: g/mol of thyroxine (C15H11I4NO4) and triiodothyronine (C15H12I3NO4), from IUPAC atomic weights.
MOLAR_MASS = {"ft4": 776.87, "ft3": 650.97}

# Days of a year and a month as in `dates`: Julian years.
_YEAR = 365.25
# A unit by its symbol: what it measures, and its size in Bq, g, L, mol, IU, d or percent.
_BASES: dict[str, tuple[str, float]] = {
    "Bq": ("activity", 1.0),
    "Ci": ("activity", 3.7e10),
    "g": ("mass", 1.0),
    "L": ("volume", 1.0),
    "mol": ("amount", 1.0),
    "IU": ("effect", 1.0),
}
_PREFIXES = {
    "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9,
    "p": 1e-12, "f": 1e-15, "g": 1e9,
}  # fmt: skip
_ONE_CASE = {"mbq": "MBq", "MCI": "mCi"}
_BASE_NAMES = {
    "bq": "Bq", "becquerel": "Bq", "ci": "Ci", "curie": "Ci", "g": "g", "gram": "g", "gr": "g",
    "gramm": "g", "l": "L", "liter": "L", "litre": "L", "mol": "mol", "iu": "IU", "ui": "IU",
    "ie": "IU", "u": "IU", "e": "IU",
}  # fmt: skip
_PREFIX_NAMES = {
    "kilo": "k", "mega": "M", "giga": "G", "deci": "d", "dezi": "d", "centi": "c", "milli": "m",
    "micro": "u", "mikro": "u", "mc": "u", "nano": "n", "pico": "p", "piko": "p", "femto": "f",
}  # fmt: skip
# Units without a prefix, in the languages of the tables.
_WORDS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("%", "percent", "prozent", "pct"), ("share", 1.0)),
    "fraction": ("share", 100.0),
    **dict.fromkeys(
        ("y", "yr", "yrs", "year", "years", "a", "j", "jahr", "jahre", "an", "ans", "año", "años",
         "ano", "anos", "anni", "yıl", "yaş"),
        ("time", _YEAR),
    ),
    **dict.fromkeys(
        ("mo", "month", "months", "monat", "monate", "mois", "mes", "meses", "mesi", "ay"),
        ("time", _YEAR / 12),
    ),
    **dict.fromkeys(
        ("w", "wk", "week", "weeks", "woche", "wochen", "semaine", "semaines", "semana", "semanas",
         "settimane", "hafta"),
        ("time", 7.0),
    ),
    **dict.fromkeys(
        ("d", "day", "days", "tag", "tage", "t", "jour", "jours", "día", "días", "dia", "dias",
         "giorni", "gün"),
        ("time", 1.0),
    ),
    **dict.fromkeys(("h", "hr", "hour", "hours"), ("time", 1 / 24)),
    **dict.fromkeys(("cc", "cm3", "cm^3", "ccm", "cm³"), ("volume", 1e-3)),
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A unit: what it measures (such as ``mass/volume``) and its size in base units."""

    measures: str
    size: float


def parse_unit(text: str) -> Unit | None:
    """Return a unit from its text; None if the text is not a unit.

    Capital letters count only where both mean something: ``mBq`` is not ``MBq``, but ``ng/dl`` is
    ``ng/dL``.
    """
    # Compatible characters: both micro signs, full-width letters.
    value = unicodedata.normalize("NFKC", text).strip().strip("[]()").replace("μ", "u")
    value = value.replace("µ", "u")
    parts = [part.strip() for part in value.split("/")]
    if not all(parts) or len(parts) > 2:
        return None
    found = [_simple(part) for part in parts]
    top = found[0]
    if top is None:
        return None
    if len(found) == 1:
        return top
    below = found[1]
    if below is None or below.measures != "volume":
        return None
    return Unit(f"{top.measures}/volume", top.size / below.size)


def _simple(text: str) -> Unit | None:
    word = text.casefold().rstrip(".")
    # Without capital letters, or with nothing else, m and M have one meaning: nobody measures mBq or MCi.
    text = _ONE_CASE.get(text.rstrip("."), text)
    if word in _WORDS:
        return Unit(*_WORDS[word])
    for base_name in sorted(_BASE_NAMES, key=len, reverse=True):
        # A plural of a word (`curies`, `liters`).
        plural = f"{base_name}s" if len(base_name) > 3 else base_name
        for ending in dict.fromkeys((base_name, plural)):
            if not word.endswith(ending):
                continue
            start = text[: len(text.rstrip(".")) - len(ending)]
            prefix = _prefix(start)
            if prefix is not None:
                measures, size = _BASES[_BASE_NAMES[base_name]]
                return Unit(measures, prefix * size)
    return None


def _prefix(text: str) -> float | None:
    """Return the factor of a prefix; capital letters count only where both are prefixes (m, M)."""
    text = _PREFIX_NAMES.get(text.casefold(), text)
    return _PREFIXES.get(text, _PREFIXES.get(text.casefold()))


def convert(column: str, unit: str) -> float | None:
    """Return the factor from a unit to ours; None if it is unknown or measures another quantity.

    Sonographic volume is converted to mass at 1 g/mL (EANM dosimetry guideline, Hänscheid et al.
    2013), mass concentrations of thyroid hormones by their molar mass.

    Parameters
    ----------
    column
        Our name of the quantity, as in `UNITS`.
    unit
        The unit of the center.
    """
    ours = UNITS[column]
    given, target = parse_unit(unit), parse_unit(ours)
    if given is None or target is None:
        return None
    size, measures = given.size, given.measures
    if column == "gland_mass" and measures == "volume":
        size, measures = size * 1000.0, "mass"
    if column in MOLAR_MASS and measures == "mass/volume":
        size, measures = size / MOLAR_MASS[column], "amount/volume"
    if measures != target.measures:
        return None
    # Rounding to 12 digits removes the error of the division: 1 mCi is 37 MBq.
    return float(f"{size / target.size:.12g}")


def factor(column: str, unit: str, center: str) -> float:
    """Return the factor that converts a number from a center's unit to ours.

    Raises
    ------
    InputError
        If the unit is unknown or measures another quantity.
    """
    found = convert(column, unit)
    if found is None:
        raise InputError(
            f"center {center}, key units.{column}: {unit!r} can't be converted to {UNITS[column]}, "
            f"expected a unit such as {_example(column)}"
        )
    return found


def _example(column: str) -> str:
    examples = {
        "age": "`years`", "gland_mass": "`g` or `mL`", "uptake_24h": "`percent` or `fraction`",
        "activity": "`MBq` or `mCi`", "tc_activity": "`MBq` or `mCi`", "trab": "`IU/L`", "ft4": "`pmol/L` or `ng/dL`",
        "ft3": "`pmol/L` or `pg/mL`", "withdrawal_days": "`days` or `weeks`", "tsh": "`mIU/L`",
    }  # fmt: skip
    return examples[column]


#: A number and the unit behind it, as in ``12,50 mCi``.
_WITH_UNIT = re.compile(r"^(.*?[\d.,])\s*([^\d\s.,+\-<>()*][^\d<>*]{0,20}(?:m3|m\^3)?)$")


def split_unit(text: str) -> tuple[str, str]:
    """Return the number and the unit of a cell; the unit is "" if there is none.

    Examples
    --------
    >>> split_unit("12,50 mCi"), split_unit("62%"), split_unit("35.2 H")
    (('12,50', 'mCi'), ('62', '%'), ('35.2 H', ''))
    """
    match = _WITH_UNIT.match(text.strip())
    if match and parse_unit(match[2]) is not None:
        return match[1].strip(), match[2].strip()
    return text, ""
