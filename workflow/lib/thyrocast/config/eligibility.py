"""Config of a center's eligibility: which rows of its table are patients of the study."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, model_validator

from thyrocast.config.base import Block, Code, Fault, folded_once, option, summary
from thyrocast.contract.names import YesNo
from thyrocast.contract.text import code_texts, fold

#: A center's codes of a yes/no column, and ours; null means "not known".
Answers = Annotated[dict[str, YesNo | None], AfterValidator(folded_once(fold))]


class IfMissing(StrEnum):
    """What happens with a patient whose cell of a criterion is missing."""

    EXCLUDE = "exclude"
    INCLUDE = "include"


def _missing() -> Any:
    return option(
        "A patient whose cell is empty or means “not known” is excluded with this reason "
        "(`exclude`), or included (`include`). A cell that is not understood always excludes.",
        IfMissing.EXCLUDE,
    )


class DiagnosisConfig(Block):
    """The diagnosis: only Graves' disease is in the study."""

    column: str = option("Column with the diagnosis.")
    graves: tuple[Code, ...] = option(
        "Codes that mean Graves' disease (`E05.0`, `Basedow`); case does not matter.", min_length=1
    )
    others: tuple[Code, ...] = option(
        "Codes of other diagnoses. If some are given, a code that is in neither list is not "
        "understood; otherwise every other code is another diagnosis.",
        (),
    )
    missing: IfMissing = _missing()


class EarlierTreatmentConfig(Block):
    """A treatment that must not have been given before the first radioiodine therapy of the study."""

    column: str = option(
        "Column with yes/no, with the number of treatments, or with the date of the treatment. A "
        "date counts if it is before `columns.therapy_date`; a later one contradicts the column "
        "and excludes, unless the column is also one of `outcome.second_treatments`."
    )
    codes: Answers = option("The center's codes and ours, `yes` and `no`.", {})
    missing: IfMissing = _missing()


class PregnancyConfig(Block):
    """Pregnancy at the time of the therapy, or of the scan."""

    column: str = option("Column with yes/no.")
    codes: Answers = option("The center's codes and ours, `yes` and `no`.", {})
    missing: IfMissing = _missing()


class TherapyNumberConfig(Block):
    """The number of the therapy, for tables with later therapies.

    Only the first therapy is in the study. A later therapy of a patient who also has a row of the
    first one counts as a second treatment (outcome rule `followup`).
    """

    column: str = option("Column with the number of the therapy.")
    first: tuple[Code, ...] = option("Codes that mean the first therapy.", (1,), min_length=1)
    missing: IfMissing = _missing()


class AgeConfig(Block):
    """Bounds of the age at therapy, included; from `columns.age` or the birth date."""

    minimum: float | None = option("Smallest age.", None, unit="years", ge=0, le=120)
    maximum: float | None = option("Largest age.", None, unit="years", ge=0, le=120)
    missing: IfMissing = _missing()

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        _check_range(self.minimum, self.maximum)
        return self


class CriterionConfig(Block):
    """Any other criterion: allowed codes, excluded codes, or bounds of a number."""

    name: str = option(
        "What the patient must fulfill, in words; public, part of the reason in flow and report.",
        pattern=r"^\S(.{0,78}\S)?$",
        expected="1 to 80 characters",
    )
    column: str = option("Column of the center's table.")
    allowed: tuple[Code, ...] = option("Codes of eligible patients; others are excluded.", ())
    excluded: tuple[Code, ...] = option("Codes of patients who are excluded; others are not.", ())
    minimum: float | None = option("Smallest number, in the unit of the column.", None)
    maximum: float | None = option("Largest number, in the unit of the column.", None)
    missing: IfMissing = _missing()

    @model_validator(mode="after")
    def _is_one_condition(self) -> Self:
        bounds = self.minimum is not None or self.maximum is not None
        given = bool(self.allowed or self.excluded) + bounds
        if given != 1:
            found = "has no condition" if given == 0 else "has codes and bounds"
            raise ValueError(f"{found}, expected codes (`allowed`, `excluded`) or bounds")
        both = sorted(code_texts(self.allowed) & code_texts(self.excluded))
        if both:
            raise ValueError(f"code {both[0]!r} is allowed and excluded, expected one of them")
        _check_range(self.minimum, self.maximum)
        return self


def _check_range(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"is a range from {low:g} to {high:g}, expected the smaller number first")


class EligibilityConfig(Block):
    """Which rows of the clinical table are patients of the study.

    The study is about the first radioiodine therapy of Graves' disease. Every patient who is
    excluded is listed with the reason. Without this block all rows are included, and log, check
    page and report warn that nobody stated that they are eligible.
    """

    all_rows: bool = option(
        "States that the table contains eligible patients only; then no criterion is given.", False
    )
    diagnosis: DiagnosisConfig | None = option(summary(DiagnosisConfig), None)
    earlier_radioiodine: EarlierTreatmentConfig | None = option(
        "Radioiodine before the study's therapy excludes. " + summary(EarlierTreatmentConfig), None
    )
    earlier_surgery: EarlierTreatmentConfig | None = option(
        "Thyroid surgery before the study's therapy excludes. " + summary(EarlierTreatmentConfig),
        None,
    )
    therapy_number: TherapyNumberConfig | None = option(summary(TherapyNumberConfig), None)
    age: AgeConfig | None = option(summary(AgeConfig), None)
    pregnancy: PregnancyConfig | None = option(summary(PregnancyConfig), None)
    criteria: tuple[CriterionConfig, ...] = option(summary(CriterionConfig), ())

    def faults(self) -> list[Fault]:
        """Return what is missing or contradicts itself."""
        given = [name for name, _ in self.criteria_by_key()]
        if self.all_rows and given:
            text = f"is true, but {given[0]} is given as well, expected one of them"
            return [(("eligibility", "all_rows"), text)]
        if not self.all_rows and not given:
            text = "contains no criterion, expected at least one, or `all_rows: true`"
            return [(("eligibility",), text)]
        names = [criterion.name for criterion in self.criteria]
        return [
            (("eligibility", "criteria", n, "name"), f"{name!r} is given twice: rename one")
            for n, name in enumerate(names)
            if name in names[:n]
        ]

    def criteria_by_key(self) -> Iterator[tuple[str, Block]]:
        """Yield the criteria that are given, with their config keys below `eligibility`."""
        for key in _KEYS:
            block = getattr(self, key)
            if block is not None:
                yield key, block
        for n, criterion in enumerate(self.criteria):
            yield f"criteria[{n}]", criterion

    def named_columns(self) -> dict[str, str]:
        """Return the columns of the table that the criteria need, by config key."""
        return {
            f"eligibility.{key}.column": str(block.plain()["column"])
            for key, block in self.criteria_by_key()
            if not isinstance(block, AgeConfig)
        }


_KEYS = (
    "diagnosis", "earlier_radioiodine", "earlier_surgery", "therapy_number", "age", "pregnancy",
)  # fmt: skip
