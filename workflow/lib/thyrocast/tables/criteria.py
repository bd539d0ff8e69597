"""Whether a row of a clinical table fulfills the center's criteria of eligibility."""

import collections
import datetime
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from thyrocast.config.center import CenterConfig
from thyrocast.config.eligibility import (
    CriterionConfig,
    DiagnosisConfig,
    EarlierTreatmentConfig,
    EligibilityConfig,
    IfMissing,
    TherapyNumberConfig,
)
from thyrocast.contract.text import code_texts, fold
from thyrocast.tables.cells import Row
from thyrocast.tables.codes import NO, YES
from thyrocast.tables.numbers import single_number

LOG = logging.getLogger("thyrocast")
#: Begins every reason of this module, so that a flow shows them together.
PREFIX = "not eligible: "
#: Ends of a reason that says nothing about the patient, only about the cell.
UNKNOWN = (" not known", " not understood")
LATER_THERAPY = f"{PREFIX}not the first radioiodine therapy"


def reason(
    row: Row,
    center: CenterConfig,
    therapy: datetime.date | None,
    values: Mapping[str, float | str | None],
) -> str:
    """Return why a patient is not eligible; "" for an eligible one.

    Parameters
    ----------
    row
        The patient's row. A cell that is not understood adds a fault and excludes.
    center
        The center's block. Without the block `eligibility` every row is eligible.
    therapy
        Date of the study's therapy.
    values
        The patient's clinical columns, in our units and codes.
    """
    if center.eligibility is None:
        return ""
    found = (text for text in _reasons(row, center, center.eligibility, therapy, values) if text)
    first = next(found, "")
    return f"{PREFIX}{first}" if first else ""


def _reasons(
    row: Row,
    center: CenterConfig,
    rule: EligibilityConfig,
    therapy: datetime.date | None,
    values: Mapping[str, float | str | None],
) -> Iterator[str]:
    if rule.diagnosis:
        yield _diagnosis(row, rule.diagnosis)
    if rule.therapy_number:
        yield _therapy_number(row, rule.therapy_number)
    for earlier, what in (
        (rule.earlier_radioiodine, "radioiodine"),
        (rule.earlier_surgery, "thyroid surgery"),
    ):
        if earlier:
            yield _earlier(row, earlier, f"earlier {what}", therapy, _later_columns(center))
    if rule.age:
        yield _age(values["age"], rule.age.minimum, rule.age.maximum, rule.age.missing)
    if rule.pregnancy:
        column, codes = rule.pregnancy.column, rule.pregnancy.codes
        answer = _cell(
            row, column, "pregnancy", rule.pregnancy.missing, lambda text: _yes(text, codes)
        )
        yield "pregnant" if answer is True else answer or ""
    for criterion in rule.criteria:
        yield _criterion(row, criterion)


def _cell(
    row: Row,
    column: str,
    what: str,
    missing: IfMissing,
    judge: Callable[[str], bool | None],
) -> bool | str:
    """Return the judgment of a cell, or the reason why the patient is excluded without one.

    Parameters
    ----------
    row, column
        The cell.
    what
        Subject of the reasons, in words.
    missing
        What a missing cell means; an included one is judged False.
    judge
        Returns the judgment, None for "not known"; raises ValueError if it does not understand.
    """
    text = row.text(column)
    if text:
        try:
            found = judge(text)
        except ValueError as error:
            row.fault(column, f"{error}, so the patient is excluded")
            return f"{what} not understood"
        if found is not None:
            return found
    return f"{what} not known" if missing is IfMissing.EXCLUDE else False


def _diagnosis(row: Row, rule: DiagnosisConfig) -> str:
    graves, others = code_texts(rule.graves), code_texts(rule.others)

    def other(text: str) -> bool:
        code = fold(text)
        if code in graves:
            return False
        if others and code not in others:
            raise ValueError("a diagnosis that is not in the config")
        return True

    found = _cell(row, rule.column, "diagnosis", rule.missing, other)
    return "another diagnosis than Graves' disease" if found is True else found or ""


def is_later_therapy(row: Row, center: CenterConfig) -> bool:
    """Return whether a row is about a second or later therapy."""
    rule = center.eligibility.therapy_number if center.eligibility else None
    if rule is None:
        return False
    text = row.text(rule.column)
    try:
        return bool(text) and _not_first(text, rule)
    except ValueError:
        return False


