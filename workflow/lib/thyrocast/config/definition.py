"""Config of what counts as cure, and when it is decided."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from thyrocast.config.base import Block, Fault, FaultsError, option

#: Days in a month: a twelfth of 365.25 days.
DAYS_PER_MONTH = 365.25 / 12
_DAYS = {"day": 1.0, "week": 7.0, "month": DAYS_PER_MONTH}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) (day|week|month)s?")
# The window of a definition that does not state one.
_MONTHS, _TOLERANCE = 12.0, 3.0
_LONGEST_MONTHS = 120


class SubclinicalMeaning(StrEnum):
    """What subclinical hyperthyroidism at the deciding visit means."""

    CURED = "cured"
    NOT_CURED = "not_cured"
    EXCLUDE = "exclude"


class DrugMeaning(StrEnum):
    """What antithyroid drugs at the deciding visit mean."""

    NOT_CURED = "not_cured"
    EXCLUDE = "exclude"


class MissingLab(StrEnum):
    """What a normal TSH without free T4, or a normal free T4 without TSH, means."""

    UNDECIDED = "undecided"
    NORMAL = "normal"


def days_of(text: str) -> float:
    """Return a time with its unit in days; a month has 30.4375 days.

    Examples
    --------
    >>> days_of("6 months"), days_of("180 days")
    (182.625, 180.0)
    """
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(
            f"{text!r} is not a time, expected a number with its unit, such as `6 months` or "
            "`180 days`"
        )
    return float(match[1]) * _DAYS[match[2]]


def _checked(text: str) -> str:
    if days_of(text) > _LONGEST_MONTHS * DAYS_PER_MONTH:
        raise ValueError(f"{text!r} is longer than {_LONGEST_MONTHS} months")
    return text


#: Time after therapy with its unit: `6 months`, `26 weeks`, `180 days`.
Duration = Annotated[str, AfterValidator(_checked)]


@dataclass(frozen=True)
class Window:
    """When the outcome is decided, in days after therapy.

    Attributes
    ----------
    earliest, latest
        First and last day of a deciding visit.
    target
        Of several visits in the window the one nearest to this day decides.
    """

    earliest: float
    target: float
    latest: float


class DecisionConfig(Block):
    """What counts as cure, and when it is decided (rule `followup`)."""

    earliest: Duration | None = option(
        "Earliest time after therapy at which a visit decides, with its unit (`6 months`, `180 "
        "days`; a month has 30.4375 days). Given together with `target` and `latest`.",
        None,
    )
    target: Duration | None = option(
        "Time after therapy at which the outcome is decided: of several visits in the window, the "
        "nearest to this time decides; of two that are equally near the earlier one, if they do "
        "not contradict each other.",
        None,
    )
    latest: Duration | None = option("Latest time after therapy at which a visit decides.", None)
    months: float | None = option(
        "Short for a symmetric window around this time; 12 by default.",
        None,
        unit="months",
        ge=1,
        le=60,
    )
    tolerance_months: float | None = option(
        "Largest difference between the deciding visit and `months`; 3 by default.",
        None,
        unit="months",
        ge=0,
        le=24,
    )
    hypothyroid_from: Duration | None = option(
        "Time after therapy from which overt hypothyroidism settles cure before the window: low "
        "free T4 with raised TSH, the coded state `hypothyroid`, or levothyroxine, if no later "
        "visit or treatment contradicts it. The 2016 ATA guideline (Ross et al., Thyroid "
        "2016;26:1343) ends regular monitoring when a patient is hypothyroid and stable on "
        "replacement, otherwise at 6 months; hypothyroidism in the first months may be transient. "
        "The default is a visit at 6 months that may be two weeks early. Null: only a visit in the "
        "window decides.",
        "24 weeks",
    )
    subclinical_hyperthyroid: SubclinicalMeaning = option(
        "What a suppressed TSH with normal hormones at the deciding visit means: `cured`, "
        "`not_cured` or `exclude` (no outcome, which selects on the outcome). The ATA guideline "
        "judges persistent hyperthyroidism by thyroid hormones, since TSH may stay suppressed "
        "after they are normal; the default follows it. Name a second `outcome.definition` to see "
        "how much this matters.",
        SubclinicalMeaning.CURED,
    )
    drug_at_visit: DrugMeaning = option(
        "What antithyroid drugs at the deciding visit mean: `not_cured` (the patient still needs "
        "them), or `exclude` (the outcome is unknown).",
        DrugMeaning.NOT_CURED,
    )
    missing_lab: MissingLab = option(
        "What a normal TSH without free T4, or a normal free T4 without TSH, means: `undecided` (a "
        "missing value is not a normal one), or `normal`.",
        MissingLab.UNDECIDED,
    )

    @model_validator(mode="after")
    def _window_is_one(self) -> Self:
        times = {key: getattr(self, key) for key in ("earliest", "target", "latest")}
        absent = [key for key, value in times.items() if value is None]
        if absent == list(times):
            return self
        faults: list[Fault] = []
        if absent:
            text = "missing, expected earliest, target and latest together"
            faults = [((key,), text) for key in absent]
        for key in ("months", "tolerance_months"):
            if getattr(self, key) is not None:
                text = "is given as well as earliest, target and latest, expected one of them"
                faults.append(((key,), text))
        if not faults:
            window = self.window()
            if not 0 < window.earliest <= window.target <= window.latest:
                text = "is not a window, expected 0 < earliest <= target <= latest"
                faults.append((("earliest",), text))
        if faults:
            raise FaultsError(faults)
        return self

    def window(self) -> Window:
        """Return when the outcome is decided, in days."""
        if self.earliest is not None and self.target is not None and self.latest is not None:
            return Window(days_of(self.earliest), days_of(self.target), days_of(self.latest))
        months = _MONTHS if self.months is None else self.months
        tolerance = _TOLERANCE if self.tolerance_months is None else self.tolerance_months
        return Window(
            max(months - tolerance, 0.0) * DAYS_PER_MONTH,
            months * DAYS_PER_MONTH,
            (months + tolerance) * DAYS_PER_MONTH,
        )


#: Keys of a definition that the block `outcome` of a center may contain as well.
DECISION_KEYS = tuple(DecisionConfig.model_fields)


class DefinitionConfig(DecisionConfig):
    """A named definition of the outcome.

    The models are trained and evaluated with the main definition. Under every other one the
    evaluation is repeated with the same predictions, without training.
    """

    name: str = option(
        "Name in the tables and the report.",
        pattern="^[a-z0-9][a-z0-9_-]{0,39}$",
        expected="1 to 40 lower-case letters, digits, hyphens and underscores, a letter or digit "
        "first",
    )
    main: bool = option("Whether this is the main definition; the first one by default.", False)


def definition_faults(definitions: Sequence[DefinitionConfig]) -> list[Fault]:
    """Return the faults of a list of definitions: a name twice, or two main definitions."""
    faults: list[Fault] = []
    names = [one.name for one in definitions]
    for n, name in enumerate(names):
        if name in names[:n]:
            faults.append(((n, "name"), f"{name!r} is given twice: rename one"))
    mains = [n for n, one in enumerate(definitions) if one.main]
    if len(mains) > 1:
        faults.append(((mains[1], "main"), "two definitions are main, expected one"))
    return faults


def checked_definitions(
    definitions: tuple[DefinitionConfig, ...],
) -> tuple[DefinitionConfig, ...]:
    """Return a list of definitions; reject one with a name twice or with two main definitions."""
    faults = definition_faults(definitions)
    if faults:
        raise FaultsError(faults)
    return definitions


Definitions = Annotated[tuple[DefinitionConfig, ...], AfterValidator(checked_definitions)]


class StudyOutcomeConfig(Block):
    """Definitions of the outcome for all centers whose outcome is decided from follow-up."""

    definition: Definitions = option(
        "Named definitions of the outcome. The models are trained with the main one; under each "
        "other one the evaluation is repeated with the same predictions, and the report compares "
        "them. Without definitions each center's block `outcome` contains its own.",
        (),
    )
