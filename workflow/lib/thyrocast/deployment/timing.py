"""Whether a prediction was made before its outcome was known."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd

from thyrocast.contract.site_names import Standing

#: Somewhere on earth, clocks are this much ahead of UTC.
_LATEST_CLOCK = timedelta(hours=14)


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
