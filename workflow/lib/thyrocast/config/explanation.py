"""Config of Grad-CAM."""

from enum import StrEnum

from thyrocast.config.base import Block, option


class CamTarget(StrEnum):
    """What a Grad-CAM map shows evidence for."""

    CURED = "cured"
    NOT_CURED = "not_cured"
    PREDICTED = "predicted"


class CamLayer(StrEnum):
    """Block of the network from whose activations a map is computed."""

    LAYER3 = "layer3"
    LAYER4 = "layer4"


class ExplanationConfig(Block):
    """Grad-CAM of the network for every test patient, as an overlay and as a number."""

    target: CamTarget = option(
        "What the map shows evidence for: `cured` (regions that increase the logit; the same "
        "target for every patient), `not_cured` (regions that decrease it), or `predicted` (the "
        "outcome with the higher probability).",
        CamTarget.CURED,
    )
    layer: CamLayer = option(
        "Block of ResNet50 from whose activations the map is computed. `layer4` is the usual one, "
        "with 1/32 of the image's resolution; `layer3` is finer (1/16) and less specific.",
        CamLayer.LAYER4,
    )
    batch_size: int = option("Images explained at once.", 32, unit="images", ge=1, le=4096)
