"""Maps of a network whose weights become random, block by block from the top (Adebayo et al. 2018)."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from thyrocast.config.explanation import LEAST_GRID, CamTarget, ExplanationConfig
from thyrocast.contract.control_names import Randomized
from thyrocast.network import gradcam
from thyrocast.network.gradcam import Member
from thyrocast.network.image_set import ImageSet
from thyrocast.network.model import ScintigramResNet50, initialize

#: What becomes random at each step, in the order of the steps.
STEPS = (
    (Randomized.NOTHING, ()),
    (Randomized.CLASSIFIER, ("fc.",)),
    (Randomized.LAYER4, ("layer4.",)),
    (Randomized.LAYER3, ("layer3.",)),
    (Randomized.LAYER2, ("layer2.",)),
    (Randomized.LAYER1, ("layer1.",)),
    (Randomized.ALL, ("conv1.", "bn1.")),
)


def cascade(network: ScintigramResNet50, seed: int) -> Iterator[ScintigramResNet50]:
    """Yield the network as it is, then with the random weights of training's start in ever more blocks.

    Parameters
    ----------
    network
        A trained network; it is not changed.
    seed
        Determines the random weights.
    """
    state = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
    fresh = initialize(seed).state_dict()
    for _, blocks in STEPS:
        state |= {name: value for name, value in fresh.items() if name.startswith(blocks)}
        changed = ScintigramResNet50()
        changed.load_state_dict(state)
        yield changed.eval()


def randomized(
    member: Member, data: ImageSet, settings: ExplanationConfig, device: torch.device, seed: int
) -> NDArray[np.float32]:
    """Compute the maps of some test patients at every step.

    Parameters
    ----------
    member
        A network with its normalization.
    data
        Test patients; those with the first pseudonyms are taken, which have no order.
    settings
        Config of the explanation.
    device
        Where the networks run.
    seed
        Determines the random weights.

    Returns
    -------
    ndarray, (steps, n, cells, cells)
        Zeros for patients who were not taken; no patients at all if the test is not requested, the grid
        is too coarse, or the network is not a ResNet50, whose blocks are named here.
    """
    network, normalization = member
    cells = settings.grid_at(data.size, network.architecture)
    chosen = np.argsort(data.patient)[: settings.randomized]
    if not isinstance(network, ScintigramResNet50) or cells < LEAST_GRID or not len(chosen):
        return np.zeros((len(STEPS), 0, cells, cells), np.float32)
    few = data.take(np.sort(chosen))
    # The same target at every step: a random network predicts other outcomes.
    fixed = CamTarget.CURED if settings.target is CamTarget.PREDICTED else settings.target
    own = settings.model_copy(update={"target": fixed})
    found = np.zeros((len(STEPS), len(data), cells, cells), np.float32)
    for step, changed in enumerate(cascade(network, seed)):
        for batch in gradcam.explain([(changed, normalization)], few, own, device):
            found[step, np.sort(chosen)[batch.positions]] = batch.maps
    return found
