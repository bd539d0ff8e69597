"""Whether the images of one identifier, and the row of the table, are those of one person."""

import collections
import datetime
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from thyrocast.cohort import naming, shared_uids
from thyrocast.cohort.birth import OLDEST, Born, born, year_of_birth
from thyrocast.cohort.duplicates import MOST_BORN
from thyrocast.cohort.naming import Name
from thyrocast.config.center import PersonFact
from thyrocast.contract.names import Sex
from thyrocast.dicom.acquisition import acquired
from thyrocast.dicom.frames import PatientFile
from thyrocast.tables.clinical import ClinicalPatient
from thyrocast.tables.dates import DAYS_PER_YEAR

LOG = logging.getLogger("thyrocast")
REASON = "contradictory identity"
AGE = "age"
#: Ages of the table and of the header that differ by more belong to two people.
MOST_AGE_YEARS = 2.0
_WORDS = {
    str(PersonFact.BIRTH_DATE): "birth date", str(PersonFact.SEX): "sex",
    str(PersonFact.NAME): "name", str(PersonFact.ISSUER): "issuer of the identifier", AGE: AGE,
}  # fmt: skip
# What is compared file by file; shared studies and objects are found over all patients.
_FACTS = tuple(fact for fact in PersonFact if fact is not PersonFact.STUDY)
# If so many patients, and at least this share, contradict the table, the config is in doubt.
_FEWEST, _MOST_SHARE = 3, 0.3


def sex_of(text: str) -> Sex | None:
    """Return female or male; None for other and unknown values, which contradict nothing."""
    word = text.strip().casefold()
    if word in {"f", "female", "w", "weiblich"}:
        return Sex.FEMALE
    return Sex.MALE if word in {"m", "male", "männlich"} else None


@dataclass(frozen=True)
class Facts:
    """What one source says about a person; None or empty for what is not known."""

    born: Born | None = None
    sex: Sex | None = None
    name: dict[str, Name] = field(default_factory=dict)
    issuer: str = ""

    def knows(self, what: PersonFact) -> bool:
        """Return whether the source says something about it."""
        known = {
            PersonFact.BIRTH_DATE: self.born, PersonFact.SEX: self.sex,
            PersonFact.NAME: self.name, PersonFact.ISSUER: self.issuer,
        }  # fmt: skip
        return bool(known[what])

    def shows_one_person(self, other: "Facts") -> bool:
        """Return whether birth date or name of both are known and the same, and none differs."""
        if not all(_agree(what, self, other) for what in _FACTS if what is not PersonFact.ISSUER):
            return False
        dates = self.born and other.born and self.born.day and other.born.day
        return bool(dates or (self.name and other.name))


class Between(StrEnum):
    """Between which sources something differs."""

    IMAGES = "among the images"
    TABLE = "between images and table"
    PATIENTS = "under several identifiers"


@dataclass(frozen=True)
class Difference:
    """What differs, a file in which it does, and from what; no values."""

    what: str
    file: str
    between: Between


