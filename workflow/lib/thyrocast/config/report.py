"""Config of the report."""

from thyrocast.config.base import Block, option


class ReportConfig(Block):
    """What the page shows."""

    overlays: int = option(
        "Most Grad-CAM pictures on the page, drawn in turn from each center and outcome, so that "
        "the page of a large study stays small; 0 shows none.",
        48,
        unit="pictures",
        ge=0,
        le=2000,
    )
