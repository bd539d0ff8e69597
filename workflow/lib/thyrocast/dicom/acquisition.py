"""When and how a scan was acquired, as its header states it."""

import datetime
import re
from dataclasses import dataclass

from thyrocast.dicom import terms
from thyrocast.dicom.elements import Elements

# A total dose above this can't be in MBq (C.8.4.10); the exporter wrote Bq, as in PET.
MOST_MBQ = 100_000.0
_BQ_PER_MBQ = 1e6
# The image is acquired within a day after the injection.
_LONGEST_DELAY_MIN = 24 * 60


@dataclass(frozen=True)
class Injection:
    """Injected activity in MBq and minutes from injection to image; None if unknown."""

    activity_mbq: float | None = None
    delay_min: float | None = None


def acquired(header: Elements) -> datetime.datetime | None:
    """Return when a scan was acquired, by the most specific date of the header.

    AcquisitionDateTime, then the dates of acquisition, content, series and study (C.7.3.1, C.7.5.1,
    C.7.6.1); None if there is no date.
    """
    stamp = header.text("AcquisitionDateTime")
    if len(stamp) >= 8 and (moment := _moment(stamp[:8], stamp[8:])):
        return moment
    for kind in ("Acquisition", "Content", "Series", "Study"):
        if moment := _moment(header.text(f"{kind}Date"), header.text(f"{kind}Time")):
            return moment
    return None


def injection(header: Elements, moment: datetime.datetime | None) -> Injection:
    """Return the injection (C.8.4.10) before an image that was acquired at `moment`.

    A total dose of zero is unknown. Of several items, the one of technetium-99m is used.
    """
    found = header.items("RadiopharmaceuticalInformationSequence")
    ours = [item for item in found if terms.is_technetium(item)] or list(found)
    if not ours:
        return Injection()
    dose = ours[0].number("RadionuclideTotalDose")
    if dose and dose > MOST_MBQ:
        dose /= _BQ_PER_MBQ
    start = _start(ours[0], moment)
    minutes = (moment - start).total_seconds() / 60 if moment and start else None
    if minutes is not None and not 0 <= minutes <= _LONGEST_DELAY_MIN:
        minutes = None
    return Injection(dose, minutes)


def _start(drug: Elements, moment: datetime.datetime | None) -> datetime.datetime | None:
    stamp = drug.text("RadiopharmaceuticalStartDateTime")
    start = _moment(stamp[:8], stamp[8:]) if len(stamp) > 8 else None
    clock = _clock(drug.text("RadiopharmaceuticalStartTime"))
    if start is None and moment and clock:
        start = datetime.datetime.combine(moment.date(), datetime.time()) + clock
    return start


def _moment(date: str, time: str) -> datetime.datetime | None:
    digits = re.sub(r"\D", "", date)[:8]
    try:
        day = datetime.datetime.strptime(digits, "%Y%m%d")
    except ValueError:
        return None
    clock = _clock(time)
    return day + clock if clock is not None else day


def _clock(time: str) -> datetime.timedelta | None:
    """Return a DICOM time (PS3.5 6.2, TM) as time since midnight."""
    match = re.match(r"(\d{2}):?(\d{2})?:?(\d{2})?", time)
    if not match:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds) if hours < 24 else None
