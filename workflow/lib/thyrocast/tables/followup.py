"""Read the follow-up after therapy from a row of a center's table."""

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

from thyrocast.config.center import CenterConfig
from thyrocast.config.definition import DAYS_PER_MONTH, days_of
from thyrocast.config.outcome import OutcomeConfig, SecondTreatmentConfig, VisitConfig
from thyrocast.contract.names import SecondKind, ThyroidState
from thyrocast.contract.text import fold
from thyrocast.tables.cells import Row, words
from thyrocast.tables.codes import NO, YES
from thyrocast.tables.numbers import Bound

#: From this time on a restart of antithyroid drugs means failure, unless the config says otherwise.
DRUGS_COUNT_FROM = "24 weeks"
DATED_BEFORE = "a date that is not after the therapy"


@dataclass(frozen=True)
class Visit:
    """One follow-up visit; None for what is not known.

    Attributes
    ----------
    days
        Days since therapy; a visit at 0 or less contradicts the therapy's date and is not used.
    state
        Thyroid state as the center codes it.
    tsh, ft4, ft3
        Hormones in mIU/L, pmol/L and pmol/L; not read if there is a coded state.
    drug
        Whether antithyroid drugs were taken; None if the cell is not understood.
    levothyroxine
        Whether levothyroxine was taken; None if the cell is not understood.
    drug_recorded
        Whether the center has a column for antithyroid drugs at this visit.
    """

    days: float | None
    state: ThyroidState | None = None
    tsh: float | None = None
    ft4: float | None = None
    ft3: float | None = None
    drug: bool | None = False
    levothyroxine: bool | None = False
    drug_recorded: bool = False


@dataclass(frozen=True)
class SecondTreatment:
    """A second treatment after the first radioiodine therapy.

    Attributes
    ----------
    kind
        Radioiodine, surgery, drugs, or not stated.
    days
        Days from the first therapy; None if there is no date after it.
    within
        If there is no date, days within which the treatment happened; None if not known.
    counts_from
        Days after therapy from which the treatment means failure.
    understood
        Whether the cells are clear. If not, there may have been a second treatment.
    before
        Whether they are not clear because the date is not after the therapy.
    """

    kind: SecondKind = SecondKind.OTHER
    days: float | None = None
    within: float | None = None
    counts_from: float = 0.0
    understood: bool = True
    before: bool = False


@dataclass(frozen=True)
class FollowUp:
    """What happened after the first therapy.

    Attributes
    ----------
    visits
        Visits in the order of the config.
    seconds
        Second treatments.
    died
        Days from therapy to death; None if the patient is not known to have died.
    """

    visits: tuple[Visit, ...] = ()
    seconds: tuple[SecondTreatment, ...] = ()
    died: float | None = None


def read_followup(
    row: Row,
    center: CenterConfig,
    therapy: datetime.date | None,
    factors: Mapping[str, float],
) -> FollowUp:
    """Read the follow-up of a patient.

    Parameters
    ----------
    row
        The patient's row. What is not understood, or contradicts the therapy's date, adds a fault.
    center
        The center's block of the config.
    therapy
        Date of the therapy.
    factors
        For each of our numeric columns, the factor that converts the center's unit to ours.
    """
    rule = center.outcome
    if rule is None:
        return FollowUp()
    seconds = (_read_second(row, one, therapy) for one in rule.all_second_treatments())
    return FollowUp(
        tuple(_read_visit(row, center, rule, visit, therapy, factors) for visit in rule.visits),
        tuple(second for second in seconds if second is not None),
        _read_death(row, rule.death, therapy),
    )


def _read_visit(
    row: Row,
    center: CenterConfig,
    rule: OutcomeConfig,
    visit: VisitConfig,
    therapy: datetime.date | None,
    factors: Mapping[str, float],
) -> Visit:
    state, tsh, ft4, ft3 = None, None, None, None
    if row.text(visit.state):
        state = _read_state(row, visit.state, rule.states)
    else:
        tsh = _read_hormone(row, visit.tsh, "tsh", factors["tsh"], rule.reference.tsh)
        ft4 = _read_hormone(row, visit.ft4, "ft4", factors["ft4"], rule.reference.ft4)
        ft3 = _read_hormone(row, visit.ft3, "ft3", factors["ft3"], rule.reference.ft3)
    drug = row.takes_drug(visit.drug, center.codes.antithyroid_drug)
    hormone = row.takes_levothyroxine(visit.levothyroxine, center.codes.levothyroxine)
    return Visit(
        _read_days(row, visit, therapy),
        state,
        tsh,
        ft4,
        ft3,
        drug,
        # The name of a thyroid hormone in the column of drugs.
        hormone or (row.names_hormone(visit.drug) if drug is False else hormone),
        visit.drug is not None,
    )


