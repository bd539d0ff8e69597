"""Config of updating a model at a site."""

from thyrocast.config.base import Block, option


class UpdatingConfig(Block):
    """How updates of the model at external centers are judged; see docs/updating.md."""

    level: float = option(
        "Level of the closed testing procedure that chooses an update.", 0.05, gt=0, lt=0.5
    )
    components: int = option(
        "Principal components of the network's embedding that a revision of the head uses in addition to "
        "the model's log-odds.",
        3,
        unit="components",
        ge=1,
        le=20,
    )
    folds: int = option(
        "Parts of the site's patients in cross-validation: each part is predicted by updates that were "
        "fitted to the others.",
        5,
        unit="folds",
        ge=2,
        le=20,
    )
    repeats: int = option("How many times the division is drawn.", 20, ge=1, le=200)
