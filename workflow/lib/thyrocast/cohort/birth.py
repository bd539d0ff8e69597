"""When a person was born, by what headers and tables contain: dates in many forms, and ages."""

import datetime
import re
from dataclasses import dataclass

from thyrocast.dicom.acquisition import acquired, is_likely
from thyrocast.dicom.elements import Header
from thyrocast.tables.dates import DAYS_PER_YEAR

#: Above this age, the age in a table may be a group (45 CFR 164.514(b)(2)(i)(C): 90 or older).
OLDEST = 89
# Nobody who is treated today was born in or before this year; such a date is a placeholder.
_FIRST_YEAR = 1901
_DATE = re.compile(r"(\d{4})(?:[-./ ]?(\d{2})(?:[-./ ]?(\d{2}))?)?")
# Day and month first, which DICOM does not allow: which of them is first is not known.
_YEAR_LAST = re.compile(r"\d{1,2}[-./ ]\d{1,2}[-./ ](\d{4})")
# PatientAge (AS, PS3.5 6.2) has three digits and a unit; exporters omit zeros or the unit. An infant is no
# patient of this study: its age is a placeholder.
_AGE = re.compile(r"(\d{1,4}) ?([DWMY]?)")
_FEWEST_IN_MONTHS = 10.0
_PER_YEAR = {"D": DAYS_PER_YEAR, "W": DAYS_PER_YEAR / 7, "M": 12.0, "Y": 1.0, "": 1.0}


@dataclass(frozen=True)
class Born:
    """A birth date; of a date on January 1 only the year is used, since the day is often unknown."""

    year: int
    day: str = ""

    def agrees(self, other: "Born") -> bool:
        """Return whether both may be the same date."""
        days = (self.day, other.day)
        return self.year == other.year and (not all(days) or days[0] == days[1])

    @property
    def time(self) -> float:
        """The date in years; the middle of the year if the day is not known."""
        return self.year + (int(self.day[:2] or 7) - 0.5) / 12


def born(text: str) -> Born | None:
    """Return a PatientBirthDate (DA, or with separators); None for an unknown one.

    Of a date with the year at the end, only the year is known.
    """
    match = _DATE.fullmatch(text.strip()) or _YEAR_LAST.fullmatch(text.strip())
    if not match or not _FIRST_YEAR < int(match[1]) <= datetime.date.today().year:
        return None
    month, day = (*match.groups()[1:], None, None)[:2]
    both = f"{month or '00'}{day or '00'}"
    try:
        datetime.date(int(match[1]), int(both[:2]), int(both[2:]))
    except ValueError:
        both = ""
    return Born(int(match[1]), "" if both == "0101" else both)


def header_age(header: Header) -> float | None:
    """Return PatientAge in years; None if it is unknown, a placeholder, or may be a group."""
    match = _AGE.fullmatch(header.text("PatientAge").strip().upper())
    years = int(match[1]) / _PER_YEAR[match[2]] if match else 0.0
    # "034M" is written for an adult of 34 years too, and a child under ten is hardly a patient of this study.
    if match and match[2] == "M" and years < _FEWEST_IN_MONTHS:
        return None
    return years if 1 <= years < OLDEST + 1 else None


def year_of_birth(header: Header) -> float | None:
    """Return the time of birth in years by PatientAge, up to a year too late; None if unknown."""
    age, moment = header_age(header), acquired(header)
    # From a placeholder for an unknown date, as 1970, nothing follows.
    if age is None or moment is None or not is_likely(moment):
        return None
    return moment.year + moment.timetuple().tm_yday / DAYS_PER_YEAR - age
