"""Whether the numbers of a column fit their unit, from their median and from the column's name."""

import math
import re
import statistics
from collections.abc import Mapping, Sequence

from thyrocast.tables.columns import NumberColumn
from thyrocast.tables.units import UNITS, convert

#: Range of plausible medians of a center's patients before therapy, in our units. Usual activities
#: are 370 to 555 MBq (ATA guideline 2016) and 200 to 800 MBq (EANM guideline 2010), here with a
#: margin of 2. The median hormones of a center are between a little below the reference range (under
#: antithyroid drugs) and four times its upper limit; a normal gland has 10 to 20 g and a normal
#: uptake is 10 to 35 %.
MEDIANS = {
    "age": (12.0, 85.0),
    "gland_mass": (8.0, 250.0),
    "uptake_24h": (5.0, 95.0),
    "activity": (80.0, 1_800.0),
    "trab": (0.3, 100.0),
    "ft4": (7.0, 90.0),
    "ft3": (2.0, 40.0),
    "withdrawal_days": (0.0, 120.0),
    "tc_activity": (30.0, 500.0),
}
#: Units that laboratories and hospitals use.
COMMON_UNITS = {
    "age": ("years", "months"),
    "gland_mass": ("g", "mg", "kg"),
    "uptake_24h": ("percent", "fraction"),
    "activity": ("MBq", "mCi", "GBq", "kBq"),
    "trab": ("IU/L", "mIU/L"),
    "ft4": ("pmol/L", "ng/dL", "ng/L"),
    "ft3": ("pmol/L", "pg/mL", "ng/dL"),
    "withdrawal_days": ("days", "weeks", "months"),
    "tc_activity": ("MBq", "mCi", "GBq", "kBq"),
}
#: Values of single patients beyond which a unit is doubtful, although they are possible.
_UNUSUAL = {"activity": (37.0, 3_700.0), "ft4": (2.5, 150.0), "uptake_24h": (1.01, 100.0)}
# Fewer values say little about a unit, and few strange ones are single errors.
_LEAST, _MIXED_SHARE = 3, 0.1
# Other centers' medians: a factor between two centers that another unit explains better.
_FACTOR, _NEAR = 4.0, 1.5
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
_CONCENTRATION = re.compile(r"([a-zµμ%]+)\s*(?:[/_]|\s+per\s+)\s*(d?l|ml)$", re.IGNORECASE)


def fault(column: NumberColumn) -> str:
    """Return why a column's unit must be confirmed; "" if nothing speaks against it."""
    named = named_unit(column.header, column.name)
    if named and column.as_given and not _same(convert(column.name, named), column.factor):
        return (
            f"its name says {named}, but units.{column.name} is {column.unit}: set "
            f"units.{column.name}: {named}{_accept(column.name)}"
        )
    given = sorted(column.as_given.values())
    if column.name not in MEDIANS or len(given) < _LEAST:
        return ""
    middle = statistics.median(given)
    better = better_units(column.name, column.factor, middle)
    if better:
        low, high = MEDIANS[column.name]
        return (
            f"the median of its {len(given)} numbers is {middle:.3g} {column.unit}, expected "
            f"{low:g} to {high:g} {UNITS[column.name]}, which fits {' or '.join(better)} better: set "
            f"units.{column.name}{_accept(column.name)}"
        )
    return _mixture(column, given)


def without_small_activities(column: NumberColumn) -> NumberColumn:
    """Return a column of therapeutic activities without single numbers that are in mCi although the others are in MBq.

    Few such numbers are no mixture of units (`fault`), but none of them is an activity of a therapy: less than 1 mCi.
    """
    known = [value for value in column.values if value is not None]
    if column.name != "activity" or len(known) < _LEAST:
        return column
    if statistics.median(known) < MEDIANS[column.name][0]:
        return column
    low = _UNUSUAL[column.name][0]
    for position, value in enumerate(column.values):
        if value is not None and value < low and position in column.as_given:
            column.values[position] = None
            column.problems[position] = (
                f"less than {low:g} {UNITS[column.name]}, which may be in mCi: write the unit into the cell"
            )
    return column


