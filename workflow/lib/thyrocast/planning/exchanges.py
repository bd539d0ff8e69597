"""Check exchange files before any job: they must be about the same thing as the study.

Imported by the launcher: standard library and pydantic only.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from thyrocast.config.exchange import ExchangedCenterConfig
from thyrocast.config.signature import Embeddings
from thyrocast.config.study import Outcomes, StudyConfig
from thyrocast.contract import documents
from thyrocast.contract.deployment import MANIFEST
from thyrocast.contract.exchange import Exchange, ModelOrigin
from thyrocast.contract.names import Design, Metric, OutcomeRule, Role
from thyrocast.errors import InputError
from thyrocast.planning import bundles, exchanged_numbers, models

#: Most bytes of a file; one of a hundred models has far fewer.
_LONGEST = 5_000_000


def read(path: str | Path) -> Exchange:
    """Read an exchange file that somebody else wrote.

    Raises
    ------
    InputError
        If it is no plain file, is longer than any exchange file, or is not JSON of this layout that every
        reader understands in the same way.
    """
    place = Path(path).expanduser()
    if place.exists() and not place.is_file():
        raise InputError(f"{path} is a folder or no plain file, expected an exchange file (JSON)")
    if place.is_file() and place.stat().st_size > _LONGEST:
        raise InputError(
            f"{path} has {place.stat().st_size} bytes, expected an exchange file (JSON) of fewer than "
            f"{_LONGEST}"
        )
    found = documents.read(Exchange, place)
    bundles.strict_json(place.read_bytes(), str(path))
    return found


def faults(study: StudyConfig) -> Iterator[str]:
    """Yield what is wrong with the study's exchange files, one sentence each."""
    seen: dict[tuple[str, ...], str] = {}
    applied = _applied(study) if study.exchanged else None
    for center in study.exchanged:
        where = f"center {center.name}, key exchange"
        try:
            found = read(center.exchange)
        except InputError as error:
            yield f"{where}: {error}"
            continue
        yield from (f"{where}: {center.exchange} {text}" for text in mismatches(found, study))
        try:
            check_model(found, center.name, applied)
        except InputError as error:
            yield str(error)
        yield from twice(found, center, seen)


def _applied(study: StudyConfig) -> str | None:
    """Hash of what predicts in the locked model that the study applies; None if it trains models."""
    if study.model is None:
        return None
    bundle = bundles.find(study.model)
    content = bundle.read(MANIFEST, bundles.LONGEST_MANIFEST)
    return models.hash_in(bundles.strict_json(content, f"locked model {bundle.path}, {MANIFEST}"))


def twice(
    found: Exchange, center: ExchangedCenterConfig, seen: dict[tuple[str, ...], str]
) -> Iterator[str]:
    """Yield a sentence if the results of a file are those of another file, also under another name.

    Parameters
    ----------
    found, center
        The file, and its block in the config.
    seen
        Center by what identifies its results; the file is added.
    """
    results = "".join(model.model_dump_json() for model in found.models.values())
    named = (found.study, found.center, found.design.value)
    for key in (named, (results,)):
        if key in seen:
            yield (
                f"center {center.name}, key exchange: {center.exchange} has the results of center "
                f"{found.center} of study {found.study}, and so has that of center {seen[key]}: remove one of "
                "them"
            )
            break
    seen.setdefault(named, center.name)
    seen.setdefault((results,), center.name)


def check_model(found: Exchange, name: str, own: str | None) -> None:
    """Refuse results of another locked model than that of this study.

    Parameters
    ----------
    found
        The exchange file.
    name
        The center's name in this study.
    own
        Hash of the locked model of this study (`planning.models.hash_of`); None if it has none.

    Raises
    ------
    InputError
        If both name a locked model, but not the same one.
    """
    sent = found.model
    if sent.origin is ModelOrigin.LOCKED and own is not None and sent.hash != own:
        raise InputError(
            f"center {name}: its exchange file is about the locked model {str(sent.hash)[:12]}, expected "
            f"{own[:12]}, the locked model of this study: apply that one at the center and ask for a new "
            "file"
        )


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
    yield from exchanged_numbers.damages(found)


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
