"""Whether the first iodine therapy cured a patient: as a center says, or from follow-up visits."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thyrocast.cohort import units
from thyrocast.contract.text import code_texts

Settings = Mapping[str, Any]
DAYS_PER_MONTH = 365.25 / 12
CURED_STATES = {"euthyroid", "subclinical_hypothyroid", "hypothyroid"}

STATES = CURED_STATES | {"hyperthyroid", "subclinical_hyperthyroid"}


@dataclass(frozen=True)
class Outcome:
    """What became of a patient.

    ``cured`` is True, False or, with a ``reason``, None; ``state`` the thyroid state and ``months``
    the time since therapy of the visit that decided.
    """

    cured: bool | None
    reason: str = ""
    state: str = ""
    months: float | None = None


UNDECIDED = Outcome(None)


class Cells:
    """The cells of one row by the center's column names, with what is to be said about them."""

    def __init__(self, header: Sequence[str], row: Sequence[str], missing: set[str]) -> None:
        self._cells = dict(zip(header, row, strict=True))
        self._missing = missing
        self.faults: list[tuple[str, str]] = []

    def text(self, column: str | None) -> str:
        """A cell, empty where it means "not known"."""
        value = self._cells.get(column, "") if column else ""
        return "" if units.fold(value) in self._missing else value

    def number(self, column: str | None, quantity: str, factor: float = 1.0) -> float | None:
        """A number within its physiological range, None (and a fault) otherwise."""
        text = self.text(column)
        if not text or column is None:
            return None
        try:
            value = units.parse_number(text.removesuffix("%")) * factor
        except ValueError as error:
            self.faults.append((column, str(error)))
            return None
        low, high = units.RANGES[quantity]
        if not low <= value <= high:
            unit = units.UNITS.get(quantity, "mIU/L")
            self.faults.append((column, f"outside {low:g} to {high:g} {unit}"))
            return None
        return value

    def date(self, column: str | None, order: str) -> datetime.date | None:
        """A date, None (and a fault) for what is none."""
        text = self.text(column)
        if not text or column is None:
            return None
        try:
            return units.parse_date(text, order)
        except ValueError:
            self.faults.append((column, "not a date"))
            return None


def columns(center: Settings) -> dict[str, str]:
    """The columns that a center's config names, by their keys in it."""
    columns = sorted(center["columns"].items())
    named = {f"columns.{ours}": theirs for ours, theirs in columns if theirs is not None}
    rule = center.get("outcome") or {}
    for number, visit in enumerate(rule.get("visits", [])):
        named |= {
            f"outcome.visits[{number}].{key}": theirs
            for key, theirs in visit.items()
            if key != "months" and theirs is not None
        }
    if rule.get("second_treatment"):
        named["outcome.second_treatment"] = rule["second_treatment"]
    return named


def decide(
    center: Settings, cells: Cells, therapy: datetime.date | None, factors: Mapping[str, float]
) -> Outcome:
    """The outcome of one patient by the center's rule.

    Parameters
    ----------
    center
        The center's block.
    cells
        The patient's row; faults of visits are added to it.
    therapy
        Date of the therapy.
    factors
        For ``ft4`` and ``ft3``, what the center's numbers are multiplied with.
    """
    if center["role"] == "prospective":
        return Outcome(None)
    rule = center["outcome"]
    if rule["rule"] == "given":
        return _given(rule, cells.text(center["columns"]["outcome"]))
    return _followed(center, rule, cells, therapy, factors)


def _given(rule: Settings, text: str) -> Outcome:
    if not text:
        return Outcome(None, "outcome not known")
    code = units.fold(text)
    state = code if code in STATES else ""
    if code in code_texts(rule["cured"]):
        return Outcome(True, state=state)
    if code in code_texts(rule["not_cured"]):
        return Outcome(False, state=state)
    return Outcome(None, "outcome code not in the config")


