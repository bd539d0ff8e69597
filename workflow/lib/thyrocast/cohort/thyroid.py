"""The thyroid state at a visit, from codes, hormones and levothyroxine."""

from dataclasses import dataclass

from thyrocast.config.definition import MissingLab
from thyrocast.config.outcome import ReferenceRangesConfig
from thyrocast.contract.names import ThyroidFunction, ThyroidState
from thyrocast.tables.followup import Visit

INCOMPLETE = "laboratory values are incomplete"
CONTRADICTION = "laboratory values contradict each other"
ON_HORMONE = "hyperthyroid values on levothyroxine"
FUNCTIONS = {
    ThyroidState.HYPERTHYROID: ThyroidFunction.HYPERTHYROID,
    ThyroidState.SUBCLINICAL_HYPERTHYROID: ThyroidFunction.HYPERTHYROID,
    ThyroidState.EUTHYROID: ThyroidFunction.EUTHYROID,
    ThyroidState.SUBCLINICAL_HYPOTHYROID: ThyroidFunction.HYPOTHYROID,
    ThyroidState.HYPOTHYROID: ThyroidFunction.HYPOTHYROID,
}


@dataclass(frozen=True)
class Finding:
    """What a visit shows.

    Attributes
    ----------
    state
        Thyroid state; None if it is not known.
    overt
        Whether the visit confirms overt hypothyroidism: by code, by low free T4 with raised TSH, or
        by levothyroxine.
    problem
        Why values that were measured give no state; "" if they do, or if there are none.
    """

    state: ThyroidState | None = None
    overt: bool = False
    problem: str = ""


def judge(
    visit: Visit, reference: ReferenceRangesConfig, missing_lab: MissingLab = MissingLab.UNDECIDED
) -> Finding:
    """Return the thyroid state of a visit.

    A coded state comes first, then hormones. Levothyroxine shows that the patient was hypothyroid,
    whatever the hormones are under it, unless they are those of overt hyperthyroidism.

    Parameters
    ----------
    visit
        The visit.
    reference
        Lower and upper limits of TSH (mIU/L), free T4 and free T3 (pmol/L); a value at a limit is
        normal.
    missing_lab
        What a normal TSH without free T4, or the reverse, means.
    """
    if visit.state:
        found = Finding(visit.state, visit.state is ThyroidState.HYPOTHYROID)
    else:
        found = _from_hormones(visit, reference, missing_lab)
    if not visit.levothyroxine:
        return found
    if found.state is ThyroidState.HYPERTHYROID or found.problem == CONTRADICTION:
        return Finding(problem=ON_HORMONE)
    return Finding(ThyroidState.HYPOTHYROID, overt=not visit.drug)


def _from_hormones(
    visit: Visit, reference: ReferenceRangesConfig, missing_lab: MissingLab
) -> Finding:
    low, high = reference.tsh
    tsh, ft4, ft3 = visit.tsh, visit.ft4, visit.ft3
    raised = (ft4 is not None and ft4 > reference.ft4[1]) or (
        ft3 is not None and ft3 > reference.ft3[1]
    )
    if raised:
        if tsh is not None and tsh >= low:
            return Finding(problem=CONTRADICTION)
        return Finding(ThyroidState.HYPERTHYROID)
    # A low FT3 with a normal FT4 is not hypothyroidism.
    if ft4 is not None and ft4 < reference.ft4[0]:
        return Finding(ThyroidState.HYPOTHYROID, overt=tsh is not None and tsh > high)
    if tsh is not None and tsh > high:
        if ft4 is None:  # subclinical or overt
            return Finding(ThyroidState.HYPOTHYROID)
        return Finding(ThyroidState.SUBCLINICAL_HYPOTHYROID)
    if tsh is None and ft4 is None:
        return Finding(problem="" if ft3 is None else INCOMPLETE)
    suppressed = tsh is not None and tsh < low
    if ft4 is None and suppressed:  # overt or subclinical, whatever a missing value means
        return Finding(problem=INCOMPLETE)
    if (tsh is None or ft4 is None) and missing_lab is MissingLab.UNDECIDED:
        return Finding(problem=INCOMPLETE)
    return Finding(ThyroidState.SUBCLINICAL_HYPERTHYROID if suppressed else ThyroidState.EUTHYROID)
