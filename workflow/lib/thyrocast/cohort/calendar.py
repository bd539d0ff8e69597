"""Dates of therapy: which patients were treated before a day, and which from it on."""

import datetime
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thyrocast.contract import io
from thyrocast.contract.cohort import OUTCOMES
from thyrocast.errors import InputError

logger = logging.getLogger("thyrocast")


@dataclass(frozen=True)
class Calendar:
    """Dates of therapy with the first day of the test set.

    Attributes
    ----------
    dates
        Date of therapy by patient; patients without one are missing.
    cut
        First day of the test set; None: it is chosen by `test_fraction`.
    test_fraction
        Share of the patients who were treated from then on.
    """

    dates: Mapping[str, datetime.date]
    cut: datetime.date | None
    test_fraction: float

    def first_day(self, patients: Sequence[str]) -> datetime.date:
        """Return the first day of the test set.

        Parameters
        ----------
        patients
            Those who are divided.

        Raises
        ------
        InputError
            If no patient has a date.
        """
        known = sorted(self.dates[patient] for patient in patients if patient in self.dates)
        if not known:
            raise InputError(
                "design temporal: no development patient has a date of therapy, expected the column "
                "`therapy_date` of their center: remove temporal from `designs`"
            )
        if self.cut is not None:
            return self.cut
        place = min(len(known) - 1, round((1 - self.test_fraction) * len(known)))
        # The date of a patient stays private: the first of its month is taken.
        return known[place].replace(day=1)


def read(files: Mapping[str, Path]) -> dict[str, datetime.date]:
    """Read the dates of therapy of centers.

    Parameters
    ----------
    files
        ``outcomes.csv`` of each center.

    Returns
    -------
    dict
        By patient. A center whose patients have one date in common has none: a de-identified package
        writes the same day for everybody.
    """
    found: dict[str, datetime.date] = {}
    for center, file in files.items():
        table = io.read(OUTCOMES, file)
        rows = table[table["therapy_date"].notna()]
        dates = {
            str(patient): datetime.date.fromisoformat(str(day))
            for patient, day in zip(rows["patient"], rows["therapy_date"], strict=True)
        }
        if len(dates) > 1 and len(set(dates.values())) == 1:
            logger.warning(
                "center %s: all %d patients have the same date of therapy, as in a de-identified "
                "package: it is not used, and they are not in the temporal design", center, len(dates),
            )  # fmt: skip
            continue
        found |= dates
    return found