def _not_first(text: str, rule: TherapyNumberConfig) -> bool:
    if fold(text) in code_texts(rule.first):
        return False
    if single_number(text) < 1:
        raise ValueError("a therapy number below 1")
    return True


def _therapy_number(row: Row, rule: TherapyNumberConfig) -> str:
    found = _cell(
        row, rule.column, "therapy number", rule.missing, lambda text: _not_first(text, rule)
    )
    return LATER_THERAPY.removeprefix(PREFIX) if found is True else found or ""


def _later_columns(center: CenterConfig) -> frozenset[str]:
    """Return the columns of second treatments."""
    return frozenset(center.outcome.second_columns()) if center.outcome else frozenset()


def _earlier(
    row: Row,
    rule: EarlierTreatmentConfig,
    what: str,
    therapy: datetime.date | None,
    later: frozenset[str],
) -> str:
    def given(text: str) -> bool | None:
        try:
            return _yes(text, rule.codes)
        except ValueError:
            pass
        # A number of treatments has one or two digits; a longer number may be a date.
        return single_number(text) >= 1 if re.fullmatch(r"\d{1,2}(\.0+)?", text) else before(text)

    def before(text: str) -> bool:
        date = row.date(rule.column)
        if date is None:
            raise ValueError("expected yes, no, a number, a date or a code")
        if therapy is None:
            raise ValueError("a date, but the study's therapy has none")
        if date < therapy:
            return True
        if date > therapy and rule.column in later:
            return False
        raise ValueError("a date that is not before the therapy")

    found = _cell(row, rule.column, what, rule.missing, given)
    return what if found is True else found or ""


def _yes(text: str, codes: Mapping[str, str | None]) -> bool | None:
    """Return the answer of a yes/no cell; None for a code that means "not known"."""
    code = fold(text)
    own = {fold(theirs): ours for theirs, ours in codes.items()}
    if code in own:
        return None if own[code] is None else own[code] == "yes"
    if code in YES or code in NO:
        return code in YES
    raise ValueError("expected yes, no or a code")


def _age(age: float | str | None, low: float | None, high: float | None, missing: IfMissing) -> str:
    if age is None:
        return "age not known" if missing is IfMissing.EXCLUDE else ""
    if low is not None and float(age) < low:
        return f"younger than {low:g} years"
    return f"older than {high:g} years" if high is not None and float(age) > high else ""


def _criterion(row: Row, rule: CriterionConfig) -> str:
    allowed, excluded = code_texts(rule.allowed), code_texts(rule.excluded)

    def unfulfilled(text: str) -> bool:
        code = fold(text)
        if allowed and excluded and code not in allowed | excluded:
            raise ValueError("a code that is not in the config")
        if allowed or excluded:
            return code in excluded or bool(allowed and code not in allowed)
        value = single_number(text)
        low, high = rule.minimum, rule.maximum
        return (low is not None and value < low) or (high is not None and value > high)

    found = _cell(row, rule.column, rule.name, rule.missing, unfulfilled)
    return f"{rule.name} (not fulfilled)" if found is True else found or ""


def log_criteria(center: CenterConfig, reasons: Sequence[str]) -> None:
    """Warn if nobody stated who is eligible, or if a criterion is unknown in many patients.

    Parameters
    ----------
    center
        The center's block of the config.
    reasons
        For each patient why he or she is not eligible; "" for eligible ones.
    """
    if center.eligibility is None:
        LOG.warning(
            "center %s: the config does not state who is eligible, so every row of the clinical table "
            "counts as a first radioiodine therapy of Graves' disease: add the criteria under "
            "`eligibility` (diagnosis, earlier treatments, age, pregnancy), or state `eligibility: "
            "{all_rows: true}`",
            center.name,
        )
    for reason, count in collections.Counter(reasons).items():
        if reason.endswith(UNKNOWN) and 2 * count > len(reasons):
            LOG.warning(
                "center %s: %d of %d patients are excluded: %s; if empty cells of this column mean "
                "that the criterion is met, set its key `missing: include`",
                center.name, count, len(reasons), reason,
            )  # fmt: skip
