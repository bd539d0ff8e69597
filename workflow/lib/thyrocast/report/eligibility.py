"""Who was eligible, in words: from the config, without the centers' columns and codes."""

from collections.abc import Iterator, Sequence

from thyrocast.config.center import CenterConfig
from thyrocast.config.eligibility import (
    AgeConfig,
    CriterionConfig,
    EligibilityConfig,
    IfMissing,
)
from thyrocast.report import words

NOT_STATED = "not stated: every row of the clinical table counted as eligible"
ALL_ROWS = (
    "every row of the clinical table, which contains eligible patients only as the center states"
)
_WORDS = {
    "diagnosis": "a diagnosis of Graves’ disease",
    "earlier_radioiodine": "no earlier radioiodine therapy",
    "earlier_surgery": "no earlier thyroid surgery",
    "therapy_number": "first radioiodine therapy",
    "pregnancy": "not pregnant",
}


def not_stated(centers: Sequence[CenterConfig]) -> list[str]:
    """Return the centers whose config does not state who is eligible."""
    return [center.name for center in centers if center.eligibility is None]


def paragraph(centers: Sequence[CenterConfig]) -> str:
    """Return the criteria of all centers; centers with the same criteria together."""
    found: dict[str, list[str]] = {}
    for center in centers:
        found.setdefault(sentence(center.eligibility), []).append(center.name)
    parts = [f"{words.listing(names)}: {text}" for text, names in found.items()]
    return "; ".join(parts) + ". Every excluded patient is listed with the reason."


def sentence(rule: EligibilityConfig | None) -> str:
    """Return the criteria of one center."""
    if rule is None:
        return NOT_STATED
    return ALL_ROWS if rule.all_rows else ", ".join(_criteria(rule))


def short(rule: EligibilityConfig | None) -> str:
    """Return in a few words whether a center states who is eligible."""
    if rule is None:
        return "not stated"
    return "all rows, as stated" if rule.all_rows else "by criteria"


def _criteria(rule: EligibilityConfig) -> Iterator[str]:
    for key, block in rule.criteria_by_key():
        if isinstance(block, AgeConfig):
            text = _age(block)
        else:
            text = block.name if isinstance(block, CriterionConfig) else _WORDS[key]
        included = block.plain()["missing"] == IfMissing.INCLUDE
        yield f"{text} (included if not known)" if included else text


def _age(age: AgeConfig) -> str:
    if age.minimum is not None and age.maximum is not None:
        return f"age {age.minimum:g} to {age.maximum:g} years"
    if age.maximum is not None:
        return f"age of at most {age.maximum:g} years"
    return f"age of at least {age.minimum:g} years" if age.minimum is not None else "known age"
