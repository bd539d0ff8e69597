"""Patients who look like one person; a person in both training and test set is leakage."""

import collections
import datetime
import itertools
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from thyrocast.cohort.person_hashes import other_given
from thyrocast.config.cohort import Duplicates
from thyrocast.errors import InputError

LOG = logging.getLogger("thyrocast")
PIXELS, IDENTIFIER = "identical pixels", "the same identifier"
BIRTH = "the same birth date and sex"
# One person has one first therapy; dates that differ by more than this belong to two people. Within
# a center, a second entry of a person may have the date of another visit.
SAME_THERAPY_DAYS = 7
SAME_CENTER_DAYS = 31
# If more patients of one center have the same birth date, it is a placeholder for an unknown one.
MOST_BORN = 3
REASON = "the same person as another patient"
_SHOWN = 5


@dataclass(frozen=True)
class Person:
    """What distinguishes people; "" for what is not known.

    Attributes
    ----------
    patient, center
        Pseudonym and center.
    identifier, birth, pixels
        Keyed hash of the identifier, of birth date and sex, and hash of the camera's pixels.
    therapy, scan
        Date of therapy and of the scan, ISO 8601.
    name, given
        Keyed hashes of the name and of the given name, as `person_hashes` returns them.
    """

    patient: str
    center: str
    identifier: str
    birth: str
    therapy: str
    pixels: str
    scan: str = ""
    name: str = ""
    given: str = ""


def people(best: pd.DataFrame) -> list[Person]:
    """Return patients as `Person`, in the order of a table.

    Parameters
    ----------
    best
        Best scans: the columns of `contract.cohort.SCANS`, and ``center`` and ``digest``, the hash
        of the pixels.
    """
    columns = [
        "patient", "center", "person_identifier", "person_birth", "therapy_date", "digest",
        "scan_date", "person_name", "person_given",
    ]  # fmt: skip
    return [Person(*texts) for texts in best[columns].fillna("").itertuples(index=False)]


def find(people: Sequence[Person]) -> dict[tuple[str, str], str]:
    """Return the pairs of patients who look like one person, in the order of `people`, and why.

    - Identical pixels are the same image, even if the identifiers differ.
    - The same identifier in two centers, or with other leading zeros in one, is one person, unless
      birth dates or sexes differ, or, if these are not known, the therapies are far apart. If that is so
      for most identifiers that two centers share, both count their patients from 1, and it shows nothing.
    - The same birth date and sex is one person if the name is the same or, unless the given names
      differ, if the therapies are near. If no date of therapy is known for one of them, the dates
      of the scans are compared; without these, two patients of two centers are one person, and two
      patients of one center are not.

    In each pair, the patient who was treated first comes first.
    """
    pairs: dict[tuple[str, str], str] = {}
    counted = _with_equal_numbers(people)
    for why, group in _groups(people):
        for a, b in itertools.combinations(group, 2):
            if _match(a, b, why) and not _is_number(a, b, why, counted):
                pairs.setdefault(_ordered(a, b), why)
    return pairs


def _is_number(a: Person, b: Person, why: str, counted: set[frozenset[str]]) -> bool:
    """Return whether two patients have only a number in common that both centers gave."""
    shared = why == IDENTIFIER and frozenset((a.center, b.center)) in counted
    return shared and not (a.birth and b.birth)


def _with_equal_numbers(people: Sequence[Person]) -> set[frozenset[str]]:
    """Return the pairs of centers of which most shared identifiers are those of different people."""
    one: collections.Counter[frozenset[str]] = collections.Counter()
    two: collections.Counter[frozenset[str]] = collections.Counter()
    for why, group in _groups(people):
        for a, b in itertools.combinations(group, 2):
            if why == IDENTIFIER and a.center != b.center:
                (one if _match(a, b, why) else two)[frozenset((a.center, b.center))] += 1
    return {centers for centers, number in two.items() if number > one[centers]}


def namesakes(people: Sequence[Person]) -> list[tuple[str, str]]:
    """Return the pairs who would look like one person if their given names did not differ.

    They may be twins, or one person with two spellings.
    """
    one = find(people)
    return [
        pair
        for why, group in _groups(people)
        for a, b in itertools.combinations(group, 2)
        if why == BIRTH
        and _other_given(a, b)
        and _near(a, b)
        and (pair := _ordered(a, b)) not in one
    ]


