"""Numbers as the report writes them; a missing number is a dash."""

import math
from typing import Any, TypeGuard

import pandas as pd

MISSING = "–"


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number."""
    if value is None or value is pd.NA or isinstance(value, str | bool):
        return False
    try:
        return math.isfinite(float(value))  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        return False


def number(value: object, digits: int = 2) -> str:
    """A number with fixed digits."""
    if not is_number(value):
        return MISSING
    text = f"{float(value):.{digits}f}"
    # A number that is rounded to zero has no sign.
    text = text.removeprefix("-") if float(text) == 0 else text
    return text.replace("-", "−")


def significant(value: object, digits: int = 3) -> str:
    """A measured quantity with significant digits and a thousands separator."""
    if not is_number(value):
        return MISSING
    size = float(value)
    if size == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(size))))
    return f"{size:,.{decimals}f}".replace("-", "−")


def interval(low: object, high: object, digits: int = 2) -> str:
    """An interval, such as ``0.72 to 0.90``; empty if a limit is missing."""
    if not (is_number(low) and is_number(high)):
        return ""
    return f"{number(low, digits)} to {number(high, digits)}"


def estimate(value: object, low: object = None, high: object = None, digits: int = 2) -> str:
    """An estimate with its interval: ``0.81 (0.72 to 0.90)``."""
    if not is_number(value):
        return MISSING
    within = interval(low, high, digits)
    return number(value, digits) + (f" ({within})" if within else "")


def count(value: object) -> str:
    """A whole number with a thousands separator."""
    return f"{int(float(value)):,}" if is_number(value) else MISSING


def share(part: float, whole: float) -> str:
    """A number with its percentage of the whole: ``31 (26 %)``."""
    return f"{count(part)} ({percent(part / whole)})" if whole else count(part)


def percent(value: object, digits: int = 0) -> str:
    """A share between 0 and 1 as a percentage."""
    return (
        f"{number(100 * float(value), digits)}\N{NO-BREAK SPACE}%" if is_number(value) else MISSING
    )


def p_value(value: object) -> str:
    """A p value as journals print it."""
    if not is_number(value):
        return MISSING
    size = float(value)
    return "< 0.001" if size < 0.001 else number(size, 3 if size < 0.1 else 2)


def quartiles(values: "pd.Series[Any]") -> tuple[str, str]:
    """Median, and first to third quartile: ``44`` and ``36 to 53``.

    Parameters
    ----------
    values
        Numbers; missing ones are left out.
    """
    known = values.dropna().astype(float)
    if known.empty:
        return MISSING, ""
    whole = bool((known == known.round()).all())
    low, middle, high = (
        count(round(part)) if whole else significant(part)
        for part in known.quantile([0.25, 0.5, 0.75])
    )
    return middle, f"{low} to {high}"
