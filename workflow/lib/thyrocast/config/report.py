"""Config of the report."""

from thyrocast.config.base import Block, option


class ReportConfig(Block):
    """What the report shows."""

    overlays: int = option(
        "Largest number of Grad-CAM pictures in a report, taken in turn from each center and "
        "outcome; it limits the size of the report of a large study. 0 shows none.",
        48,
        unit="pictures",
        ge=0,
        le=2000,
    )
    share_pictures: bool = option(
        "Whether `report.html`, which is made to be passed on, contains pictures of real patients, "
        "without pseudonym, center, outcome or probability. Pictures of simulated patients are always "
        "shown. `report-internal.html` contains the pictures in any case.",
        False,
    )
