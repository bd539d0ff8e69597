"""Read the follow-up after therapy from a row of a center's table."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from thyrocast.config.outcome import OutcomeConfig, VisitConfig
from thyrocast.contract.names import ThyroidState
from thyrocast.contract.text import fold
from thyrocast.tables.cells import Row
from thyrocast.tables.codes import NO, YES
from thyrocast.tables.dates import months_between


@dataclass(frozen=True)
class Visit:
    """One follow-up visit; None for what is not known.

    Attributes
    ----------
    months
        Months since therapy.
    state
        Thyroid state as the center codes it.
    tsh, ft4, ft3
        Hormones in mIU/L, pmol/L and pmol/L; not read if there is a coded state.
    drug
        Whether antithyroid drugs were taken; None if the cell is not understood.
    """

    months: float | None
    state: ThyroidState | None
    tsh: float | None
    ft4: float | None
    ft3: float | None
    drug: bool | None


@dataclass(frozen=True)
class SecondTreatment:
    """A second iodine therapy or thyroidectomy.

    Attributes
    ----------
    months
        Months from the first therapy; None if it is only known that there was one.
    understood
        Whether the cell is yes or a date after the therapy.
    """

    months: float | None = None
    understood: bool = True


def read_visits(
    row: Row,
    rule: OutcomeConfig,
    therapy: datetime.date | None,
    codes: Mapping[str, str | None],
    factors: Mapping[str, float],
) -> tuple[Visit, ...]:
    """Read the follow-up visits of a patient.

    Parameters
    ----------
    row
        The patient's row.
    rule
        The outcome's block of the config.
    therapy
        Date of the therapy.
    codes
        The center's codes of ``antithyroid_drug`` and ours.
    factors
        For each of our numeric columns, the factor that converts the center's unit to ours.
    """
    return tuple(_read_visit(row, rule, visit, therapy, codes, factors) for visit in rule.visits)


def _read_visit(
    row: Row,
    rule: OutcomeConfig,
    visit: VisitConfig,
    therapy: datetime.date | None,
    codes: Mapping[str, str | None],
    factors: Mapping[str, float],
) -> Visit:
    date = row.date(visit.date)
    months = visit.months
    if date is not None and therapy is not None:
        months = months_between(therapy, date)
    state, tsh, ft4, ft3 = None, None, None, None
    if row.text(visit.state):
        state = _read_state(row, visit.state, rule.states)
    else:
        tsh = row.number(visit.tsh, "tsh")
        ft4 = row.number(visit.ft4, "ft4", factors["ft4"])
        ft3 = row.number(visit.ft3, "ft3", factors["ft3"])
    return Visit(months, state, tsh, ft4, ft3, row.takes_drug(visit.drug, codes))


def _read_state(row: Row, column: str | None, states: Mapping[str, str]) -> ThyroidState | None:
    table = {fold(theirs): ours for theirs, ours in states.items()}
    code = fold(row.text(column))
    try:
        return ThyroidState(table.get(code, code))
    except ValueError:
        row.fault(column, "a state that is not in the config")
        return None


def read_second_treatment(
    row: Row, column: str | None, therapy: datetime.date | None
) -> SecondTreatment | None:
    """Read whether there was a second treatment; None if there was not.

    A cell that is neither yes, no nor a date after therapy is not understood: if a second
    treatment were overlooked, the patient could count as cured.
    """
    code = fold(row.text(column))
    if not code or code in NO:
        return None
    if code in YES:
        return SecondTreatment()
    date = row.date(column)
    if date is None or therapy is None or date <= therapy:
        return SecondTreatment(understood=False)
    return SecondTreatment(months_between(therapy, date))
