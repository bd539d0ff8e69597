"""Whether the first iodine therapy cured a patient: as stated by the center, or from visits."""

from dataclasses import dataclass

from thyrocast.config.center import CenterConfig
from thyrocast.config.outcome import (
    DrugMeaning,
    OutcomeConfig,
    ReferenceRangesConfig,
    SubclinicalMeaning,
)
from thyrocast.contract.names import OutcomeRule, Role, ThyroidState
from thyrocast.contract.text import code_texts, fold
from thyrocast.tables.clinical import ClinicalPatient
from thyrocast.tables.followup import Visit

CURED_STATES = {
    ThyroidState.EUTHYROID, ThyroidState.SUBCLINICAL_HYPOTHYROID, ThyroidState.HYPOTHYROID,
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """The outcome of a patient's first therapy.

    Attributes
    ----------
    cured
        True, False, or None if there is no outcome.
    reason
        Why there is no outcome; empty if there is one, or if none is expected yet.
    state
        Thyroid state at the deciding visit.
    months
        Months from therapy to the deciding visit.
    """

    cured: bool | None
    reason: str = ""
    state: ThyroidState | None = None
    months: float | None = None


def decide(patient: ClinicalPatient, center: CenterConfig) -> Outcome:
    """Decide a patient's outcome by the center's rule.

    Parameters
    ----------
    patient
        As `clinical.read_clinical` returns it. One whose rows conflict has no outcome.
    center
        The center's block of the config. A prospective center has no outcomes yet.
    """
    if center.role is Role.PROSPECTIVE or center.outcome is None or patient.conflicting:
        return Outcome(None)
    rule = center.outcome
    if rule.rule is OutcomeRule.GIVEN:
        return _given(rule, patient.outcome_code)
    return _followed(rule, patient)


def _given(rule: OutcomeConfig, text: str) -> Outcome:
    if not text:
        return Outcome(None, "outcome not known")
    code = fold(text)
    state = ThyroidState(code) if code in set(ThyroidState) else None
    if code in code_texts(rule.cured):
        return Outcome(True, state=state)
    if code in code_texts(rule.not_cured):
        return Outcome(False, state=state)
    return Outcome(None, "outcome code not in the config")


def _followed(rule: OutcomeConfig, patient: ClinicalPatient) -> Outcome:
    """Decide by follow-up: cured is euthyroid or hypothyroid without drugs, after one therapy."""
    second = patient.second_treatment
    low, high = rule.months - rule.tolerance_months, rule.months + rule.tolerance_months
    if second and not second.understood:
        return Outcome(None, "second treatment not understood")
    if second and (second.months is None or second.months <= high):
        # The first therapy did not cure the patient, whatever a later visit shows.
        return Outcome(False, state=ThyroidState.HYPERTHYROID, months=second.months)
    reference = rule.reference
    findings = [
        _Finding(visit.months, thyroid_state(visit, reference), visit.drug)
        for visit in patient.visits
        if visit.months is not None and visit.months > 0
    ]
    informative = [found for found in findings if found.state or found.drug is not False]
    if not informative:
        return Outcome(None, "lost to follow-up")
    inside = [found for found in informative if low <= found.months <= high]
    if not inside:
        early = max(found.months for found in informative) < low
        reason = "follow-up too short" if early else "no visit when the outcome is decided"
        return Outcome(None, reason)
    nearest = min(inside, key=lambda found: (abs(found.months - rule.months), found.months))
    return _decided(rule, nearest)


@dataclass(frozen=True)
class _Finding:
    """What a visit shows, at a known time after therapy."""

    months: float
    state: ThyroidState | None
    drug: bool | None


def _decided(rule: OutcomeConfig, visit: _Finding) -> Outcome:
    """Return the outcome at the deciding visit."""
    state, months = visit.state, visit.months
    if visit.drug is None:
        return Outcome(None, "drug at the deciding visit not understood", state, months)
    if visit.drug:
        if rule.drug_at_visit is DrugMeaning.NOT_CURED:
            return Outcome(False, "", state, months)
        return Outcome(None, "antithyroid drug at the deciding visit", state, months)
    if state is ThyroidState.SUBCLINICAL_HYPERTHYROID:
        meaning = rule.subclinical_hyperthyroid
        if meaning is SubclinicalMeaning.EXCLUDE:
            return Outcome(None, "subclinical hyperthyroidism at the deciding visit", state, months)
        return Outcome(meaning is SubclinicalMeaning.CURED, "", state, months)
    return Outcome(state in CURED_STATES, "", state, months)


def thyroid_state(visit: Visit, reference: ReferenceRangesConfig) -> ThyroidState | None:
    """Return the thyroid state of a visit: as coded, otherwise from TSH and hormones.

    Parameters
    ----------
    visit
        The visit.
    reference
        Lower and upper limits of TSH (mIU/L), free T4 and free T3 (pmol/L).
    """
    if visit.state:
        return visit.state
    known = [
        (value, limits)
        for value, limits in ((visit.ft4, reference.ft4), (visit.ft3, reference.ft3))
        if value is not None
    ]
    low, high = reference.tsh
    if any(value > limits[1] for value, limits in known):
        return ThyroidState.HYPERTHYROID
    if not known:
        # A low TSH alone may be overt or subclinical hyperthyroidism; a high one is hypothyroidism.
        if visit.tsh is None or visit.tsh < low:
            return None
        return ThyroidState.EUTHYROID if visit.tsh <= high else ThyroidState.HYPOTHYROID
    # A low FT3 with a normal FT4 is not hypothyroidism.
    value, limits = known[0]
    if value < limits[0]:
        return ThyroidState.HYPOTHYROID
    if visit.tsh is None or low <= visit.tsh <= high:
        return ThyroidState.EUTHYROID
    if visit.tsh < low:
        return ThyroidState.SUBCLINICAL_HYPERTHYROID
    return ThyroidState.SUBCLINICAL_HYPOTHYROID