@dataclass
class Comparison:
    """Compares the images of each patient with each other and with the clinical table.

    Attributes
    ----------
    facts
        What is compared (`identifiers.compare`).
    placeholders
        Birth dates of more patients than can be: they are not known.
    shared
        Files with a unique identifier that another patient's file has too, by the patient's identifier.
    """

    facts: Collection[PersonFact]
    placeholders: Collection[Born] = ()
    shared: Mapping[str, Difference] = field(default_factory=dict)
    _counts: "collections.Counter[tuple[str, bool]]" = field(default_factory=collections.Counter)

    def differences(
        self, patient: ClinicalPatient, files: Sequence[PatientFile]
    ) -> list[Difference]:
        """Return why images and row can't be those of one person; nothing if they can.

        Parameters
        ----------
        patient
            The row of the clinical table.
        files
            The files with its identifier.
        """
        images = {file.name: self._facts(file) for file in files if not file.header.reason}
        row = self._row(patient)
        found = []
        for what in _FACTS:
            file = _disagreeing(what, images)
            other = self._against_table(what, images, row)
            if file:
                found.append(Difference(what, file, Between.IMAGES))
            elif other:
                found.append(Difference(what, other, Between.TABLE))
        if file := self._against_age(patient, files, images):
            found.append(Difference(AGE, file, Between.TABLE))
        elif stranger := self._by_header_age(patient, files):
            found.append(stranger)
        if patient.identifier in self.shared:
            found.append(self.shared[patient.identifier])
        return found

    def _by_header_age(
        self, patient: ClinicalPatient, files: Sequence[PatientFile]
    ) -> Difference | None:
        """Return a file whose PatientAge, often kept without a birth date, is another person's."""
        if not self._uses(PersonFact.BIRTH_DATE):
            return None
        years = {f.name: year for f in files if (year := year_of_birth(f.header)) is not None}
        if not years:
            return None
        # A file without an age may have a birth date. Those of one header are not compared: one may be a placeholder.
        dated = {f.name: date.time for f in files if f.name not in years
                 if (date := self._facts(f).born)}  # fmt: skip
        first = next(iter(years.values()))
        others = (years | dated).items()
        if wrong := [name for name, year in others if abs(year - first) > MOST_AGE_YEARS]:
            return Difference(AGE, wrong[0], Between.IMAGES)
        row = self._year_of_row(patient, files)
        if row is None:
            return None
        differ = [name for name, year in years.items() if abs(year - row) > MOST_AGE_YEARS + 1]
        self._counts[AGE, bool(differ)] += 1
        return Difference(AGE, differ[0], Between.TABLE) if differ else None

    def _year_of_row(self, patient: ClinicalPatient, files: Sequence[PatientFile]) -> float | None:
        """Return the year of birth by the table's birth date, otherwise by its age."""
        if patient.birth:
            date = self._row(patient).born
            return None if date is None else date.time
        age, day = patient.values.get("age"), patient.therapy or _last_day(files)
        if day is None or not isinstance(age, int | float) or age > OLDEST:
            return None
        return day.year + day.timetuple().tm_yday / DAYS_PER_YEAR - float(age)

    def _facts(self, file: PatientFile) -> Facts:
        """Return what a header says about the person, of what is compared."""
        header = file.header
        date = born(header.text("PatientBirthDate")) if self._uses(PersonFact.BIRTH_DATE) else None
        # The image of a syringe may have the name of the syringe.
        named = self._uses(PersonFact.NAME) and not file.verdict.syringe
        return Facts(
            None if date in self.placeholders else date,
            sex_of(header.text("PatientSex")) if self._uses(PersonFact.SEX) else None,
            naming.parse(header.text("PatientName"), header.text("PatientID")) if named else {},
            _issuer(header.text("IssuerOfPatientID")) if self._uses(PersonFact.ISSUER) else "",
        )

    def shows_one_person(self, a: PatientFile, b: PatientFile) -> bool:
        """Return whether two headers show that they are of one person."""
        return self._facts(a).shows_one_person(self._facts(b))

    def _uses(self, fact: PersonFact) -> bool:
        return fact in self.facts

    def _row(self, patient: ClinicalPatient) -> Facts:
        date = born(patient.birth.isoformat()) if patient.birth else None
        return Facts(
            None if date in self.placeholders else date,
            sex_of(str(patient.values.get("sex") or "")),
        )

    def _against_table(self, what: PersonFact, images: Mapping[str, Facts], row: Facts) -> str:
        """Return a file that differs from the table, and count the patients for whom it is known."""
        if not row.knows(what):
            return ""
        known = {name: facts for name, facts in images.items() if facts.knows(what)}
        wrong = [name for name, facts in known.items() if not _agree(what, facts, row)]
        if known:
            self._counts[what, bool(wrong)] += 1
        return wrong[0] if wrong else ""

    def _against_age(
        self, patient: ClinicalPatient, files: Sequence[PatientFile], images: Mapping[str, Facts]
    ) -> str:
        """Return a file whose birth date does not fit the age, if the table has only an age."""
        age = patient.values.get("age")
        dates = {name: facts.born for name, facts in images.items() if facts.born}
        day = patient.therapy or _last_day(files)
        if patient.birth or not dates or day is None or not isinstance(age, int | float):
            return ""
        wrong = [name for name, date in dates.items() if _other_age(date, day, float(age))]
        self._counts[AGE, bool(wrong)] += 1
        return wrong[0] if wrong else ""

    def log_doubt(self, center: str) -> None:
        """Log what differs from the table for so many patients that the config must be wrong."""
        for what in sorted({what for what, _ in self._counts}):
            wrong, right = self._counts[what, True], self._counts[what, False]
            if wrong >= _FEWEST and wrong >= _MOST_SHARE * (wrong + right):
                LOG.warning(
                    "center %s: the %s of the images differs from that of the table for %d of %d "
                    "patients, who are excluded. If the identifiers are those of the same people, "
                    "check the column, its codes and the order of dates; if the headers are "
                    "de-identified, list in identifiers.compare only what they still contain",
                    center, _WORDS[what], wrong, wrong + right,
                )  # fmt: skip


