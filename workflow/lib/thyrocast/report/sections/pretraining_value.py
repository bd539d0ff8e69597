"""What simulated scintigrams contribute, from which a network learned before it saw a patient."""

from thyrocast.config.choices import Pretraining
from thyrocast.contract.names import Model
from thyrocast.report import differences, scores, words
from thyrocast.report.study import StudyResults


def sentences(study: StudyResults) -> list[str]:
    """Differences of the model `simulated` to models without simulated scintigrams, and what was not compared."""
    designs = scores.evaluated(study)
    if not designs:
        return []
    design = designs[0]
    known = {*scores.headlines(study, design)["model"]}
    if Model.SIMULATED not in known:
        return []
    started = study.config.network.pretraining is Pretraining.SIMULATION
    favored = {
        Model.HANDCRAFTED: "what was learned from simulated scintigrams",
        # A network that starts from simulated scintigrams is no comparison without them.
        Model.NETWORK: "no training on outcomes"
        if started
        else "what was learned from simulated scintigrams",
    }
    found = [
        differences.sentence(study, design, Model.SIMULATED, other, favors)
        for other, favors in favored.items()
        if other in known
    ]
    found = [text for text in found if text]
    if found:
        found.insert(0, f"Differences in test patients of the design “{words.design(design)}”:")
    if started and Model.NETWORK in known:
        start = "The networks themselves start from weights that were learned from simulated scintigrams. What this start contributes "
        if study.applied:
            found.append(
                f"{start}cannot be seen here, since the locked model has no networks from random weights."
            )
        else:
            found.append(
                f"{start}cannot be seen in this study, which trains no network from random weights: run a copy of it "
                "with network.pretraining: none to compare."
            )
    return found
