"""Which scan of a patient is the pretreatment scintigram."""

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thyrocast.dicom import frames, terms
from thyrocast.dicom.frames import Scan, Verdict
from thyrocast.dicom.header import Record
from thyrocast.dicom.terms import items, number

Settings = Mapping[str, Any]
# Scans that are tried, best first, where the image of one turns out to be no gland.
ALTERNATIVES = 6
_KINDS = ("static", "dynamic", "capture")
_KNOWN_BY = ("code", "orientation", "description", "fallback")
# Total activities beyond this can't be MBq (C.8.4.10); the exporter wrote Bq, as in PET.
MOST_MBQ = 100_000.0
_RESIDUAL = re.compile(
    r"\brest|resid|\bempty\b|\bleer|\bvide\b|vac[ií]a|vuota|\bboş\b|\bafter\b|\bpost|\bnach\b"
)


@dataclass(frozen=True)
class Candidate:
    """One scan with what its file says about it; lengths in mm, times in s, activities in MBq."""

    name: str
    record: Record
    scan: Scan
    moment: datetime.datetime | None
    spacing: tuple[float, float]
    spacing_by: str


@dataclass(frozen=True)
class Choice:
    """The scans of a patient, best first, or the reason why there is none."""

    scans: tuple[Candidate, ...] = ()
    reason: str = ""


def acquired(record: Record) -> datetime.datetime | None:
    """When a scan was taken: the most specific date that the header has (C.7.3.1, C.7.5.1, C.7.6.1)."""
    stamp = str(record.get("AcquisitionDateTime") or "")
    if len(stamp) >= 8 and (moment := _moment(stamp[:8], stamp[8:])):
        return moment
    for kind in ("Acquisition", "Content", "Series", "Study"):
        if moment := _moment(record.get(f"{kind}Date"), record.get(f"{kind}Time")):
            return moment
    return None


def _moment(date: Any, time: Any) -> datetime.datetime | None:
    digits = re.sub(r"\D", "", str(date or ""))[:8]
    try:
        day = datetime.datetime.strptime(digits, "%Y%m%d")
    except ValueError:
        return None
    clock = _clock(time)
    return day + clock if clock is not None else day


def _clock(time: Any) -> datetime.timedelta | None:
    """A DICOM time (PS3.5 6.2, TM) since midnight."""
    match = re.match(r"(\d{2}):?(\d{2})?:?(\d{2})?", str(time or ""))
    if not match:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds) if hours < 24 else None


def spacing(record: Record, scan: Scan, center: Settings) -> tuple[tuple[float, float] | None, str]:
    """Row and column spacing in mm and where they come from: header, config, or a reason why not.

    PixelSpacing (C.7.6.3.1.3, row spacing first). A pinhole magnifies with distance, so its
    millimetres hold nowhere (C.8.4.11.1.2).
    """
    fallback = center["fallbacks"]["pixel_mm"]
    if pinhole(record, scan) and not center["accept"]["pinhole"]:
        return None, "a pinhole collimator, which has no valid millimetres"
    if scan.kind != "capture" and not pinhole(record, scan):
        given = record.get("PixelSpacing")
        if isinstance(given, list) and len(given) == 2:
            rows, columns = number(given[0]), number(given[1])
            if rows and columns and min(rows, columns) >= 0.05 and max(rows, columns) <= 20:
                return (rows, columns), "header"
    if fallback:
        return (float(fallback), float(fallback)), "config"
    return None, "pixel size not stated"


def pinhole(record: Record, scan: Scan) -> bool:
    """Whether the frame was taken through a pinhole."""
    return terms.collimator(detector(record, scan)) == "pinhole"


def detector(record: Record, scan: Scan) -> Record:
    """The detector item (C.8.4.11) of a scan; an empty one where there is none."""
    found = items(record, "DetectorInformationSequence")
    at = (scan.detector or 1) - 1
    return found[at] if at < len(found) else {}


def choose(
    files: Iterable[tuple[str, Record, Verdict]],
    therapy: datetime.date | None,
    center: Settings,
    cohort: Settings,
) -> Choice:
    """Choose the pretreatment scan of a patient.

    Parameters
    ----------
    files
        The patient's files: name, header, verdict.
    therapy
        Date of the therapy.
    center, cohort
        Blocks of the config.

    Returns
    -------
    Choice
        Scans within the configured window before the therapy, nearest first; on one day static
        before dynamic before secondary captures, then by how surely the view is known, original
        before derived, the longest first.
    """
    found: list[Candidate] = []
    reasons: list[tuple[int, str]] = []
    for name, record, verdict in files:
        if not verdict.scans:
            reasons.append((verdict.stage, verdict.reason))
        for scan in verdict.scans:
            size, by = spacing(record, scan, center)
            if size is None:
                reasons.append((90, by))
            else:
                found.append(Candidate(name, record, scan, acquired(record), size, by))
    if not found:
        if not reasons:
            return Choice(reason="no images")
        stage = max(stage for stage, _ in reasons)
        last = [reason for at, reason in reasons if at == stage]
        return Choice(reason=max(sorted(set(last)), key=last.count))
    return _by_date(found, therapy, cohort)


