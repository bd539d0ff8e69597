"""Config of the designs: how patients are divided into training and test."""

import datetime
from typing import Self

from pydantic import model_validator

from thyrocast.config.base import Block, FaultsError, option


class HoldoutConfig(Block):
    """The holdout design."""

    test_fraction: float = option("Share of the patients in the test set.", 0.2, gt=0, lt=1)
    repeats: int = option("How many times the division is drawn.", 1, ge=1, le=1000)


class KfoldConfig(Block):
    """The kfold design.

    Every part of every repeat is the test set of a split with its own networks; all tuning is
    done inside the other parts.
    """

    parts: int = option(
        "Number of parts into which the patients are divided, stratified by outcome and center.",
        5,
        ge=2,
        le=20,
    )
    repeats: int = option("How many times the division is drawn.", 5, ge=1, le=100)


class TemporalConfig(Block):
    """The temporal design: training on earlier patients, test on later ones.

    Development patients without a date of therapy are not in this design, nor are those of
    de-identified packages, which have no dates. Dates stay in the private folder; results show
    years.
    """

    cut: str | None = option(
        'First day of therapy of the test set, in quotes: `"2019-01-01"`. Without it, the first of '
        "a month is taken, so that about `test_fraction` of the patients were treated from then on.",
        None,
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        expected="a date such as 2019-01-01",
    )
    test_fraction: float = option(
        "Share of the patients in the test set, if there is no `cut`.", 0.3, gt=0, lt=1
    )

    @model_validator(mode="after")
    def _cut_is_a_date(self) -> Self:
        try:
            self.first_day()
        except ValueError:
            raise FaultsError([(("cut",), f"is {self.cut!r}, which is no date")]) from None
        return self

    def first_day(self) -> datetime.date | None:
        """Return the first day of the test set; None if the config does not state it."""
        return None if self.cut is None else datetime.date.fromisoformat(self.cut)
