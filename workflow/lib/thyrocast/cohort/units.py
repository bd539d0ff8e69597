"""Convert units of a center's numbers to ours."""

import functools
import re
from typing import Any

from thyrocast.contract import cohort as contract
from thyrocast.contract.table import Kind
from thyrocast.errors import InputError

#: Unit of each of our numeric clinical columns.
UNITS = {column.name: column.unit for column in contract.CLINICAL if column.kind is Kind.NUMBER}
# g/mol of thyroxine (C15H11I4NO4) and triiodothyronine (C15H12I3NO4), from IUPAC atomic weights.
MOLAR_MASS = {"ft4": 776.87, "ft3": 650.97}
# Sonographic volume is converted to mass at 1 g/mL (EANM dosimetry guideline, Hänscheid et al. 2013).
DENSITY = "1 g/mL"


def factor(column: str, unit: str, center: str) -> float:
    """Return the factor that converts a number from a center's unit to ours.

    Raises
    ------
    InputError
        If the unit is unknown or measures another quantity.
    """
    ours = UNITS[column]
    if unit == ours:
        return 1.0
    if column == "uptake_24h" and unit == "fraction":
        return 100.0
    registry = _registry()
    if column == "trab":  # laboratories write U for IU; pint takes U for the enzyme unit
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
            f"center {center}, key units.{column}: {unit!r} can't be converted to {ours}, "
            "expected a unit such as `ng/dL` or `mCi`"
        ) from error


@functools.cache
def _registry() -> Any:
    # Imported here because it takes half a second and most centers use our units.
    import pint

    registry: Any = pint.UnitRegistry()
    registry.define("IU = [international_unit] = international_unit")
    return registry