def _by_date(found: Sequence[Candidate], therapy: datetime.date | None, cohort: Settings) -> Choice:
    low, high = cohort["scan_window_days"]
    dated = [c for c in found if c.moment]
    if therapy and dated:
        days = {c.name: (therapy - c.moment.date()).days for c in dated if c.moment}
        inside = [c for c in dated if low <= days[c.name] <= high]
        if inside:
            return _ranked(inside, lambda c: days[c.name])
        if all(d < low for d in days.values()):
            return Choice(reason="scans only after, or too near to, the therapy")
        return Choice(reason="no scan within the window before the therapy")
    if cohort["without_dates"] == "exclude" and len({c.name for c in found}) > 1:
        return Choice(reason="several scans and no date to choose by")
    first = datetime.date(9999, 1, 1)
    return _ranked(found, lambda c: (c.moment.date() if c.moment else first).toordinal())


def _ranked(found: Sequence[Candidate], day: Any) -> Choice:
    def order(c: Candidate) -> tuple[Any, ...]:
        derived = "DERIVED" in [str(part).upper() for part in _listed(c.record.get("ImageType"))]
        return (
            day(c),
            _KINDS.index(c.scan.kind),
            len(c.scan.flags),
            _KNOWN_BY.index(c.scan.view_by),
            derived,
            -(c.scan.duration_s or 0.0),
            c.moment or datetime.datetime.max,
            # Copies of one object, and frames of one file, in a fixed order.
            str(c.record.get("SOPInstanceUID")),
            c.name,
            c.scan.frames,
        )

    return Choice(tuple(sorted(found, key=order)[:ALTERNATIVES]))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def injection(
    record: Record, moment: datetime.datetime | None
) -> tuple[float | None, float | None]:
    """Injected activity in MBq and minutes from injection to image (C.8.4.10); None where unknown.

    A total dose of zero is not known. The Tc-99m item counts where there are several.
    """
    found = items(record, "RadiopharmaceuticalInformationSequence")
    ours = [item for item in found if terms.radionuclide_of(item) == "tc99m"] or found
    if not ours:
        return None, None
    dose = number(ours[0].get("RadionuclideTotalDose"))
    if dose and dose > MOST_MBQ:
        dose /= 1e6
    given = str(ours[0].get("RadiopharmaceuticalStartDateTime") or "")
    start = _moment(given[:8], given[8:]) if len(given) > 8 else None
    if start is None and moment and (clock := _clock(ours[0].get("RadiopharmaceuticalStartTime"))):
        start = datetime.datetime.combine(moment.date(), datetime.time()) + clock
    minutes = (moment - start).total_seconds() / 60 if moment and start else None
    return dose, minutes if minutes is not None and 0 <= minutes <= 24 * 60 else None


def syringes(
    files: Iterable[tuple[str, Record, Verdict]], chosen: Candidate
) -> dict[str, tuple[str, int, float, float]]:
    """Images of the dose syringe on the day of a scan.

    Returns
    -------
    dict
        ``full`` and ``residual`` -> file, frame (from 0), duration in s, minutes from the
        syringe's image to the gland's (negative where it was taken after); missing ones lack.
    """
    found: dict[str, tuple[str, int, float, float]] = {}
    # Of several that say nothing of before or after, the earliest is the full one.
    for name, record, verdict in sorted(
        files, key=lambda file: (acquired(file[1]) or datetime.datetime.max, file[0])
    ):
        moment = acquired(record)
        seconds = number(record.get("ActualFrameDuration"))
        if not (verdict.syringe and moment and chosen.moment and seconds):
            continue
        if moment.date() != chosen.moment.date() or frames.frame_count(record) > 8:
            continue
        on = frames.vector(record, "DetectorVector", frames.frame_count(record), 2)
        frame = on.index(chosen.scan.detector) if chosen.scan.detector in on else 0
        text = terms.words(record.get("SeriesDescription"), record.get("ImageComments"))
        kind = "residual" if _RESIDUAL.search(text) else "full"
        minutes = (chosen.moment - moment).total_seconds() / 60
        found.setdefault(kind, (name, frame, seconds / 1000, minutes))
    return found
