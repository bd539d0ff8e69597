"""When and how a scan was acquired, as its header states it."""

import datetime
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from thyrocast.contract.names import ScanFlag, ValueSource
from thyrocast.dicom import terms
from thyrocast.dicom.elements import Elements

#: Plausible activities of pertechnetate for a thyroid scan, MBq. Guidelines give 40 to 370 (EANM 2019,
#: SNMMI 2006); below 20 MBq a number may be in mCi (2 to 10 mCi are usual).
ACTIVITY_MBQ = (20.0, 1_000.0)
#: Plausible minutes from injection to image: 15 to 30 are usual, and a dynamic study starts at once.
DELAY_MIN = (1.0, 240.0)
_BQ_PER_MBQ = 1e6
# Statements of one activity that differ by more than this share, and of one delay by more than these
# minutes, contradict each other.
_ACTIVITY_SHARE, _DELAY_MIN = 0.15, 10.0
_DAY_MIN = 1_440.0
# A time of injection without a date that is so much later than the image is of the day before: otherwise, it would be
# wrong by most of a day.
_NIGHT = datetime.timedelta(hours=20)
# Years of digital gamma cameras; exporters write 1900 or 1970 for an unknown date.
_FIRST_YEAR = 1980
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})$")


@dataclass(frozen=True)
class Stated:
    """What a center's table states about the injection of a patient; None if it does not.

    Attributes
    ----------
    activity_mbq, injected
        Activity in MBq and time of day.
    days
        Dates that may be that of the injection, if the order of day and month is not known; none if not stated.
    """

    activity_mbq: float | None = None
    injected: datetime.time | None = None
    days: Collection[datetime.date] = ()


@dataclass(frozen=True)
class Injection:
    """The injection before an image.

    Attributes
    ----------
    activity_mbq, activity_by
        Injected activity in MBq and its source; None if it is unknown or implausible.
    delay_min, delay_by
        Minutes from injection to image and their source; None if unknown or implausible.
    flags
        Implausible and contradictory statements.
    """

    activity_mbq: float | None = None
    activity_by: ValueSource | None = None
    delay_min: float | None = None
    delay_by: ValueSource | None = None
    flags: tuple[ScanFlag, ...] = ()


def acquired(header: Elements) -> datetime.datetime | None:
    """Return when a scan was acquired, by the most specific date of the header.

    AcquisitionDateTime, then the dates of acquisition, content, series and study (C.7.3.1, C.7.5.1,
    C.7.6.1); None if there is no date. A date before `_FIRST_YEAR` or in the future is used only if all are.
    """
    known = _stated(header)
    moment = next(iter([moment for moment in known if is_likely(moment)] or known), None)
    if moment is None or has_clock(moment):
        return moment
    # The time of a study is that of its first image or of its booking, so it is not used for another date.
    kinds = ("Acquisition", "Content", "Series")
    same = [other for other in _stated(header, kinds) if other.date() == moment.date()]
    return next(filter(has_clock, same), moment)


def _stated(
    header: Elements, kinds: Sequence[str] = ("Acquisition", "Content", "Series", "Study")
) -> list[datetime.datetime]:
    """Return the dates of a header, the most specific one first."""
    stamp = header.text("AcquisitionDateTime")
    moments = [_moment(stamp[:8], stamp[8:])] if len(stamp) >= 8 else []
    for kind in kinds:
        date, time = header.text(f"{kind}Date"), header.text(f"{kind}Time")
        if kind == "Acquisition" and time and not date:
            # Without a date of its own, the time of acquisition is on the day of the series.
            dates = (header.text(f"{other}Date") for other in ("Series", "Study", "Content"))
            date = next(filter(None, dates), "")
        moments.append(_moment(date, time))
    return [moment for moment in moments if moment]


def is_likely(moment: datetime.datetime) -> bool:
    """Return whether a date is one of digital cameras and not in the future."""
    tomorrow = datetime.date.today() + datetime.timedelta(days=1)
    return moment.year >= _FIRST_YEAR and moment.date() <= tomorrow


def study_day(header: Elements) -> datetime.date | None:
    """Return StudyDate; None if it is missing or unlikely."""
    study = _moment(header.text("StudyDate"), "")
    return study.date() if study and is_likely(study) else None


