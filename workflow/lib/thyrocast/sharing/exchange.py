"""The exchange file of a center: what may leave it, and a refusal if that would show single patients."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import thyrocast
from thyrocast import fileio
from thyrocast.config.exchange import ExchangeConfig
from thyrocast.config.signature import Embeddings
from thyrocast.config.study import Outcomes, StudyConfig
from thyrocast.contract import documents, files
from thyrocast.contract.exchange import (
    DisclosureRule,
    Exchange,
    Flags,
    ModelOrigin,
    ModelStatement,
    OutcomeStatement,
    PatientFlow,
)
from thyrocast.contract.names import Design, Model, OutcomeRule, Set
from thyrocast.errors import InputError
from thyrocast.ledgers import ledger
from thyrocast.ledgers.ledger import Entry
from thyrocast.planning import fingerprints
from thyrocast.planning.exchanges import unseen_design
from thyrocast.sharing import exchange_results, exchange_summary
from thyrocast.statistics import disclosure
from thyrocast.statistics.inputs import Integers


@dataclass(frozen=True)
class CenterTables:
    """Results and patients of one center, as a study has them.

    Attributes
    ----------
    name
        The center.
    performance, predictions
        Tables `PERFORMANCE` and `PREDICTIONS` of the design that scores the center.
    cohort, patients
        Tables `COHORT` and `PATIENTS`.
    people
        Keyed hash of the identifier, by pseudonym.
    """

    name: str
    performance: pd.DataFrame
    predictions: pd.DataFrame
    cohort: pd.DataFrame
    patients: pd.DataFrame
    people: Mapping[str, str]


def scored(tables: CenterTables, design: Design) -> tuple[pd.DataFrame, list[str]]:
    """Return the center's test predictions and the models that predicted all of its patients.

    Another set of patients for one model would show the patients who are missing.

    Returns
    -------
    DataFrame
        Probabilities by patient (index, sorted), a column for each model, and the column ``outcome``.
    list of str
        External predictions and models that are left out.
    """
    rows = tables.predictions
    rows = rows[
        (rows["design"] == design)
        & (rows["set"] == Set.TEST)
        & (rows["center"] == tables.name)
        & rows["outcome"].notna()
    ]
    if rows.empty:
        raise InputError(f"center {tables.name}: no patient with outcome was scored in {design}")
    by_patient = rows.set_index(["patient", "model"])["probability"]
    wide = by_patient.unstack("model").sort_index()  # noqa: PD010 - each pair is there once
    left_out = [str(name) for name in wide if name not in [*Model] or wide[name].isna().any()]
    outcome = rows.drop_duplicates("patient").set_index("patient")["outcome"]
    wide = wide.drop(columns=left_out).assign(outcome=outcome.astype("int64"))
    return wide, left_out


def write(
    tables: CenterTables,
    study: StudyConfig,
    model: ModelStatement,
    ledger_file: Path,
    target: Path,
) -> Exchange:
    """Write a center's exchange file, and its line in the ledger.

    Raises
    ------
    InputError
        If the center is too small, or if this file and earlier ones together would show results of too
        few patients.
    """
    known = ledger.read(ledger_file)
    wide, left_out = scored(tables, unseen_design(study, tables.name))
    records = _records(wide["outcome"], tables.people)
    people = dict(records)
    earlier = _about_these(known, tables.name, people)
    _check(tables.name, study.exchange, records, earlier)
    group = _groups(records, [one.records for one in earlier])
    found = _build(tables, study, model, wide, group, earlier)
    if left_out:
        text = (
            "Models that did not predict all patients, and external predictions: "
            f"{', '.join(left_out)}."
        )
        found = found.model_copy(update={"hidden": [*found.hidden, text]})
    # The ledger first: no file is there to be sent without its line, if the process is stopped here.
    with fileio.atomic(target) as file:
        documents.write(found, file)
        entry = Entry(
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            study=study.study,
            center=tables.name,
            file=fingerprints.file_hash(file),
            people=people,
            found=sorted(_found(tables)["patient"]),
            cuts={name: exchange_results.limits(one) for name, one in found.models.items()},
        )
        ledger.append(ledger_file, entry)
    return found


def people(scans: pd.DataFrame) -> dict[str, str]:
    """Return the keyed hash of the identifier of each patient of the table `SCANS`, by pseudonym."""
    rows = scans.drop_duplicates("patient")
    pairs = zip(rows["patient"], rows["person_identifier"], strict=True)
    return {str(patient): str(person) for patient, person in pairs}


def check_update(
    center: str,
    rule: ExchangeConfig,
    outcome: pd.Series[int],
    people: Mapping[str, str],
    ledger_file: Path,
) -> dict[str, int]:
    """Return outcome by keyed hash of the patients of an update, which leaves the center as a file does.

    It states how many patients and cures it was fitted to, so it is compared with files and updates before.

    Parameters
    ----------
    center
        The center.
    rule
        The disclosure rule.
    outcome
        Outcomes, by pseudonym.
    people
        Keyed hash of the identifier, by pseudonym.
    ledger_file
        The ledger of what was sent.

    Raises
    ------
    InputError
        If the update and what was sent before would show results of too few patients.
    """
    records = _records(outcome, people)
    found = dict(records)
    _check(center, rule, records, _about_these(ledger.read(ledger_file), center, found))
    return found


def add_update(
    ledger_file: Path, study: str, center: str, model: str, people: dict[str, int]
) -> None:
    """Add an updated model to the ledger of what was sent: its hash, and the result of `check_update`."""
    entry = Entry(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        study=study,
        center=center,
        file=model,
        people=people,
        # It says nothing on patients who were not scored, and has no bins.
        found=[],
        cuts={},
    )
    ledger.append(ledger_file, entry)


def _found(tables: CenterTables) -> pd.DataFrame:
    return tables.patients[tables.patients["center"] == tables.name]


def _about_these(known: Sequence[Entry], center: str, people: Mapping[str, int]) -> list[Entry]:
    """Return the entries about the same patients: of this center, also under another name.

    Two centers may use the same identifiers; most of them are shared only if a center was renamed.
    """
    return [
        one
        for one in known
        if one.center == center
        or 2 * len(people.keys() & one.people.keys()) >= min(len(people), len(one.people))
    ]


def _records(outcome: pd.Series[int], people: Mapping[str, str]) -> list[tuple[str, int]]:
    """Return keyed hash and outcome of each patient.

    Identifiers that differ in leading zeros have one hash; the pseudonym then distinguishes them.
    """
    hashes = [people[str(patient)] for patient in outcome.index]
    return [
        (one if hashes.count(one) == 1 else f"{one}/{patient}", int(value))
        for one, (patient, value) in zip(hashes, outcome.items(), strict=True)
    ]


def _check(
    center: str,
    rule: ExchangeConfig,
    records: Sequence[tuple[str, int]],
    earlier: Sequence[Entry],
) -> None:
    """Raise `InputError` if a group that can be derived is smaller than a file may be."""
    groups = disclosure.patterns(records, [one.records for one in earlier])
    for inside, members in groups.items():
        cured = sum(outcome for _, outcome in members)
        size = len(members)
        if size >= rule.patients and min(cured, size - cured) >= rule.outcomes:
            continue
        if not earlier:
            raise InputError(
                f"center {center}: {size} patients were scored, {min(cured, size - cured)} of the rarer "
                f"outcome, expected at least {rule.patients} and {rule.outcomes}: results of fewer "
                "patients do not leave (config block exchange)"
            )
        dates = ", ".join(one.date for one, was in zip(earlier, inside[1:], strict=True) if was)
        whose = (
            "new patients or outcomes"
            if inside[0]
            else "patients or outcomes that are no longer in"
        )
        raise InputError(
            f"center {center}: with the earlier files ({dates or earlier[-1].date}) this one would show "
            f"the difference: {whose}, fewer than {rule.patients} patients or {rule.outcomes} of an "
            "outcome. Send the earlier file again, or wait until there are enough (docs/exchange.md)"
        )


def _build(
    tables: CenterTables,
    study: StudyConfig,
    model: ModelStatement,
    wide: pd.DataFrame,
    group: Integers,
    earlier: Sequence[Entry],
) -> Exchange:
    rule = study.exchange
    results, hidden = exchange_results.models(
        tables.performance,
        tables.name,
        wide,
        group,
        [one.cuts for one in earlier],
        rule,
        study.evaluation.decision.reference,
    )
    flow = _flow(_found(tables), wide.index, earlier, rule)
    if flow is None:
        hidden.append(
            "The flow of patients: it would show few patients who were found since an earlier file, or who "
            "were not scored."
        )
    cohort = tables.cohort.set_index("patient").loc[wide.index]
    outcome = study.center(tables.name).outcome
    return Exchange(
        format=1,
        thyrocast=thyrocast.__version__,
        contract=files.VERSION,
        code=fingerprints.workflow_version(),
        commit=fingerprints.commit(),
        study=study.study,
        center=tables.name,
        design=unseen_design(study, tables.name),
        level=study.evaluation.confidence,
        flags=Flags(
            simulated=bool(cohort["simulated"].fillna(False).any()),
            shuffled=study.outcomes is Outcomes.SHUFFLED,
            in_sample_embeddings=study.signature.embeddings is Embeddings.IN_SAMPLE,
        ),
        model=model,
        outcome=statement(outcome.rule, outcome.definitions()[0].plain())
        if outcome
        else statement(OutcomeRule.GIVEN, {}),
        rule=DisclosureRule(**rule.plain()),
        patients=len(wide),
        cured=int(wide["outcome"].sum()),
        flow=flow,
        acquisition=exchange_summary.acquisition(cohort, group, rule),
        clinical=exchange_summary.clinical(cohort, group, rule),
        models=results,
        hidden=hidden,
    )


def _flow(
    found: pd.DataFrame, scored: Collection[str], earlier: Sequence[Entry], rule: ExchangeConfig
) -> PatientFlow | None:
    """Return the flow of a center's patients, rows of `PATIENTS`; None if it is hidden."""
    pseudonyms = list(found["patient"])
    earlier = [one for one in earlier if one.found]
    # Of a center under another name, pseudonyms cannot be compared.
    if not all(set(one.found) & set(pseudonyms) for one in earlier):
        return None
    group = _groups(pseudonyms, [frozenset(one.found) for one in earlier])
    return exchange_summary.flow(found, scored, group, rule)


def statement(rule: OutcomeRule, definition: Mapping[str, object]) -> OutcomeStatement:
    """Return how outcomes were decided; the definition says nothing if they were given."""
    plain = definition if rule is OutcomeRule.FOLLOWUP else {}
    return OutcomeStatement.model_validate({"rule": rule, "definition": dict(plain)})


def _groups(members: Sequence[Hashable], earlier: Sequence[Collection[Hashable]]) -> Integers:
    """Return the number of each member's group, (n,): those in the same earlier files."""
    seen: dict[tuple[bool, ...], int] = {}
    numbers = [
        seen.setdefault(tuple(member in one for one in earlier), len(seen)) for member in members
    ]
    return np.asarray(numbers, dtype=np.int64)


def locked(hash_: str) -> ModelStatement:
    """Return the statement about a locked model that was received."""
    return ModelStatement(origin=ModelOrigin.LOCKED, hash=hash_)


def own(hash_: str | None) -> ModelStatement:
    """Return the statement about models that the study trained."""
    return ModelStatement(origin=ModelOrigin.OWN, hash=hash_)
