"""Config of the report."""

from thyrocast.config.base import Block, option


class ReportConfig(Block):
    """What the report shows."""

    overlays: int = option(
        "Largest number of Grad-CAM pictures in the report, taken in turn from each center and "
        "outcome; it limits the size of the report of a large study. 0 shows none.",
        48,
        unit="pictures",
        ge=0,
        le=2000,
    )
