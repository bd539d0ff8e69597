"""Whether the first iodine therapy cured a patient: as stated by the center, or from visits.

By follow-up, the first of these that applies decides:

1. A second treatment up to the end of the window: not cured, at its date.
2. The visit in the window nearest to the target: cured if not hyperthyroid and without
   antithyroid drugs.
3. Overt hypothyroidism before the window, which no later visit or treatment contradicts: cured.

Anything that leaves doubt gives no outcome, with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from thyrocast.cohort.thyroid import FUNCTIONS, Finding, judge
from thyrocast.config.center import CenterConfig
from thyrocast.config.definition import (
    DAYS_PER_MONTH,
    DefinitionConfig,
    DrugMeaning,
    SubclinicalMeaning,
    Window,
    days_of,
)
from thyrocast.config.outcome import OutcomeConfig
from thyrocast.contract.names import DecidedBy, OutcomeRule, Role, ThyroidFunction, ThyroidState
from thyrocast.contract.names import FollowUp as FollowUpStatus
from thyrocast.contract.text import code_texts, fold
from thyrocast.tables.clinical import ClinicalPatient
from thyrocast.tables.followup import FollowUp, SecondTreatment, Visit

HYPOTHYROID = {ThyroidState.SUBCLINICAL_HYPOTHYROID, ThyroidState.HYPOTHYROID}
# Reasons why there is no outcome.
NOT_KNOWN = "outcome not known"
UNKNOWN_CODE = "outcome code not in the config"
LOST = "lost to follow-up"
TOO_SHORT = "follow-up too short"
NO_VISIT = "no visit when the outcome is decided"
DIED = "died before the outcome was decided"
SECOND_UNDATED = "second treatment without a date"
SECOND_BEFORE = "second treatment dated on or before the therapy"
SECOND_UNCLEAR = "second treatment not understood"
# Two visits whose distances from the target differ by less (in days) are equally near.
_SAME_DISTANCE = 0.5


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
        Thyroid state when the outcome was decided.
    days
        Days from therapy to what decided the outcome.
    by
        What decided the outcome.
    seen
        Whether there is any information on the time after the therapy.
    """

    cured: bool | None
    reason: str = ""
    state: ThyroidState | None = None
    days: float | None = None
    by: DecidedBy | None = None
    seen: bool = False

    @property
    def months(self) -> float | None:
        """Months from therapy to what decided the outcome."""
        return None if self.days is None else self.days / DAYS_PER_MONTH

    @property
    def function(self) -> ThyroidFunction | None:
        """Thyroid state as one of three."""
        return None if self.state is None else FUNCTIONS[self.state]


def decide(
    patient: ClinicalPatient, center: CenterConfig, definition: DefinitionConfig | None = None
) -> Outcome:
    """Decide a patient's outcome by the center's rule.

    Parameters
    ----------
    patient
        As `clinical.read_clinical` returns it. One whose rows conflict has no outcome.
    center
        The center's block of the config. A prospective center has no outcomes yet.
    definition
        Definition of the outcome, for the rule `followup`; the center's main one by default.
    """
    if center.role is Role.PROSPECTIVE or center.outcome is None or patient.conflicting:
        return Outcome(None)
    rule = center.outcome
    if rule.rule is OutcomeRule.GIVEN:
        return _given(rule, patient.outcome_code)
    return _followed(rule, definition or rule.definitions()[0], patient.followup)


def from_visits(patient: ClinicalPatient, rule: OutcomeConfig) -> Outcome:
    """Return what the follow-up shows, whatever the center states as the outcome."""
    return _followed(rule, rule.definitions()[0], patient.followup)


def follow_up(decided: Outcome, center: CenterConfig) -> FollowUpStatus | None:
    """Return whether an outcome is known, and if not, why; None for a prospective center.

    An outcome is settled early if it was decided before the window: such a patient could not be
    lost later.
    """
    if center.outcome is None or center.role is Role.PROSPECTIVE:
        return None
    if decided.cured is None:
        if decided.reason == DIED:
            return FollowUpStatus.DIED
        return FollowUpStatus.UNDECIDED if decided.seen else FollowUpStatus.LOST
    earliest = center.outcome.definitions()[0].window().earliest
    early = decided.days is not None and decided.days < earliest
    return FollowUpStatus.SETTLED_EARLY if early else FollowUpStatus.DECIDED


def _given(rule: OutcomeConfig, text: str) -> Outcome:
    if not text:
        return Outcome(None, NOT_KNOWN)
    code = fold(text)
    state = ThyroidState(code) if code in set(ThyroidState) else None
    if code in code_texts(rule.cured):
        return Outcome(True, state=state, by=DecidedBy.CENTER, seen=True)
    if code in code_texts(rule.not_cured):
        return Outcome(False, state=state, by=DecidedBy.CENTER, seen=True)
    return Outcome(None, UNKNOWN_CODE, seen=True)


@dataclass(frozen=True)
class _Seen:
    """A visit at a known time after therapy, and what it shows."""

    days: float
    visit: Visit
    found: Finding

    @property
    def informative(self) -> bool:
        return self.found.state is not None or self.visit.drug is not False


