"""Config of a center's outcome: the columns of its follow-up, and what counts as cure."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, model_validator

from thyrocast.config.base import (
    Block,
    Code,
    Fault,
    FaultsError,
    NotNegativeRange,
    block,
    folded_once,
    option,
)
from thyrocast.config.definition import (
    DECISION_KEYS,
    DecisionConfig,
    DefinitionConfig,
    Definitions,
    Duration,
)
from thyrocast.config.eligibility import Answers
from thyrocast.contract.names import OutcomeRule, SecondKind, ThyroidState
from thyrocast.contract.text import code_texts, fold

#: Name of the definition of a center that does not name its definitions.
MAIN = "main"
# Limits of reference ranges in our units; a range in another unit lies outside of them.
_PLAUSIBLE = {
    "tsh": ((0.05, 1.5), (2.0, 12.0), "mIU/L"),
    "ft4": ((5.0, 20.0), (14.0, 40.0), "pmol/L"),
    "ft3": ((1.5, 6.0), (4.0, 15.0), "pmol/L"),
}


class VisitConfig(Block):
    """The center's columns of one follow-up visit."""

    visit: str | None = option(
        "With `layout: long`, the cell of `columns.visit` in the rows of this visit; without it, every "
        "row of a patient is a visit.",
        None,
    )
    date: str | None = option("Column with the visit's date.", None)
    months: float | None = option(
        "Months since therapy, if the table has no date.", None, unit="months", gt=0
    )
    state: str | None = option("Column with the thyroid state, coded by `states`.", None)
    tsh: str | None = option("Column with TSH.", None, unit="mIU/L")
    ft4: str | None = option("Column with free thyroxine, in the unit of `units.ft4`.", None)
    ft3: str | None = option("Column with free triiodothyronine, in the unit of `units.ft3`.", None)
    drug: str | None = option(
        "Column that says whether antithyroid drugs were taken (yes/no, dose or name); an empty "
        "cell means no.",
        None,
    )
    levothyroxine: str | None = option(
        "Column that says whether levothyroxine was taken (yes/no, dose or name); an empty cell "
        "means no. Replacement shows that the patient was hypothyroid.",
        None,
    )


class SecondTreatmentConfig(Block):
    """The center's columns of one kind of second treatment after the first radioiodine therapy.

    A second treatment settles that the first therapy failed, at its date. One without a date does
    not: unless the visits show failure as well, the patient has no outcome.
    """

    kind: SecondKind = option(
        "`iodine` (a second radioiodine therapy), `surgery` (thyroidectomy), `drugs` (restart of "
        "antithyroid drugs) or `other`."
    )
    column: str | None = option("Column with yes/no, or with the date.", None)
    date: str | None = option("Column with the date, if `column` is yes/no.", None)
    codes: Answers = option("The center's codes of `column` and ours, `yes` and `no`.", {})
    within: Duration | None = option(
        "Time after therapy within which a `yes` without a date happened, if the column means "
        "that (`12 months` for “second radioiodine within a year”).",
        None,
    )
    counts_from: Duration | None = option(
        "Earliest time after therapy at which the treatment means failure. By default every date "
        "after the therapy counts, but a restart of `drugs` only from 24 weeks on: drugs are often "
        "given until radioiodine takes effect, and the 2016 ATA guideline suggests retreatment if "
        "hyperthyroidism persists after 6 months. After an earlier restart the visits decide.",
        None,
    )

    @model_validator(mode="after")
    def _has_a_column(self) -> Self:
        if self.column is None and self.date is None:
            raise ValueError("has no column, expected `column` or `date`")
        return self