def _followed(
    center: Settings,
    rule: Settings,
    cells: Cells,
    therapy: datetime.date | None,
    factors: Mapping[str, float],
) -> Outcome:
    """Cured: euthyroid or hypothyroid without drugs at the deciding visit, after one administration."""
    order = center["date_order"]
    try:
        second = _second_treatment(rule, cells, therapy, order)
    except ValueError:
        return Outcome(None, "second treatment not understood")
    if second is not None and second <= rule["months"] + rule["tolerance_months"]:
        # Whatever a visit after it says, the first therapy did not cure.
        return Outcome(False, state="hyperthyroid", months=second if second else None)
    visits = []
    for visit in rule["visits"]:
        months = _months(visit, cells, therapy, order)
        state = _state(rule, visit, cells, factors)
        drug = _drug(center, visit, cells)
        if months is not None and months > 0 and (state or drug is not False):
            visits.append((months, state, drug))
    if not visits:
        return Outcome(None, "lost to follow-up")
    low, high = rule["months"] - rule["tolerance_months"], rule["months"] + rule["tolerance_months"]
    inside = [v for v in visits if low <= v[0] <= high]
    if not inside:
        early = max(v[0] for v in visits) < low
        return Outcome(
            None, "follow-up too short" if early else "no visit when the outcome is decided"
        )
    months, state, drug = min(inside, key=lambda v: (abs(v[0] - rule["months"]), v[0]))
    if drug is None:
        reason = "drug at the deciding visit not understood"
        return Outcome(None, reason, state or "", months)
    if drug:
        cured = False if rule["drug_at_visit"] == "not_cured" else None
        reason = "" if cured is False else "antithyroid drug at the deciding visit"
        return Outcome(cured, reason, state or "", months)
    if state == "subclinical_hyperthyroid":
        meaning = rule["subclinical_hyperthyroid"]
        if meaning == "exclude":
            return Outcome(None, "subclinical hyperthyroidism at the deciding visit", state, months)
        return Outcome(meaning == "cured", state=state, months=months)
    return Outcome(state in CURED_STATES, state=state or "", months=months)


def _second_treatment(
    rule: Settings, cells: Cells, therapy: datetime.date | None, order: str
) -> float | None:
    """Months from therapy to a second treatment, 0 where only known that there was one.

    Raises
    ------
    ValueError
        If there is something that is neither yes, no nor a date after therapy: with a second
        treatment overlooked, the patient would count as cured.
    """
    text = cells.text(rule["second_treatment"])
    folded = units.fold(text)
    if not text or folded in units.NO:
        return None
    if folded in units.YES:
        return 0.0
    date = cells.date(rule["second_treatment"], order)
    if date is None or therapy is None or date <= therapy:
        raise ValueError("no date after therapy")
    return (date - therapy).days / DAYS_PER_MONTH


def _months(
    visit: Settings, cells: Cells, therapy: datetime.date | None, order: str
) -> float | None:
    date = cells.date(visit.get("date"), order)
    if date is not None and therapy is not None:
        return (date - therapy).days / DAYS_PER_MONTH
    return visit.get("months")


def _drug(center: Settings, visit: Settings, cells: Cells) -> bool | None:
    """Whether antithyroid drugs are taken; None (and a fault) for what does not say so."""
    try:
        return units.antithyroid_drug(
            cells.text(visit.get("drug")), center["codes"].get("antithyroid_drug", {})
        )
    except ValueError:
        expected = (
            "expected yes, no, a dose, the name of a drug, or a code of codes.antithyroid_drug"
        )
        cells.faults.append((visit["drug"], f"not understood, {expected}"))
        return None


def _state(
    rule: Settings, visit: Settings, cells: Cells, factors: Mapping[str, float]
) -> str | None:
    """Thyroid state of a visit: as coded, else from TSH and hormones by the reference ranges."""
    text = cells.text(visit.get("state"))
    if text:
        table = {units.fold(str(k)): v for k, v in rule["states"].items()}
        folded = units.fold(text)
        if folded in table or folded in STATES:
            return str(table.get(folded, folded))
        cells.faults.append((visit["state"], "a state that is not in the config"))
        return None
    tsh = cells.number(visit.get("tsh"), "tsh")
    hormones = [
        (cells.number(visit.get(name), name, factors.get(name, 1.0)), rule["reference"][name])
        for name in ("ft4", "ft3")
    ]
    known = [(value, limits) for value, limits in hormones if value is not None]
    if any(value > limits[1] for value, limits in known):
        return "hyperthyroid"
    if not known:
        # A low TSH alone doesn't tell how far; a high one tells hypothyroidism, overt or not.
        low, high = rule["reference"]["tsh"]
        if tsh is None or tsh < low:
            return None
        return "euthyroid" if tsh <= high else "hypothyroid"
    if any(value < limits[0] for value, limits in known[:1]):
        return "hypothyroid"
    if tsh is None:
        return "euthyroid"
    low, high = rule["reference"]["tsh"]
    return (
        "subclinical_hyperthyroid"
        if tsh < low
        else "subclinical_hypothyroid"
        if tsh > high
        else "euthyroid"
    )
