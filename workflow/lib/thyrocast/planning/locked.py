"""A study that applies a locked model: its settings are the model's; standard library and pydantic only."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from thyrocast.config.base import Block
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.image import ImageConfig
from thyrocast.config.network import NetworkConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.config.study import StudyConfig
from thyrocast.contract.manifest import Manifest
from thyrocast.contract.names import Design
from thyrocast.errors import InputError
from thyrocast.planning import bundles

AnyBlock = TypeVar("AnyBlock", bound=Block)
#: Keys of the block ``network`` that say on what hardware a job runs.
HARDWARE = ("threads", "gpus", "allow_cpu")
#: Keys of the block ``evaluation.decision`` that no prediction or decision depends on.
CURVE = ("range", "clinical", "step", "smooth")


def applied(study: StudyConfig) -> tuple[StudyConfig, Manifest | None]:
    """Return a study with the settings of the locked model that it names, and the model's manifest.

    Parameters
    ----------
    study
        The study's config. Without the key `model` it is returned as it is, with None.

    Raises
    ------
    InputError
        If there is no such model, if it cannot be used by this version of thyrocast, or if the config
        has other settings than the model.
    """
    if study.model is None:
        return study, None
    manifest = bundles.read_manifest(bundles.find(study.model))
    image = _block(ImageConfig, manifest.preprocessing.image, "preprocessing.image")
    network = _block(NetworkConfig, manifest.config.get("network"), "config.network")
    network = _of_this_site(network, study.network.simulation.folder)
    signature = _block(SignatureConfig, manifest.config.get("signature"), "config.signature")
    trained = _block(EvaluationConfig, _evaluation(manifest), "config.evaluation")
    own = study.evaluation
    faults = [
        *_differences(study.image, image, "image"),
        *_differences(_of_this_site(study.network), network, "network", HARDWARE),
        *_differences(study.signature, signature, "signature"),
        *_differences(own.threshold, trained.threshold, "evaluation.threshold"),
        # Where the threshold is the reference of the decision curve, this is the model's as well.
        *_differences(own.decision, trained.decision, "evaluation.decision", CURVE),
    ]
    if "designs" in study.model_fields_set and study.designs != (Design.EXTERNAL,):
        faults.append("key designs: a locked model is only applied, expected no designs")
    if faults:
        raise InputError(faults[0] if len(faults) == 1 else "\n".join(["", *faults]))
    hardware = {key: getattr(study.network, key) for key in HARDWARE}
    decision = own.decision.model_copy(update={"reference": trained.decision.reference})
    decided: dict[str, Any] = {"threshold": trained.threshold, "decision": decision}
    if "primary_model" not in own.model_fields_set:
        decided["primary_model"] = trained.primary_model
    changes = {
        "designs": (Design.EXTERNAL,),
        "lock_model": False,
        "image": image,
        "network": network.model_copy(update=hardware),
        "signature": signature,
        "evaluation": own.model_copy(update=decided),
    }
    if "seed" not in study.model_fields_set:
        changes["seed"] = _number(manifest, "seed")
    return study.model_copy(update=changes | {"folds": _number(manifest, "folds")}), manifest


def _of_this_site(network: NetworkConfig, folder: str | None = None) -> NetworkConfig:
    """Return settings whose paths say nothing about them.

    Weights are named by their file, without its folder: their hash is a setting of its own. Pretrained networks
    are in the site's folder, if it is given.
    """
    changes: dict[str, Any] = {}
    if network.weights != Path(network.weights).name:
        changes["weights"] = Path(network.weights).name
    if folder is not None:
        changes["simulation"] = network.simulation.model_copy(update={"folder": folder})
    return network.model_copy(update=changes) if changes else network


def _number(manifest: Manifest, key: str) -> int:
    value = manifest.config.get(key)
    if not isinstance(value, int) or not 0 <= value < 2**32:
        raise InputError(f"locked model, manifest.json, key config.{key}: expected a number")
    return value


def _evaluation(manifest: Manifest) -> Any:
    """Return the block ``evaluation`` of a model, without a key of older models that is no setting of it."""
    block = manifest.config.get("evaluation")
    if not isinstance(block, dict):
        return block
    return {key: value for key, value in block.items() if key != "summaries"}


def _block(kind: type[AnyBlock], block: Any, key: str) -> AnyBlock:
    try:
        return kind.read(block)
    except (ValidationError, TypeError) as error:
        raise InputError(
            f"locked model, manifest.json, key {key}: cannot be read by this version of thyrocast "
            f"({type(error).__name__})"
        ) from None


def _differences(
    given: Block, model: Block, where: str, free: Collection[str] = ()
) -> Iterator[str]:
    """Yield the keys that the config states, but for free ones, and whose values are not the model's."""
    for key in sorted(given.model_fields_set - set(free)):
        ours, theirs = getattr(given, key), getattr(model, key)
        if ours != theirs:
            yield (
                f"key {where}.{key} is {ours}, but the locked model was made with {theirs}: remove the "
                "key, a locked model brings its own settings"
            )
