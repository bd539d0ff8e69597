"""Definitions of the outcome in words."""

from thyrocast.config.definition import (
    DAYS_PER_MONTH,
    DefinitionConfig,
    DrugMeaning,
    MissingLab,
    SubclinicalMeaning,
)

_SUBCLINICAL = {
    SubclinicalMeaning.CURED: "subclinical hyperthyroidism counts as cured",
    SubclinicalMeaning.NOT_CURED: "subclinical hyperthyroidism counts as not cured",
    SubclinicalMeaning.EXCLUDE: "subclinical hyperthyroidism gives no outcome",
}


def window(definition: DefinitionConfig) -> str:
    """Return the window in months: ``12 (9 to 15) months``."""
    found = definition.window()
    target, low, high = (
        f"{days / DAYS_PER_MONTH:.1f}".removesuffix(".0")
        for days in (found.target, found.earliest, found.latest)
    )
    return f"{target} ({low} to {high}) months"


def rules(definition: DefinitionConfig) -> list[str]:
    """Return the rules of a definition, apart from its window."""
    found = [_SUBCLINICAL[definition.subclinical_hyperthyroid]]
    if definition.hypothyroid_from is None:
        found.append("only a visit in the window shows cure")
    else:
        found.append(f"overt hypothyroidism settles cure from {definition.hypothyroid_from} on")
    if definition.drug_at_visit is DrugMeaning.EXCLUDE:
        found.append("antithyroid drugs at the deciding visit give no outcome")
    if definition.missing_lab is MissingLab.NORMAL:
        found.append("a missing TSH or free T4 counts as normal")
    return found


def sentence(definition: DefinitionConfig) -> str:
    """Return a definition as part of a sentence."""
    return (
        f"cured if neither hyperthyroid nor on antithyroid drugs at the visit nearest to "
        f"{window(definition)} after therapy (a month is 30.4375 days); a second treatment settles "
        f"failure; {'; '.join(rules(definition))}"
    )
