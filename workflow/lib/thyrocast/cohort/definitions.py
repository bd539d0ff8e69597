"""The outcome of every patient under every definition, for evaluations without training."""

from collections.abc import Iterator, Sequence

import pandas as pd

from thyrocast import identity
from thyrocast.cohort import eligibility, outcome
from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.contract import cohort as contract
from thyrocast.contract import io
from thyrocast.contract.names import OutcomeRule
from thyrocast.contract.table import Cells
from thyrocast.tables import clinical
from thyrocast.tables.clinical import ClinicalPatient


def outcomes(
    center: CenterConfig, cohort: CohortConfig, key: bytes, definitions: Sequence[str]
) -> pd.DataFrame:
    """Decide the outcome of a center's eligible patients under every definition.

    Parameters
    ----------
    center, cohort
        The center's block, with all its definitions, and the cohort's block of the config.
    key
        Secret of the pseudonyms.
    definitions
        Names of the study's definitions, the main one first. The outcomes of a center that states
        them in its table (rule `given`) are the same under all.

    Returns
    -------
    DataFrame
        `contract.cohort.DEFINITIONS`.
    """
    patients = clinical.read_clinical(center, cohort)
    eligible = [patient for patient in patients if not eligibility.exclusion(patient)]
    rows = [row for patient in eligible for row in _rows(patient, center, key, definitions)]
    return io.build(contract.DEFINITIONS, rows)


def _rows(
    patient: ClinicalPatient, center: CenterConfig, key: bytes, definitions: Sequence[str]
) -> Iterator[Cells]:
    rule = center.outcome
    followed = rule is not None and rule.rule is OutcomeRule.FOLLOWUP
    own = {one.name: one for one in rule.definitions()} if rule and followed else {}
    pseudonym = identity.pseudonym(key, center.name, patient.identifier)
    for name in definitions:
        found = outcome.decide(patient, center, own.get(name))
        yield {
            "patient": pseudonym,
            "center": center.name,
            "definition": name,
            "main": name == definitions[0],
            "outcome": None if found.cured is None else int(found.cured),
            "function": found.function,
            "followup_months": None if found.months is None else round(found.months, 1),
            "decided_by": found.by,
            "reason": found.reason,
        }
