"""Config of what a patient without an outcome gets from a locked model."""

from thyrocast.config.base import Block, option


class ProspectiveConfig(Block):
    """Patients of prospective centers, with a locked model (docs/prospective.md)."""

    withdrawn: tuple[str, ...] = option(
        "Pseudonyms of patients whose frozen prediction is not used, for example because a wrong scan was "
        "sent. They are predicted again and scored apart; the ledger keeps the first prediction.",
        (),
    )
