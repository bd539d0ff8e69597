"""Studies and objects that are in files of several patients, of whom one has an image of another one."""

import collections
import itertools
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from thyrocast.dicom.acquisition import acquired, is_likely
from thyrocast.dicom.frames import PatientFile

LOG = logging.getLogger("thyrocast")
#: What is unique to a study and an object; a value of more patients than this is a placeholder.
UNIQUE, MOST_SHARED = ("StudyInstanceUID", "SOPInstanceUID"), 3
#: The images of a study are acquired within as many days, those of an object on one.
_MOST_DAYS = 2
# A unique identifier has the number of an organization or a random number (PS3.5 9.1, B.2), so that it is at
# least so long, and has a part of at least so many digits. Examples in manuals and defaults of
# programs, such as 1.2.3.4.5, have not.
_SHORTEST, _LONGEST_PART = 20, 4
# Identifiers that the standard itself defines name classes and encodings, no study and no object.
_STANDARD = "1.2.840.10008."


def find(
    by_patient: Mapping[str, Sequence[PatientFile]],
    may_be_one: Callable[[PatientFile, PatientFile], bool],
) -> Iterator[tuple[str, str, PatientFile]]:
    """Yield patients with a study or an object of another patient: identifier, keyword, and file.

    A study and an object belong to one patient (PS3.3 C.7.2.1, C.12.1). A value is a placeholder of an exporter, and
    shows nothing, if it can't be unique, if more than `MOST_SHARED` patients have it, or if their images are of
    different days.

    Parameters
    ----------
    by_patient
        All files of a center, by identifier.
    may_be_one
        Whether two files with different identifiers are known to be those of one person.
    """
    for keyword in UNIQUE:
        placeholders = 0
        for uid, shared in _owners(by_patient, keyword).items():
            if len(shared) < 2:
                continue
            if not is_plausible(uid) or len(shared) > MOST_SHARED:
                placeholders += 1
                continue
            for a, b in itertools.combinations(shared, 2):
                pair = shared[a], shared[b]
                if _on_other_days(*pair):
                    placeholders += 1
                elif not may_be_one(*pair):
                    yield from ((owner, keyword, shared[owner]) for owner in (a, b))
        if placeholders:
            LOG.warning(
                "%d values of %s are in files of several patients, but are not unique (they are no unique "
                "identifiers, belong to more than %d patients, or to images of different days): they are "
                "taken as placeholders, and do not show whose image it is",
                placeholders, keyword, MOST_SHARED,
            )  # fmt: skip


def is_plausible(uid: str) -> bool:
    """Return whether a unique identifier (PS3.5 9.1) may be one, and no placeholder."""
    significant = re.sub(r"(\.0*)+$", "", uid)
    if uid.startswith(_STANDARD) or len(significant) < _SHORTEST:
        return False
    parts = significant.split(".")
    return max(map(len, parts)) >= _LONGEST_PART and len(set("".join(parts))) > 2


def _owners(
    by_patient: Mapping[str, Sequence[PatientFile]], keyword: str
) -> dict[str, dict[str, PatientFile]]:
    """Return the first file of each patient, by identifier, with each value of an element."""
    owners: dict[str, dict[str, PatientFile]] = collections.defaultdict(dict)
    for identifier, files in by_patient.items():
        for file in files:
            uid = file.header.text(keyword)
            if identifier and uid and not file.header.reason:
                owners[uid].setdefault(identifier, file)
    return owners


def _on_other_days(a: PatientFile, b: PatientFile) -> bool:
    # A placeholder date (1970) is not the day of an image.
    days = [day.date() for file in (a, b) if (day := acquired(file.header)) and is_likely(day)]
    return len(days) == 2 and abs((days[0] - days[1]).days) > _MOST_DAYS
