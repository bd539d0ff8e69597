"""Check exchange files before any job: they must be about the same thing as the study.

Imported by the launcher: standard library and pydantic only.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from thyrocast.config.signature import Embeddings
from thyrocast.config.study import Outcomes, StudyConfig
from thyrocast.contract import documents
from thyrocast.contract.exchange import Exchange
from thyrocast.contract.names import UNSEEN_CENTERS, Design, Metric, OutcomeRule, Role
from thyrocast.errors import InputError


def faults(study: StudyConfig) -> Iterator[str]:
    """Yield what is wrong with the study's exchange files, one sentence each."""
    seen: dict[tuple[str, str, str], str] = {}
    for center in study.exchanged:
        where = f"center {center.name}, key exchange"
        try:
            found = documents.read(Exchange, center.exchange)
        except InputError as error:
            yield f"{where}: {error}"
            continue
        yield from (f"{where}: {center.exchange} {text}" for text in mismatches(found, study))
        key = (found.study, found.center, found.design)
        if key in seen:
            yield (
                f"{where}: {center.exchange} has the results of center {found.center} of study "
                f"{found.study}, and so has that of center {seen[key]}: remove one of them"
            )
        seen.setdefault(key, center.name)


def mismatches(found: Exchange, study: StudyConfig) -> Iterator[str]:
    """Yield in what a file differs from the study, each as a clause about the file."""
    flags = found.flags
    in_sample = study.signature.embeddings is Embeddings.IN_SAMPLE
    for what, sent, ours, key in (
        ("confidence level", found.level, study.evaluation.confidence, "evaluation.confidence"),
        ("shuffled outcomes", flags.shuffled, study.outcomes is Outcomes.SHUFFLED, "outcomes"),
        ("simulated patients", flags.simulated, study.simulation is not None, "simulation"),
        ("in-sample embeddings", flags.in_sample_embeddings, in_sample, "signature.embeddings"),
    ):
        if sent != ours:
            yield (
                f"has {what} {_word(sent)}, expected {_word(ours)} as in this study ({key}): ask for a "
                "file that was written with the same setting"
            )
    yield from _outcome(found, study)
    yield from _thresholds(found, study.evaluation.decision.reference)
    yield from _impossible(found)


def _word(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _outcome(found: Exchange, study: StudyConfig) -> Iterator[str]:
    rules = [center.outcome for center in study.centers if center.outcome is not None]
    sent = found.outcome
    if sent.rule not in {rule.rule for rule in rules}:
        ours = " or ".join(sorted({rule.rule.value for rule in rules}))
        yield (
            f"has outcomes by the rule {sent.rule.value}, expected {ours} as in this study: they cannot be "
            "compared"
        )
    elif sent.rule is OutcomeRule.FOLLOWUP:
        own = [rule.definitions()[0].plain() for rule in rules if rule.rule is OutcomeRule.FOLLOWUP]
        if sent.definition not in own:
            keys = ", ".join(_different(sent.definition, own[0]))
            yield (
                f"has another definition of the outcome than this study (different: {keys}): ask for a "
                "file that was written with the same definition"
            )


def _different(sent: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    return [key for key in sorted({*sent, *ours}) if sent.get(key) != ours.get(key)]


def _thresholds(found: Exchange, reference: float) -> Iterator[str]:
    at = {
        result.at
        for model in found.models.values()
        for result in model.results
        if result.metric is Metric.NET_BENEFIT
    }
    if at - {reference}:
        shown = ", ".join(f"{value:g}" for value in sorted(filter(None, at)))
        yield (
            f"has the net benefit at {shown}, expected {reference:g} as in this study "
            "(evaluation.decision.reference): ask for a file that was written with the same setting"
        )


def _impossible(found: Exchange) -> Iterator[str]:
    """Yield numbers that no run writes: they would be pooled as if they were results."""
    if found.design not in UNSEEN_CENTERS:
        yield f"is about the design {found.design}, expected {' or '.join(UNSEEN_CENTERS)}"
    if found.cured > found.patients:
        yield f"has {found.cured} cured of {found.patients} patients, expected at most as many"
    for name, model in found.models.items():
        for one in model.results:
            low, value, high = one.ci_low, one.estimate, one.ci_high
            if (
                None not in (low, value, high) and not low <= value <= high  # type: ignore[operator]  # none of them is None
            ):
                yield (
                    f"has for {name} a {one.metric.value} of {value:g} outside of its own limits "
                    f"{low:g} to {high:g}: it was edited or is damaged"
                )


def unseen_design(study: StudyConfig, center: str) -> Design:
    """Return the design in which no model saw a center's patients.

    Raises
    ------
    InputError
        If there is none.
    """
    role = study.center(center).role
    if role is Role.EXTERNAL:
        return Design.EXTERNAL
    if role is Role.DEVELOPMENT and Design.LOCO.value in study.splits():
        return Design.LOCO
    why = (
        "is prospective and has no outcomes"
        if role is Role.PROSPECTIVE
        else "is only used for training: the design loco is not run"
    )
    raise InputError(
        f"center {center}: {why}, expected a center that is external, or a development center that "
        "loco holds out"
    )