def _accept(name: str) -> str:
    return f", or list {name} in accept.unusual_values if the unit is right"


def _same(first: float | None, second: float) -> bool:
    return first is not None and math.isclose(first, second, rel_tol=1e-6)


def better_units(name: str, factor: float, middle: float) -> list[str]:
    """Return the common units in which a median is plausible, if it is not in the given one.

    Parameters
    ----------
    name
        Our name of the quantity.
    factor
        Converts the given unit to ours.
    middle
        The median in the given unit.
    """
    low, high = MEDIANS[name]
    if low <= middle * factor <= high:
        return []
    return [unit for unit, size in _others(name, factor) if low <= middle * size <= high]


def possible_units(name: str, factor: float, middle: float) -> list[str]:
    """Return the other common units in which a median is plausible as well."""
    low, high = MEDIANS.get(name, (math.inf, -math.inf))
    return [unit for unit, size in _others(name, factor) if low <= middle * size <= high]


def _others(name: str, factor: float) -> list[tuple[str, float]]:
    sizes = [(unit, convert(name, unit)) for unit in COMMON_UNITS.get(name, ())]
    return [(unit, size) for unit, size in sizes if size and not _same(size, factor)]


def _mixture(column: NumberColumn, given: Sequence[float]) -> str:
    """Return whether several cells fit another unit than the rest."""
    if column.name not in _UNUSUAL:
        return ""
    low, high = _UNUSUAL[column.name]
    strange = [value for value in given if not low <= value * column.factor <= high]
    if len(strange) < max(_LEAST, _MIXED_SHARE * len(given)):
        return ""
    middle = statistics.median(strange)
    better = better_units(column.name, column.factor, middle)
    if not better:
        return ""
    return (
        f"{len(strange)} of its {len(given)} numbers are about {middle:.3g}, which fits "
        f"{' or '.join(better)} and not {column.unit}: write the unit into these cells"
        f"{_accept(column.name)}"
    )


def named_unit(header: str, name: str) -> str | None:
    """Return the unit in the name of a column (``fT4 [ng/dl]``, ``activity_mci``), if there is one."""
    bracketed = [inside.strip() for inside in _BRACKETS.findall(header)]
    bare = _BRACKETS.sub(" ", header)
    words = re.split(r"[\s_,;:]+", bare.strip())
    tail = "/".join(words[-2:])
    candidates = [*bracketed, *(inside.split()[-1] for inside in bracketed if inside)]
    if _CONCENTRATION.fullmatch(tail):
        candidates.append(tail)
    # A single letter at the end (`Dosis_g`) is a unit only behind an underscore.
    if len(words) > 1 and (len(words[-1]) > 1 or header.rstrip()[-2:-1] == "_"):
        candidates.append(words[-1])
    for candidate in candidates:
        # No therapy is measured in millibecquerel.
        unit = "MBq" if candidate.casefold() == "mbq" else candidate
        if convert(name, unit):
            return unit
    return None


def other_centers(name: str, medians: Mapping[str, tuple[float, float]]) -> dict[str, list[str]]:
    """Return the centers whose median is far from the others', and units that would explain it.

    Parameters
    ----------
    name
        Our name of the quantity.
    medians
        For each center, the factor of its unit and the median in this unit.
    """
    found = {}
    for center, (factor, middle) in medians.items():
        others = [size * value for other, (size, value) in medians.items() if other != center]
        if len(others) < 2 or middle <= 0 or min(others) <= 0:
            continue
        usual = statistics.median(others)
        if 1 / _FACTOR < middle * factor / usual < _FACTOR:
            continue
        near = [
            unit
            for unit, size in _others(name, factor)
            if 1 / _NEAR < middle * size / usual < _NEAR
        ]
        if near:
            found[center] = near
    return found