def _read_hormone(
    row: Row, column: str | None, name: str, factor: float, reference: tuple[float, float]
) -> float | None:
    """Return a hormone; None, with a fault, for a limit that may be inside or outside the range.

    ``<0.4`` is below a range that begins at 0.4, but ``<0.5`` may be below it or in it.
    """
    value, bound = row.number(column, name, factor), row.bound(column, name, factor)
    if value is None or bound is None:
        return value
    if bound is Bound.BELOW and value <= reference[0]:
        return math.nextafter(value, -math.inf)
    if bound is Bound.ABOVE and value >= reference[1]:
        return math.nextafter(value, math.inf)
    row.fault(column, "a limit that does not show whether the value is in the reference range")
    return None


def _read_days(row: Row, visit: VisitConfig, therapy: datetime.date | None) -> float | None:
    """Return the days from therapy to a visit, of which only positive ones are used."""
    if not row.text(visit.date):
        return None if visit.months is None else visit.months * DAYS_PER_MONTH
    date = row.date(visit.date)
    if date is None or therapy is None:
        return None
    if date <= therapy:
        row.fault(visit.date, f"{DATED_BEFORE}, so the visit is not used")
    return float((date - therapy).days)


def _read_state(row: Row, column: str | None, states: Mapping[str, str]) -> ThyroidState | None:
    meanings = {state.value: state.value for state in ThyroidState} | dict(states)
    read = words(meanings, "a state that is not in the config")
    found = row.word(column, "state", read)
    return None if found is None else ThyroidState(found)


def _read_death(row: Row, column: str | None, therapy: datetime.date | None) -> float | None:
    date = row.date(column)
    if date is None or therapy is None:
        return None
    if date < therapy:
        row.fault(column, "a death before the therapy")
        return None
    return float((date - therapy).days)


def _read_second(
    row: Row, second: SecondTreatmentConfig, therapy: datetime.date | None
) -> SecondTreatment | None:
    """Read whether there was a second treatment; None if there was not.

    Cells that are not clear are not taken as "none": if a second treatment were overlooked, the
    patient could count as cured.
    """
    counts_from = second.counts_from
    if counts_from is None and second.kind is SecondKind.DRUGS:
        counts_from = DRUGS_COUNT_FROM
    found = SecondTreatment(
        second.kind,
        within=days_of(second.within) if second.within else None,
        counts_from=days_of(counts_from) if counts_from else 0.0,
    )
    unclear = SecondTreatment(second.kind, understood=False)
    own = {fold(theirs): ours for theirs, ours in second.codes.items()}
    code = fold(row.text(second.column))
    dated = second.date if row.text(second.date) else None
    if code in own:
        answer = None if own[code] is None else own[code] == "yes"
        if answer is None and dated is None:
            return unclear
    elif not code or code in NO:
        answer = False if code else None
    elif code in YES:
        answer = True
    elif dated is None:
        answer, dated = True, second.column
    else:
        row.fault(second.column, "not understood, expected yes, no or a code")
        return unclear
    if dated is None:
        return found if answer else None
    if answer is False:
        row.fault(second.date, f"a date, but column {second.column!r} says no")
        return unclear
    return _at_date(row, dated, therapy, found) or unclear


def _at_date(
    row: Row, column: str, therapy: datetime.date | None, found: SecondTreatment
) -> SecondTreatment | None:
    date = row.date(column)
    if date is None or therapy is None:
        # Without a date of the therapy, a treatment is known but not when.
        return found if date is not None else None
    if date <= therapy:
        row.fault(column, DATED_BEFORE)
        return SecondTreatment(found.kind, understood=False, before=True)
    days = float((date - therapy).days)
    return SecondTreatment(found.kind, days, None, found.counts_from)


def later_therapy(later: datetime.date | None, therapy: datetime.date | None) -> SecondTreatment:
    """Return the second treatment that a row of a later radioiodine therapy states."""
    if later is None or therapy is None:
        return SecondTreatment(SecondKind.IODINE)
    if later <= therapy:
        return SecondTreatment(SecondKind.IODINE, understood=False, before=True)
    return SecondTreatment(SecondKind.IODINE, float((later - therapy).days))