def dates_differ(header: Elements) -> bool:
    """Return whether the dates of acquisition and study differ by more than a day, or one is in the future."""
    used, study = acquired(header), study_day(header)
    if used is None or study is None:
        return False
    # Dates of years before digital cameras are placeholders of exporters.
    moments = [used, *(m for m in _stated(header)[:1] if m.year >= _FIRST_YEAR)]
    return any(abs((moment.date() - study).days) > 1 for moment in moments)


def has_clock(moment: datetime.datetime) -> bool:
    """Return whether a moment has a time; 00:00:00 is that of a header without one."""
    return moment.time() != datetime.time()


def zone(header: Elements) -> datetime.timedelta | None:
    """Return the time zone of a header's times (C.12.1.1.8, PS3.5 6.2 DT); None if not stated."""
    stated = (header.text("AcquisitionDateTime"), header.text("TimezoneOffsetFromUTC"))
    return next((offset for text in stated if (offset := _offset(text)) is not None), None)


def minutes_between(earlier: Elements, later: Elements) -> float | None:
    """Return the minutes between two acquisitions; None if the time of one of them is not known."""
    start, end = acquired(earlier), acquired(later)
    if not (start and end and has_clock(start) and has_clock(end)):
        return None
    zones = zone(earlier), zone(later)
    moved = zones[1] - zones[0] if zones[0] is not None and zones[1] is not None else None
    return (end - start - (moved or datetime.timedelta())).total_seconds() / 60


def injection(
    header: Elements,
    moment: datetime.datetime | None,
    stated: Stated | None = None,
    *,
    dynamic: bool = False,
) -> Injection:
    """Return the injection (C.8.4.10) before an image that was acquired at `moment`.

    What the center's table states is used before the header. Implausible values are missing. Of
    several items of the header, the one of technetium-99m is used.

    Parameters
    ----------
    header, moment
        The header, and when the image was acquired.
    stated
        What the table states.
    dynamic
        Whether the image is a dynamic study, which may start with the injection.
    """
    found = header.items("RadiopharmaceuticalInformationSequence")
    drug = next((item for item in found if terms.is_technetium(item)), next(iter(found), None))
    activity, flags = _activity(drug)
    minutes = _minutes(moment, _start(drug, moment, zone(header))) if drug else None
    delay = _plausible_delay(minutes, dynamic=dynamic)
    if drug and (_starts_at_midnight(drug) or _is_in_unknown_zone(drug, header)):
        delay = None
    if delay is not None and drug and _contradicts_itself(drug, zone(header)):
        delay = None
        flags.append(ScanFlag.DELAY_DIFFERS)
    if minutes is not None and delay is None and ScanFlag.DELAY_DIFFERS not in flags:
        flags.append(ScanFlag.DELAY_IMPLAUSIBLE)
    activity_by = ValueSource.HEADER if activity else None
    delay_by = ValueSource.HEADER if delay is not None else None
    stated = stated or Stated()
    if stated.activity_mbq:
        if activity and abs(activity / stated.activity_mbq - 1) > _ACTIVITY_SHARE:
            flags.append(ScanFlag.ACTIVITY_DIFFERS)
        activity, activity_by = stated.activity_mbq, ValueSource.TABLE
    if stated.injected and moment:
        given = _minutes_by_table(moment, stated.injected, stated.days)
        if delay is not None and abs(delay - given) > _DELAY_MIN:
            flags.append(ScanFlag.DELAY_DIFFERS)
        delay, delay_by = _plausible_delay(given, dynamic=dynamic), ValueSource.TABLE
        if delay is None:
            delay_by = None
            flags.append(ScanFlag.DELAY_IMPLAUSIBLE)
    return Injection(activity, activity_by, delay, delay_by, tuple(dict.fromkeys(flags)))


def _activity(drug: Elements | None) -> tuple[float | None, list[ScanFlag]]:
    """Return the activity of a header in MBq (C.8.4.10); None, with a flag, if it is implausible.

    Some exporters write Bq, as in PET (C.8.9.2); no other unit gives such numbers. A number that
    may be in mCi or kBq is not converted.
    """
    dose = drug.number("RadionuclideTotalDose") if drug else None
    low, high = ACTIVITY_MBQ
    if dose is None or low <= dose <= high:
        return dose, []
    if low <= dose / _BQ_PER_MBQ <= high:
        return dose / _BQ_PER_MBQ, [ScanFlag.ACTIVITY_IN_BQ]
    return None, [ScanFlag.ACTIVITY_IMPLAUSIBLE]


