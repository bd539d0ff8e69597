"""Patients who look like one person; a person in both training and test set is leakage."""

import collections
import datetime
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from thyrocast.config.cohort import Duplicates
from thyrocast.errors import InputError

# One person has one first therapy; dates that differ by more than this belong to two people.
SAME_THERAPY_DAYS = 7
# If more patients of one center have the same birth date, it is a placeholder for an unknown one.
MOST_BORN = 3
REASON = "the same person as another patient"


@dataclass(frozen=True)
class Person:
    """What distinguishes people; "" for what is not known.

    Attributes
    ----------
    patient, center
        Pseudonym and center.
    identifier, birth, pixels
        Keyed hash of the identifier, of birth date and sex, and hash of the camera's pixels.
    therapy
        Date of therapy, ISO 8601.
    """

    patient: str
    center: str
    identifier: str
    birth: str
    therapy: str
    pixels: str


def find(people: Sequence[Person]) -> dict[tuple[str, str], str]:
    """Return the pairs of patients who look like one person, in the order of `people`, and why.

    - Identical pixels are the same image, even if the identifiers differ.
    - The same identifier in two centers is one person, unless birth dates or sexes differ, or, if
      these are not known, the therapies are more than a week apart.
    - The same birth date and sex in two centers is one person, unless the therapies are more than
      a week apart; within a center, only if both were treated on the same day.
    """
    pairs: dict[tuple[str, str], str] = {}
    for why, group in _groups(people):
        for a, b in itertools.combinations(group, 2):
            if _match(a, b, why):
                pairs.setdefault((a.patient, b.patient), why)
    return pairs


def _groups(people: Sequence[Person]) -> Iterable[tuple[str, list[Person]]]:
    for why, name in (
        ("identical pixels", "pixels"),
        ("the same identifier", "identifier"),
        ("the same birth date and sex", "birth"),
    ):
        groups: dict[str, list[Person]] = {}
        for person in people:
            if value := getattr(person, name):
                groups.setdefault(value, []).append(person)
        if name == "birth":
            groups = {key: group for key, group in groups.items() if not _placeholder(group)}
        yield from ((why, group) for group in groups.values() if len(group) > 1)


def _placeholder(group: Sequence[Person]) -> bool:
    return max(collections.Counter(person.center for person in group).values()) > MOST_BORN


def _match(a: Person, b: Person, why: str) -> bool:
    apart = _days_apart(a.therapy, b.therapy)
    if why == "identical pixels":
        return True
    if why == "the same identifier":
        if a.center == b.center:
            return False
        if a.birth and b.birth:
            return a.birth == b.birth
        return apart is None or apart <= SAME_THERAPY_DAYS
    if a.center == b.center:
        return apart == 0
    return apart is None or apart <= SAME_THERAPY_DAYS


def _days_apart(a: str, b: str) -> int | None:
    if not a or not b:
        return None
    return abs((datetime.date.fromisoformat(a) - datetime.date.fromisoformat(b)).days)


def resolve(
    people: Sequence[Person], meaning: Duplicates, distinct: Iterable[Sequence[str]]
) -> set[str]:
    """Return the patients to exclude, by what the config says about patients who look alike.

    Parameters
    ----------
    people
        All included patients, in the order of centers and registers.
    meaning
        `cohort.duplicates`: ``stop``, ``exclude`` (the first stays) or ``keep``.
    distinct
        Pairs of pseudonyms that are known to be two people.

    Raises
    ------
    InputError
        If the config does not say what to do with a pair.
    """
    known = {frozenset(pair) for pair in distinct}
    pairs = {pair: why for pair, why in find(people).items() if frozenset(pair) not in known}
    if not pairs or meaning is Duplicates.KEEP:
        return set()
    if meaning is Duplicates.EXCLUDE:
        return {second for _, second in pairs}
    shown = [f"{a} and {b} ({why})" for (a, b), why in itertools.islice(pairs.items(), 5)]
    more = f" and {len(pairs) - 5} more pairs" if len(pairs) > 5 else ""
    raise InputError(
        f"patients {', '.join(shown)}{more} look like one person, which would leak from training to "
        "test: state in the config that they are one person (cohort.duplicates: exclude), that "
        "some pairs are two people (cohort.distinct), or that all pairs are (cohort.duplicates: "
        "keep)"
    )