def comparison(
    facts: Collection[PersonFact], by_patient: dict[str, list[PatientFile]]
) -> Comparison:
    """Return the comparison for a center.

    Parameters
    ----------
    facts
        What is compared.
    by_patient
        All files of the center, by identifier.
    """
    seen: collections.Counter[Born] = collections.Counter()
    for identifier, files in by_patient.items():
        dates = {born(file.header.text("PatientBirthDate")) for file in files}
        seen.update(date for date in dates if date and identifier)
    # Where most headers have the year alone, several patients of one year are no surprise.
    years = sum(count for date, count in seen.items() if not date.day)
    most = MOST_BORN if 2 * years < seen.total() else max(MOST_BORN, _MOST_SHARE * seen.total())
    limits = {date: MOST_BORN if date.day else most for date in seen}
    placeholders = {date for date, count in seen.items() if count > limits[date]}
    shared: dict[str, Difference] = {}
    if PersonFact.STUDY in facts:
        everything = Comparison(tuple(PersonFact), placeholders)
        for owner, keyword, file in shared_uids.find(by_patient, everything.shows_one_person):
            shared.setdefault(owner, Difference(keyword, file.name, Between.PATIENTS))
    return Comparison(facts, placeholders, shared)


def _issuer(text: str) -> str:
    """Return letters and digits of an IssuerOfPatientID (C.7.1.1)."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _disagreeing(what: PersonFact, images: Mapping[str, Facts]) -> str:
    """Return the first file that differs from an earlier one; "" if none does."""
    earlier: list[Facts] = []
    for name, facts in images.items():
        if not all(_agree(what, facts, other) for other in earlier):
            return name
        if facts not in earlier:
            earlier.append(facts)
    return ""


def _agree(what: PersonFact, a: Facts, b: Facts) -> bool:
    if what is PersonFact.BIRTH_DATE:
        return a.born is None or b.born is None or a.born.agrees(b.born)
    if what is PersonFact.SEX:
        return a.sex is None or b.sex is None or a.sex == b.sex
    if what is PersonFact.ISSUER:
        # One person may have the same identifier before and after a change of the archive.
        return not (a.issuer and b.issuer) or a.issuer == b.issuer or a.shows_one_person(b)
    same = a.born is not None and a.born == b.born and bool(a.born.day)
    return not a.name or not b.name or naming.may_be_one(a.name, b.name, same_birth=same)


def _last_day(files: Iterable[PatientFile]) -> datetime.date | None:
    moments = [acquired(file.header) for file in files if file.verdict.scans]
    return max((moment.date() for moment in moments if moment), default=None)


def _other_age(date: Born, day: datetime.date, age: float) -> bool:
    birth = datetime.date(date.year, int(date.day[:2] or 7), int(date.day[2:] or 1))
    years = (day - birth).days / DAYS_PER_YEAR
    if min(years, age) >= OLDEST:
        return False
    # `age` is in completed years; without the day of birth, `years` is uncertain by half a year.
    return not -MOST_AGE_YEARS - (not date.day) <= years - age <= MOST_AGE_YEARS + 1


def in_words(differences: Sequence[Difference], between: Between) -> str:
    """Return what differs, without values; "" if nothing does."""
    if between is Between.PATIENTS:
        return next(
            (f"one {one.what} {between}" for one in differences if one.between is between), ""
        )
    *words, last = [_WORDS[one.what] for one in differences if one.between is between] or [""]
    if not words:
        return f"{last} differs {between}" if last else ""
    return f"{', '.join(words)} and {last} differ {between}"


def reason(differences: Sequence[Difference]) -> str:
    """Return why a patient is excluded; "" if nothing differs."""
    texts = [text for between in Between if (text := in_words(differences, between))]
    return f"{REASON}: {'; '.join(texts)}" if texts else ""
