"""Config of a center's outcome rule."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from thyrocast.config.base import Block, Fault, NotNegativeRange, block, folded_once, option
from thyrocast.contract.names import OutcomeRule, ThyroidState
from thyrocast.contract.text import code_texts, fold

#: A center's code; YAML reads an unquoted yes or no as true or false.
Code = str | int | bool


class SubclinicalMeaning(StrEnum):
    """What subclinical hyperthyroidism at the deciding visit means."""

    CURED = "cured"
    NOT_CURED = "not_cured"
    EXCLUDE = "exclude"


class DrugMeaning(StrEnum):
    """What antithyroid drugs at the deciding visit mean."""

    NOT_CURED = "not_cured"
    EXCLUDE = "exclude"


class VisitConfig(Block):
    """The center's columns of one follow-up visit."""

    date: str | None = option("Column with the visit's date.", None)
    months: float | None = option(
        "Months since therapy, if the table has no date.", None, unit="months", gt=0
    )
    state: str | None = option("Column with the thyroid state, coded by `states`.", None)
    tsh: str | None = option("Column with TSH.", None, unit="mIU/L")
    ft4: str | None = option("Column with free thyroxine, in the unit of `units.ft4`.", None)
    ft3: str | None = option("Column with free triiodothyronine, in the unit of `units.ft3`.", None)
    drug: str | None = option(
        "Column that says whether antithyroid drugs were taken (yes/no).", None
    )


class ReferenceRangesConfig(Block):
    """Reference ranges that turn hormones into a thyroid state."""

    tsh: NotNegativeRange = option("Lower and upper limit of TSH.", (0.4, 4.0), unit="mIU/L")
    ft4: NotNegativeRange = option(
        "Lower and upper limit of free thyroxine.", (12.0, 22.0), unit="pmol/L"
    )
    ft3: NotNegativeRange = option(
        "Lower and upper limit of free triiodothyronine.", (3.1, 6.8), unit="pmol/L"
    )


class OutcomeConfig(Block):
    """How the outcome is decided; required for every center that is not prospective."""

    rule: OutcomeRule = option(
        "`given` (from a column of the table) or `followup` (derived from visits after therapy)."
    )
    cured: tuple[Code, ...] = option(
        "Codes of the column `outcome` that mean cured (rule `given`).", ()
    )
    not_cured: tuple[Code, ...] = option(
        "Codes of the column `outcome` that mean not cured (rule `given`).", ()
    )
    visits: tuple[VisitConfig, ...] = option(
        "The center's columns of each follow-up visit (rule `followup`), in any order.", ()
    )
    states: Annotated[dict[str, ThyroidState], AfterValidator(folded_once(fold))] = option(
        "The center's codes of a visit's thyroid state and ours: `hyperthyroid`, "
        "`subclinical_hyperthyroid`, `euthyroid`, `subclinical_hypothyroid`, `hypothyroid`.",
        {},
    )
    second_treatment: str | None = option(
        "Column with the date of a second iodine therapy or thyroidectomy, or with yes/no for "
        "whether there was one before the deciding visit.",
        None,
    )
    months: float = option(
        "Time after therapy at which the outcome is decided. Persistent hyperthyroidism is judged "
        "6 to 12 months after therapy (2016 American Thyroid Association guideline, "
        "recommendation 14; EANM guideline on radioiodine therapy of benign thyroid disease, "
        "2023).",
        12.0,
        unit="months",
        ge=1,
        le=60,
    )
    tolerance_months: float = option(
        "Largest difference between the time of the deciding visit and `months`.",
        3.0,
        unit="months",
        ge=0,
        le=24,
    )
    subclinical_hyperthyroid: SubclinicalMeaning = option(
        "What a suppressed TSH with normal hormones means. TSH may stay suppressed for months "
        "after the patient is euthyroid (2016 ATA guideline, recommendation 12), so the default is "
        "`exclude`.",
        SubclinicalMeaning.EXCLUDE,
    )
    drug_at_visit: DrugMeaning = option(
        "What antithyroid drugs at the deciding visit mean: `not_cured` (the patient still needs "
        "them), or `exclude` (the outcome is unknown).",
        DrugMeaning.NOT_CURED,
    )
    reference: ReferenceRangesConfig = block(ReferenceRangesConfig)

    def faults(self, outcome_column: str | None, therapy_date: str | None) -> list[Fault]:
        """Return what the rule needs but the center's block does not contain.

        Parameters
        ----------
        outcome_column, therapy_date
            Names of these columns in the center's table; None if the center does not have them.
        """
        if self.rule is OutcomeRule.FOLLOWUP:
            return self._followup_faults(therapy_date)
        faults: list[Fault] = []
        if outcome_column is None:
            text = "missing, expected the column of the outcome"
            faults.append((("columns", "outcome"), text))
        for name in ("cured", "not_cured"):
            if not getattr(self, name):
                text = "is empty, expected at least one code each for cured and not_cured"
                faults.append((("outcome", name), text))
        both = sorted(code_texts(self.cured) & code_texts(self.not_cured))
        if both:
            text = f"code {both[0]!r} means cured and not cured, expected one of them"
            faults.append((("outcome",), text))
        return faults

    def _followup_faults(self, therapy_date: str | None) -> list[Fault]:
        faults: list[Fault] = []
        if not self.visits:
            text = "is empty, expected the columns of at least one visit"
            faults.append((("outcome", "visits"), text))
        if therapy_date is None and any(visit.months is None for visit in self.visits):
            text = "missing, expected the date from which visits are counted"
            faults.append((("columns", "therapy_date"), text))
        return faults