class ReferenceRangesConfig(Block):
    """Reference ranges that turn hormones into a thyroid state, in our units."""

    tsh: NotNegativeRange = option("Lower and upper limit of TSH.", (0.4, 4.0), unit="mIU/L")
    ft4: NotNegativeRange = option(
        "Lower and upper limit of free thyroxine.", (12.0, 22.0), unit="pmol/L"
    )
    ft3: NotNegativeRange = option(
        "Lower and upper limit of free triiodothyronine.", (3.1, 6.8), unit="pmol/L"
    )

    @model_validator(mode="after")
    def _is_in_our_units(self) -> Self:
        faults: list[Fault] = []
        for name, (lows, highs, unit) in _PLAUSIBLE.items():
            low, high = getattr(self, name)
            if not (lows[0] <= low <= lows[1] and highs[0] <= high <= highs[1]):
                text = (
                    f"{low:g} to {high:g} is no reference range in {unit}, expected a lower limit "
                    f"of {lows[0]:g} to {lows[1]:g} and an upper one of {highs[0]:g} to "
                    f"{highs[1]:g}: convert the limits to {unit}"
                )
                faults.append(((name,), text))
        if faults:
            raise FaultsError(faults)
        return self


class OutcomeConfig(DecisionConfig):
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
        "Short for one `second_treatments` of kind `other`: a column with the date of a second "
        "radioiodine therapy or thyroidectomy, or with yes/no.",
        None,
    )
    second_treatments: tuple[SecondTreatmentConfig, ...] = option(
        " ".join((SecondTreatmentConfig.__doc__ or "").split()), ()
    )
    death: str | None = option(
        "Column with the date of death; a patient who died before the outcome was decided has no "
        "outcome.",
        None,
    )
    reference: ReferenceRangesConfig = block(ReferenceRangesConfig)
    definition: Definitions = option(
        "Named definitions of the outcome, instead of one that is given by the keys of this block. "
        "Replaces `outcome.definition` of the study for this center; the names must be the same in "
        "all centers.",
        (),
    )

    @model_validator(mode="after")
    def _has_one_way_to_state_its_definition(self) -> Self:
        if self.definition and self.states_decision():
            given = [key for key in DECISION_KEYS if getattr(self, key) != _default(key)]
            text = f"is given as well as {given[0]!r}, expected one of them"
            raise FaultsError([(("definition",), text)])
        return self

    def states_decision(self) -> bool:
        """Return whether a key of the definition is given directly in this block."""
        return any(getattr(self, key) != _default(key) for key in DECISION_KEYS)

    def definitions(self) -> tuple[DefinitionConfig, ...]:
        """Return the definitions of the outcome, the main one first."""
        if not self.definition:
            keys = {key: value for key, value in self.plain().items() if key in DECISION_KEYS}
            return (DefinitionConfig.read({"name": MAIN, **keys}),)
        return tuple(sorted(self.definition, key=lambda one: not one.main))

    def all_second_treatments(self) -> tuple[SecondTreatmentConfig, ...]:
        """Return the second treatments, with the one of `second_treatment`."""
        if self.second_treatment is None:
            return self.second_treatments
        single = SecondTreatmentConfig(kind=SecondKind.OTHER, column=self.second_treatment)
        return (single, *self.second_treatments)

    def second_columns(self) -> list[str]:
        """Return the center's columns of second treatments."""
        return [
            name
            for one in self.all_second_treatments()
            for name in (one.column, one.date)
            if name is not None
        ]

    def named_columns(self) -> dict[str, str]:
        """Return the columns of the table that the follow-up needs, by config key."""
        named: dict[str, str] = {}
        for number, visit in enumerate(self.visits):
            named |= {
                f"outcome.visits[{number}].{key}": theirs
                for key, theirs in visit.plain().items()
                if key not in {"months", "visit"} and theirs is not None
            }
        if self.second_treatment:
            named["outcome.second_treatment"] = self.second_treatment
        for number, second in enumerate(self.second_treatments):
            for key, theirs in (("column", second.column), ("date", second.date)):
                if theirs is not None:
                    named[f"outcome.second_treatments[{number}].{key}"] = theirs
        if self.death:
            named["outcome.death"] = self.death
        return named

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


def _default(key: str) -> Any:
    return DecisionConfig.model_fields[key].default