def _followed(rule: OutcomeConfig, definition: DefinitionConfig, followup: FollowUp) -> Outcome:
    window = definition.window()
    seen = sorted(
        (
            _Seen(visit.days, visit, judge(visit, rule.reference, definition.missing_lab))
            for visit in followup.visits
            if visit.days is not None and visit.days > 0
        ),
        key=lambda one: one.days,
    )
    failure = _second_treatment(followup.seconds, window)
    if failure:
        return failure
    verdict = _by_visits(definition, window, seen, followup)
    unclear = [one for one in followup.seconds if not one.understood or one.days is None]
    if not unclear or verdict.cured is False:
        return verdict
    # It may have been given before or after the decision: who looks cured may owe it to it.
    if all(one.understood for one in unclear):
        reason = SECOND_UNDATED
    else:
        reason = SECOND_BEFORE if any(one.before for one in unclear) else SECOND_UNCLEAR
    return Outcome(None, reason, verdict.state, verdict.days, seen=True)


def _second_treatment(seconds: Sequence[SecondTreatment], window: Window) -> Outcome | None:
    """Return the failure that a second treatment up to the end of the window settles."""
    state, by = ThyroidState.HYPERTHYROID, DecidedBy.SECOND_TREATMENT
    dated = [one.days for one in seconds if one.days is not None and one.days >= one.counts_from]
    if dated and min(dated) <= window.latest:
        return Outcome(False, "", state, min(dated), by, seen=True)
    placed = any(
        one.understood
        and one.days is None
        and one.within is not None
        and one.within <= window.latest
        for one in seconds
    )
    return Outcome(False, "", state, None, by, seen=True) if placed else None


def _by_visits(
    definition: DefinitionConfig, window: Window, seen: Sequence[_Seen], followup: FollowUp
) -> Outcome:
    informative = [one for one in seen if one.informative]
    inside = [one for one in informative if window.earliest <= one.days <= window.latest]
    if inside:
        return _nearest(definition, window, inside, followup.seconds)
    early = _early_cure(definition, window, informative, followup.seconds)
    if early:
        return early
    died = followup.died is not None and followup.died <= window.latest
    problem = next(
        (o.found.problem for o in seen if window.earliest <= o.days <= window.latest), ""
    )
    if died:
        reason = DIED
    elif problem:
        reason = f"{problem} when the outcome is decided"
    elif not informative:
        reason = LOST
    else:
        reason = TOO_SHORT if informative[-1].days < window.earliest else NO_VISIT
    return Outcome(None, reason, seen=bool(informative))


def _nearest(
    definition: DefinitionConfig,
    window: Window,
    inside: Sequence[_Seen],
    seconds: Sequence[SecondTreatment],
) -> Outcome:
    """Return the outcome at the visit nearest to the target."""

    def distance(one: _Seen) -> float:
        return abs(one.days - window.target)

    least = min(map(distance, inside))
    found = [
        _at_visit(definition, one, seconds)
        for one in inside
        if distance(one) - least < _SAME_DISTANCE
    ]
    if len({one.cured for one in found}) > 1:
        reason = "visits at the same distance from the target contradict each other"
        return Outcome(None, reason, seen=True)
    return found[0]


def _at_visit(
    definition: DefinitionConfig, one: _Seen, seconds: Sequence[SecondTreatment]
) -> Outcome:
    """Return the outcome at the deciding visit."""
    state, drug, days = one.found.state, one.visit.drug, one.days

    def undecided(reason: str) -> Outcome:
        return Outcome(None, reason, state, days, seen=True)

    def decided(cured: bool) -> Outcome:
        return Outcome(cured, "", state, days, DecidedBy.VISIT, seen=True)

    if state is ThyroidState.HYPERTHYROID:
        return decided(False)
    if drug is None:
        return undecided("drug at the deciding visit not understood")
    if drug:
        if definition.drug_at_visit is DrugMeaning.NOT_CURED:
            return decided(False)
        return undecided("antithyroid drug at the deciding visit")
    if not one.visit.drug_recorded and any(
        second.days is not None and second.days < min(second.counts_from, days)
        for second in seconds
    ):
        return undecided("drugs restarted early, and not known at the deciding visit")
    if state is ThyroidState.SUBCLINICAL_HYPERTHYROID:
        meaning = definition.subclinical_hyperthyroid
        if meaning is SubclinicalMeaning.EXCLUDE:
            return undecided("subclinical hyperthyroidism at the deciding visit")
        return decided(meaning is SubclinicalMeaning.CURED)
    return decided(True)


def _early_cure(
    definition: DefinitionConfig,
    window: Window,
    informative: Sequence[_Seen],
    seconds: Sequence[SecondTreatment],
) -> Outcome | None:
    """Return the cure that overt hypothyroidism before the window settles; None if it does not.

    Every visit from the confirmation on must show hypothyroidism without antithyroid drugs. Another
    state means that it was transient, or that nobody knows what happened in between.
    """
    if definition.hypothyroid_from is None or any(one.understood and one.days for one in seconds):
        return None
    start = days_of(definition.hypothyroid_from)
    confirmed = next(
        (o for o in informative if o.found.overt and start <= o.days < window.earliest), None
    )
    if confirmed is None:
        return None
    after = [one for one in informative if one.days >= confirmed.days]
    if all(one.found.state in HYPOTHYROID and one.visit.drug is False for one in after):
        by = DecidedBy.EARLY_HYPOTHYROIDISM
        return Outcome(True, "", confirmed.found.state, confirmed.days, by, seen=True)
    # After a transient hypothyroidism, a later one may be final.
    return _early_cure(definition, window, after[1:], seconds)
