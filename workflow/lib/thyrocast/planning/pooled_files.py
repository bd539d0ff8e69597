"""Exchange files that are pooled without a study of one's own: they must agree with each other.

Standard library and pydantic only.
"""

from collections.abc import Iterator, Mapping, Sequence

from thyrocast.config.exchange import ExchangedCenterConfig
from thyrocast.contract.exchange import Exchange, ModelOrigin
from thyrocast.contract.names import Metric
from thyrocast.errors import InputError
from thyrocast.planning import exchanged_numbers, exchanges


def read(centers: Sequence[ExchangedCenterConfig]) -> dict[str, Exchange]:
    """Read the exchange files of all centers.

    Returns
    -------
    dict
        By the center's name, in the order of the config.

    Raises
    ------
    InputError
        If a file cannot be read or contradicts itself, if a center is there twice, or if files differ in what
        their results are about; one line for each fault.
    """
    found: dict[str, Exchange] = {}
    faults: list[str] = []
    seen: dict[tuple[str, ...], str] = {}
    for center in centers:
        where = f"center {center.name}, key exchange: {center.exchange}"
        try:
            file = exchanges.read(center.exchange)
        except InputError as error:
            faults.append(f"center {center.name}, key exchange: {error}")
            continue
        faults += [f"{where} {text}" for text in exchanged_numbers.damages(file)]
        faults += exchanges.twice(file, center, seen)
        faults += [f"{where} {text}" for text in _differences(file, found)]
        found[center.name] = file
    if faults:
        raise InputError(faults[0] if len(faults) == 1 else "\n".join(["", *faults]))
    return found


def locked_model(found: Mapping[str, Exchange]) -> str | None:
    """Return the hash of the locked model that the files are about; None if no file names one."""
    hashes = [file.model.hash for file in found.values() if _locked(file)]
    return hashes[0] if hashes else None


def _locked(file: Exchange) -> bool:
    return file.model.origin is ModelOrigin.LOCKED


def _differences(file: Exchange, earlier: Mapping[str, Exchange]) -> Iterator[str]:
    """Yield in what a file differs from the first one, each as a clause about it."""
    if not earlier:
        return
    name, first = next(iter(earlier.items()))
    theirs = _about(first)
    for what, value in _about(file).items():
        if value != theirs[what]:
            yield (
                f"has {what} {value}, but that of center {name} has {theirs[what]}: they cannot be pooled; ask for "
                "files that were written with the same setting"
            )
    for other, one in earlier.items():
        if _locked(file) and _locked(one) and file.model.hash != one.model.hash:
            yield (
                f"is about the locked model {str(file.model.hash)[:12]}, but that of center {other} about "
                f"{str(one.model.hash)[:12]}: apply one model at all centers, and ask for new files"
            )
            return


def _about(file: Exchange) -> dict[str, object]:
    """What results are about, by its name in words."""
    at = {
        result.at
        for model in file.models.values()
        for result in model.results
        if result.metric is Metric.NET_BENEFIT
    }
    flags = {True: "yes", False: "no"}
    definition = ", ".join(f"{key}: {value}" for key, value in file.outcome.definition.items())
    return {
        "confidence level": file.level,
        "shuffled outcomes": flags[file.flags.shuffled],
        "simulated patients": flags[file.flags.simulated],
        "in-sample embeddings": flags[file.flags.in_sample_embeddings],
        "outcomes by the rule": file.outcome.rule.value,
        "the definition of the outcome": definition or "of the center",
        "the net benefit at": ", ".join(f"{value:g}" for value in sorted(filter(None, at))),
    }