def _plausible_delay(minutes: float | None, *, dynamic: bool) -> float | None:
    low, high = (0.0 if dynamic else DELAY_MIN[0]), DELAY_MIN[1]
    return minutes if minutes is not None and low <= minutes <= high else None


def _starts_at_midnight(drug: Elements) -> bool:
    """Return whether the time of injection is 00:00:00, which exporters write for an unknown one."""
    times = (
        drug.text("RadiopharmaceuticalStartDateTime")[8:], drug.text("RadiopharmaceuticalStartTime")
    )  # fmt: skip
    known = [clock for clock in map(_clock, times) if clock is not None]
    return bool(known) and not any(known)


def _is_in_unknown_zone(drug: Elements, header: Elements) -> bool:
    """Return whether only the injection states a time zone, so that an hour or two may be missing."""
    stamp = drug.text("RadiopharmaceuticalStartDateTime")
    return _offset(stamp) is not None and zone(header) is None


def _contradicts_itself(drug: Elements, local: datetime.timedelta | None) -> bool:
    """Return whether the two elements for the start of the injection have different times of the day."""
    stamp = drug.text("RadiopharmaceuticalStartDateTime")
    clock = _clock(drug.text("RadiopharmaceuticalStartTime"))
    other = _clock(stamp[8:])
    if not clock or not other:
        return False
    offset = _offset(stamp)
    if offset is not None and local is not None:
        other += local - offset
    apart = abs((clock - other).total_seconds() / 60) % _DAY_MIN
    return min(apart, _DAY_MIN - apart) > _DELAY_MIN


def _minutes_by_table(
    moment: datetime.datetime, injected: datetime.time, days: Collection[datetime.date]
) -> float:
    """Return the minutes since the injection of the table; of several possible days, that with the shortest plausible time."""
    stated = [moment - datetime.datetime.combine(day, injected) for day in days or [moment.date()]]
    minutes = sorted(one.total_seconds() / 60 for one in stated)
    return next((one for one in minutes if DELAY_MIN[0] <= one <= DELAY_MIN[1]), minutes[0])


def _minutes(moment: datetime.datetime | None, start: datetime.datetime | None) -> float | None:
    return (moment - start).total_seconds() / 60 if moment and start else None


def _start(
    drug: Elements, moment: datetime.datetime | None, local: datetime.timedelta | None
) -> datetime.datetime | None:
    """Return when the injection was, in the time zone of the header."""
    stamp = drug.text("RadiopharmaceuticalStartDateTime")
    start = _moment(stamp[:8], stamp[8:]) if len(stamp) > 8 else None
    offset = _offset(stamp)
    if start and offset is not None and local is not None:
        start += local - offset
    clock = _clock(drug.text("RadiopharmaceuticalStartTime"))
    if start is None and moment and clock is not None:
        start = datetime.datetime.combine(moment.date(), datetime.time()) + clock
        if start - moment > _NIGHT:
            # The image was acquired after midnight.
            start -= datetime.timedelta(days=1)
    return start


def _moment(date: str, time: str) -> datetime.datetime | None:
    digits = re.sub(r"\D", "", date)[:8]
    try:
        day = datetime.datetime.strptime(digits, "%Y%m%d")
    except ValueError:
        return None
    clock = _clock(time)
    return day + clock if clock is not None else day


def _offset(stamp: str) -> datetime.timedelta | None:
    """Return the offset from UTC at the end of a DICOM time (PS3.5 6.2, DT); None without one."""
    match = _OFFSET.search(stamp.strip())
    if not match:
        return None
    offset = datetime.timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -offset if match[1] == "-" else offset


def _clock(time: str) -> datetime.timedelta | None:
    """Return a DICOM time (PS3.5 6.2, TM) as time since midnight."""
    match = re.match(r"(\d{2}):?(\d{2})?:?(\d{2})?", time)
    if not match:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds) if hours < 24 else None
