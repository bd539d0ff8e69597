"""Config of the check of each center before training."""

from enum import StrEnum

from thyrocast.config.base import Block, option


class NotReady(StrEnum):
    """What happens if a center is not ready."""

    STOP = "stop"
    CONTINUE = "continue"


class Compare(StrEnum):
    """Other centers with which a center is compared."""

    ALL = "all"
    PRESENT = "present"


class CheckConfig(Block):
    """The check of each center before training.

    Each center gets a page that shows what was understood of its data, and a verdict: ready, ready
    with remarks, or not ready.
    """

    not_ready: NotReady = option(
        "What happens if a center is not ready: `stop` stops before any network is trained and "
        "names the center, its page and what to do first; `continue` logs it and trains.",
        NotReady.STOP,
    )
    most_excluded: float = option(
        "Largest share of a center's patients that one technical reason may exclude (a file that "
        "cannot be read, a view that is not stated, a code that is not in the config). If more are "
        "excluded, the center is not ready.",
        0.25,
        gt=0,
        le=1,
    )
    least_readable: float = option(
        "Smallest share of the filled cells of a configured column that must be readable. If fewer "
        "are, the center is not ready.",
        0.5,
        ge=0,
        le=1,
    )
    compare: Compare = option(
        "Other centers with which a center is compared (distributions, and patients who are in both "
        "centers): `all` registers them first; `present` takes those whose files exist already, as "
        "`make check` does.",
        Compare.ALL,
    )