def equal_numbers(people: Sequence[Person]) -> list[tuple[str, str]]:
    """Return the pairs who would look like one person if their centers did not both count their patients from 1."""
    counted, one = _with_equal_numbers(people), find(people)
    return [
        pair
        for why, group in _groups(people)
        for a, b in itertools.combinations(group, 2)
        if _is_number(a, b, why, counted)
        and _match(a, b, why)
        and (pair := _ordered(a, b)) not in one
    ]


def _groups(people: Sequence[Person]) -> Iterable[tuple[str, list[Person]]]:
    for why, name in ((PIXELS, "pixels"), (IDENTIFIER, "identifier"), (BIRTH, "birth")):
        groups: dict[str, list[Person]] = {}
        for person in people:
            if value := getattr(person, name):
                groups.setdefault(value, []).append(person)
        if name == "birth":
            groups = {key: group for key, group in groups.items() if not _placeholder(group)}
        yield from ((why, group) for group in groups.values() if len(group) > 1)


def _placeholder(group: Sequence[Person]) -> bool:
    return max(collections.Counter(person.center for person in group).values()) > MOST_BORN


def _ordered(a: Person, b: Person) -> tuple[str, str]:
    if a.therapy and b.therapy and b.therapy < a.therapy:
        a, b = b, a
    return a.patient, b.patient


def _match(a: Person, b: Person, why: str) -> bool:
    if why == PIXELS:
        return True
    if why == IDENTIFIER and a.birth and b.birth:
        return a.birth == b.birth
    if why == BIRTH and set(a.name.split()) & set(b.name.split()):
        return True
    if why == BIRTH and _other_given(a, b):
        return False
    return _near(a, b)


def _other_given(a: Person, b: Person) -> bool:
    return other_given(a.given, b.given)


def _near(a: Person, b: Person) -> bool:
    """Return whether two patients were treated, or else scanned, within a few days."""
    apart = _days_apart(a.therapy, b.therapy)
    if apart is None:
        apart = _days_apart(a.scan, b.scan)
    if apart is None:
        return a.center != b.center
    return apart <= (SAME_CENTER_DAYS if a.center == b.center else SAME_THERAPY_DAYS)


def _days_apart(a: str, b: str) -> int | None:
    if not a or not b:
        return None
    return abs((datetime.date.fromisoformat(a) - datetime.date.fromisoformat(b)).days)


def resolve(
    people: Sequence[Person], meaning: Duplicates, distinct: Iterable[Sequence[str]]
) -> set[str]:
    """Return the patients to exclude, by what the config says about patients who look alike.

    Pairs with different given names, and those who have only a number in common, are logged, and not excluded.

    Parameters
    ----------
    people
        All included patients, in the order of centers and registers.
    meaning
        `cohort.duplicates`: ``stop``, ``exclude`` (the one treated first stays) or ``keep``.
    distinct
        Pairs of pseudonyms that are known to be two people.

    Raises
    ------
    InputError
        If the config does not say what to do with a pair.
    """
    known = {frozenset(pair) for pair in distinct}
    for pair in namesakes(people):
        if frozenset(pair) not in known:
            LOG.warning(
                "patients %s and %s have the same birth date and sex and near dates, but different "
                "given names: they are taken as two people",
                *pair,
            )
    for pair in equal_numbers(people):
        if frozenset(pair) not in known:
            LOG.warning(
                "patients %s and %s have the same identifier and near dates, but most identifiers that "
                "their centers share are those of different people: they are taken as two people",
                *pair,
            )
    pairs = {pair: why for pair, why in find(people).items() if frozenset(pair) not in known}
    if not pairs or meaning is Duplicates.KEEP:
        return set()
    if meaning is Duplicates.EXCLUDE:
        return {second for _, second in pairs}
    shown = [f"{a} and {b} ({why})" for (a, b), why in itertools.islice(pairs.items(), _SHOWN)]
    more = f" and {len(pairs) - _SHOWN} more pairs" if len(pairs) > _SHOWN else ""
    raise InputError(
        f"patients {', '.join(shown)}{more} look like one person, which would leak from training to "
        "test: state in the config that they are one person (cohort.duplicates: exclude), that "
        "some pairs are two people (cohort.distinct), or that all pairs are (cohort.duplicates: "
        "keep)"
    )
