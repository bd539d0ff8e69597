"""Read numbers from the cells of a center's table."""

import re

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
}


def parse_number(text: str) -> float:
    """Return a number with decimal point or comma, with or without thousands separators.

    A value below or above a limit is read as the limit: ``<0.4`` is 0.4.

    Raises
    ------
    ValueError
        If the text is not a number.
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
