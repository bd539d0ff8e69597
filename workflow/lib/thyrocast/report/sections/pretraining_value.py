"""What simulated scintigrams contribute, from which a network learned before it saw a patient."""

from thyrocast.config.choices import Pretraining
from thyrocast.contract.names import Model
from thyrocast.report import differences, scores, words
from thyrocast.report.study import StudyResults

#: Models without what was learned from simulated scintigrams, unless the networks start from them.
_OTHERS = (Model.HANDCRAFTED, Model.NETWORK)
#: Why no difference is the effect of the simulated scintigrams.
_CAUTION = (
    "None of these differences is the effect of the simulated scintigrams alone: the models also differ in what they "
    "read in the image, and in how many coefficients they learn from outcomes. If an interval contains 0, this study "
    "does not show which of the two models is better."
)


def sentences(study: StudyResults) -> list[str]:
    """Differences of the model `simulated` to other models of the image, and what was not compared."""
    designs = scores.evaluated(study)
    if not designs:
        return []
    design = designs[0]
    known = {*scores.headlines(study, design)["model"]}
    if Model.SIMULATED not in known:
        return []
    favored = f"“{words.model(Model.SIMULATED)}”"
    found = [
        differences.sentence(study, design, Model.SIMULATED, other, favored)
        for other in _OTHERS
        if other in known
    ]
    found = [text for text in found if text]
    if found:
        where = f"Differences in test patients of the design “{words.design(design)}”, with {study.level} intervals:"
        found = [where, *found, _CAUTION]
    if study.config.network.pretraining is Pretraining.SIMULATION and Model.NETWORK in known:
        found.append(_start(study))
    return found


def _start(study: StudyResults) -> str:
    """What is not known about networks that start from simulated scintigrams."""
    start = (
        "The networks themselves start from weights that were learned from simulated scintigrams. What this start "
        "contributes "
    )
    if study.applied:
        return f"{start}cannot be seen here, since the locked model has no networks from random weights."
    return (
        f"{start}cannot be seen in this study, which trains no network from random weights: run a copy of it "
        "with network.pretraining: none to compare."
    )
