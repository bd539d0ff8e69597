"""Maps of a network whose weights become random, block by block from the top (Adebayo et al. 2018)."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from thyrocast.config.choices import Architecture
from thyrocast.config.explanation import LEAST_GRID, CamTarget, ExplanationConfig
from thyrocast.contract.control_names import Randomized
from thyrocast.network import gradcam
from thyrocast.network.compact import ScintigramCompact
from thyrocast.network.gradcam import Member
from thyrocast.network.image_set import ImageSet
from thyrocast.network.model import Network, create

#: What becomes random at each step, in the order of the steps: blocks of the ResNet50.
RESNET50 = (
    (Randomized.NOTHING, ()),
    (Randomized.CLASSIFIER, ("fc.",)),
    (Randomized.LAYER4, ("layer4.",)),
    (Randomized.LAYER3, ("layer3.",)),
    (Randomized.LAYER2, ("layer2.",)),
    (Randomized.LAYER1, ("layer1.",)),
    (Randomized.ALL, ("conv1.", "bn1.")),
)


#: The same of the compact network, which has three stages.
COMPACT = (
    (Randomized.NOTHING, ()),
    (Randomized.CLASSIFIER, ("fc.",)),
    (Randomized.LAYER4, ("body.stages.2.",)),
    (Randomized.LAYER3, ("body.stages.1.",)),
    (Randomized.LAYER2, ("body.stages.0.",)),
    (Randomized.ALL, ("body.stem.",)),
)
STEPS = {Architecture.RESNET50: RESNET50, Architecture.COMPACT: COMPACT}


def chosen(data: ImageSet, settings: ExplanationConfig) -> NDArray[np.intp]:
    """Positions (n,) of the patients who are taken: those with the first pseudonyms, which have no order."""
    return np.sort(np.argsort(data.patient)[: settings.randomized])


def cascade(network: Network, seed: int) -> Iterator[Network]:
    """Yield the network as it is, then with the random weights of training's start in ever more blocks.

    Parameters
    ----------
    network
        A trained network; it is not changed.
    seed
        Determines the random weights.
    """
    state = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
    fresh = _untrained(network.architecture, seed).state_dict()
    for _, blocks in STEPS[network.architecture]:
        state |= {name: value for name, value in fresh.items() if name.startswith(blocks)}
        changed = _untrained(network.architecture, seed)
        changed.load_state_dict(state)
        yield changed.eval()


def _untrained(architecture: Architecture, seed: int) -> Network:
    """A network that has learned nothing, with the parameters of a trained one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = create(architecture)
    if isinstance(network, ScintigramCompact):
        network.body.fold()
    return network


def randomized(
    member: Member, data: ImageSet, settings: ExplanationConfig, device: torch.device, seed: int
) -> NDArray[np.float32]:
    """Compute the maps of some test patients at every step.

    Parameters
    ----------
    member
        A network with its normalization.
    data
        Test patients, of whom some are `chosen`.
    settings
        Config of the explanation.
    device
        Where the networks run.
    seed
        Determines the random weights.

    Returns
    -------
    ndarray, (steps, n, cells, cells)
        Zeros for patients who were not taken; no patients at all if the test is not requested or the grid
        is too coarse.
    """
    network, normalization = member
    cells = settings.grid_at(data.size, network.architecture)
    taken = chosen(data, settings)
    steps = len(STEPS[network.architecture])
    if cells < LEAST_GRID or not len(taken):
        return np.zeros((steps, 0, cells, cells), np.float32)
    few = data.take(taken)
    # The same target at every step: a random network predicts other outcomes.
    fixed = CamTarget.CURED if settings.target is CamTarget.PREDICTED else settings.target
    own = settings.model_copy(update={"target": fixed})
    found = np.zeros((steps, len(data), cells, cells), np.float32)
    for step, changed in enumerate(cascade(network, seed)):
        for batch in gradcam.explain([(changed, normalization)], few, own, device):
            found[step, taken[batch.positions]] = batch.maps
    return found
