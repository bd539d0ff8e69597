"""Whether a prediction was made before its outcome was known, and whether the clock that says so is right."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.cohort import OUTCOMES, SCANS
from thyrocast.contract.site_names import Standing
from thyrocast.errors import InputError

#: Somewhere on earth, clocks are this much ahead of UTC.
_LATEST_CLOCK = timedelta(hours=14)
#: Clocks of two machines of a cluster may differ by so much.
_SKEW = timedelta(minutes=10)


def scan_dates(files: Collection[Path]) -> dict[str, str]:
    """Return the date of the earliest scan, ISO 8601, by patient, from the tables `SCANS` of all centers."""
    rows = io.concat(SCANS, [io.read(SCANS, file) for file in files]).dropna(subset="scan_date")
    return {
        str(patient): str(day)
        for patient, day in rows.groupby("patient")["scan_date"].min().items()
    }


def check_clock(now: str, last: str | None, scans: Mapping[str, str]) -> None:
    """Refuse to date predictions by a clock that is slow: they would look earlier than they are.

    Parameters
    ----------
    now
        Time by the clock: ISO 8601, UTC.
    last
        Time of the last prediction in the ledger; None if there is none.
    scans
        Date of the earliest scan of each patient who is predicted; nobody is predicted before it.

    Raises
    ------
    InputError
        If the clock is before one of them.
    """
    moment = datetime.fromisoformat(now)
    if last is not None and moment + _SKEW < datetime.fromisoformat(last):
        raise InputError(
            f"by this machine's clock it is {now}, but the last frozen prediction was made at {last}: set the clock; "
            "predictions are not frozen with a wrong date"
        )
    latest = (moment + _LATEST_CLOCK).date().isoformat()
    for patient, day in scans.items():
        if day > latest:
            raise InputError(
                f"patient {patient}: by this machine's clock it is {now}, but the scan is of {day}: set the clock, or "
                "correct the date in the scan; predictions are not frozen with a wrong date"
            )


def standing(predicted_at: str, dates: pd.Series) -> Standing:
    """Return whether a prediction is earlier than the outcome, by dates.

    Without the date of what decided the outcome, only a prediction up to the day of therapy is surely
    earlier. Dates are local, so the prediction counts as made at the latest local date on earth.

    Parameters
    ----------
    predicted_at
        ISO 8601, UTC.
    dates
        ``visit_date`` and ``therapy_date``, ISO 8601 or missing.
    """
    made = (datetime.fromisoformat(predicted_at) + _LATEST_CLOCK).date()
    decided, therapy = (
        None if pd.isna(value) else date.fromisoformat(str(value))
        for value in (dates["visit_date"], dates["therapy_date"])
    )
    if decided is not None:
        return Standing.BEFORE if made < decided else Standing.LATE
    return Standing.BEFORE if therapy is not None and made <= therapy else Standing.UNDATED


def read_outcomes(files: Collection[Path]) -> pd.DataFrame:
    """Read the private dates of all centers."""
    return io.concat(OUTCOMES, [io.read(OUTCOMES, file) for file in files])
