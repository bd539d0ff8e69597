"""Config of the maps of the network's evidence."""

from enum import StrEnum

from thyrocast.config.base import Block, option
from thyrocast.config.choices import Architecture

#: Cells along one side of the smallest map from which a share inside the gland is computed. A gland
#: covers a few cells of a coarser one, so that its share depends on where their borders are.
LEAST_GRID = 7


class CamTarget(StrEnum):
    """What a map shows evidence for."""

    CURED = "cured"
    NOT_CURED = "not_cured"
    PREDICTED = "predicted"


class CamLayer(StrEnum):
    """Block of the network from whose activations a map is computed."""

    AUTO = "auto"
    LAYER3 = "layer3"
    LAYER4 = "layer4"


class CamMethod(StrEnum):
    """How activations and gradients make a map."""

    GRADCAM = "gradcam"
    HIRESCAM = "hirescam"
    GRADCAM_PLUS_PLUS = "gradcam++"


#: Pixels of the image for one cell of a map of ResNet50, along one side.
_STRIDES = {CamLayer.LAYER3: 16, CamLayer.LAYER4: 32}
#: Cells along one side of a map of the compact network, whatever the image's size.
_COMPACT_CELLS = {CamLayer.LAYER3: 16, CamLayer.LAYER4: 8}


class ExplanationConfig(Block):
    """What the models rely on: maps of the network's evidence, and permutation importance."""

    target: CamTarget = option(
        "What the map shows evidence for: `cured` (regions that increase the logit; the same "
        "target for every patient), `not_cured` (regions that decrease it), or `predicted` (the "
        "outcome with the higher probability).",
        CamTarget.CURED,
    )
    layer: CamLayer = option(
        "Block of the network from whose activations the map is computed. `layer4` is the usual one, "
        "with 1/32 of the image's resolution; `layer3` is finer (1/16) and less specific. The maps of the "
        "compact network have 8 × 8 and 16 × 16 cells. `auto` is "
        f"`layer4` if its maps have at least {LEAST_GRID} × {LEAST_GRID} cells (images of 193 pixels or "
        "more), otherwise `layer3`. Coarser maps are drawn, but no share inside the gland is computed.",
        CamLayer.AUTO,
    )
    method: CamMethod = option(
        "How activations and gradients make a map: `gradcam` (Selvaraju 2017; the mean gradient of each "
        "channel), `hirescam` (Draelos 2020; the gradient of each cell; the same as `gradcam` for "
        "`layer4`) or `gradcam++` (Chattopadhyay 2018; positive gradients only).",
        CamMethod.GRADCAM,
    )
    randomized: int = option(
        "Test patients of a split whose maps are computed again with random weights (Adebayo 2018), from the "
        "top of the network down to all of it, and by the other methods. 0 omits this, and so do maps that are "
        "too coarse for a share.",
        24,
        unit="patients",
        ge=0,
        le=10_000,
    )
    moved: int = option(
        "Random places of each of these maps whose deletion and insertion curves (Petsiuk 2018) are compared with its own. "
        "0 omits the curves.",
        4,
        unit="places",
        ge=0,
        le=300,
    )
    batch_size: int = option("Images explained at once.", 32, unit="images", ge=1, le=4096)
    permutations: int = option(
        "Permutations of every predictor of signature and baselines among the test patients, whose loss of AUC is "
        "its importance (Breiman 2001); of n - 1 different ones in which every patient has the values of another. 0 omits it.",
        50,
        unit="permutations",
        ge=0,
        le=10_000,
    )

    def layer_at(self, size: int, architecture: Architecture) -> CamLayer:
        """Return the block that is used for images of `size` pixels."""
        if self.layer is not CamLayer.AUTO:
            return self.layer
        fine = cells(CamLayer.LAYER4, size, architecture) >= LEAST_GRID
        return CamLayer.LAYER4 if fine else CamLayer.LAYER3

    def grid_at(self, size: int, architecture: Architecture) -> int:
        """Return the cells along one side of a map of images of `size` pixels."""
        return cells(self.layer_at(size, architecture), size, architecture)


def cells(layer: CamLayer, size: int, architecture: Architecture) -> int:
    """Return the cells along one side of a block's activations: every stride rounds up."""
    if architecture is Architecture.COMPACT:
        return _COMPACT_CELLS[layer]
    return -(-size // _STRIDES[layer])
