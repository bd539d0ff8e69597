"""Config of the report."""

from typing import Annotated

from pydantic import Field

from thyrocast.config.base import Block, option
from thyrocast.contract.checklist import Item


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
    answers: dict[Item, Annotated[str, Field(min_length=1)]] = option(
        "Answers of the authors to items of the TRIPOD+AI checklist, by number, such as "
        "`18a: Funded by ...`. The report shows them in its checklist; without an answer it says that "
        "the item is to be answered by the authors.",
        {},
    )
