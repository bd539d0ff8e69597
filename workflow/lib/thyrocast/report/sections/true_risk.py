"""Simulated patients: the AUC of their true risk, reported alongside the models'."""

from dataclasses import dataclass

from thyrocast.contract.names import UNSEEN_CENTERS, Model
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label
from thyrocast.report import scores, words
from thyrocast.report.study import StudyResults


@dataclass(frozen=True)
class TruthSection:
    """Discrimination of the true risk.

    Attributes
    ----------
    auc, expected, patients
        For the outcomes drawn, over all outcomes that could have been drawn, and in how many
        patients.
    formula
        The true log-odds of cure.
    grid
        AUC of the true risk and of the models by center; None if no model was scored in a center
        that it did not see.
    """

    auc: str
    expected: str
    patients: str
    formula: str
    grid: Grid | None


def truth_section(study: StudyResults) -> TruthSection | None:
    """The true risk of simulated patients; None if the patients are real."""
    if study.simulation is None:
        return None
    overall = study.simulation.overall
    return TruthSection(
        auc=numbers.number(overall.auc),
        expected=numbers.number(overall.expected_auc),
        patients=numbers.count(overall.n),
        formula=study.simulation.formula,
        grid=_by_center(study),
    )


def _by_center(study: StudyResults) -> Grid | None:
    designs = [design for design in scores.evaluated(study) if design in UNSEEN_CENTERS]
    if study.simulation is None or not designs:
        return None
    truth = study.simulation.centers
    models = [name for name in Model if any(name in study.models(d) for d in designs)]
    body = []
    for design in designs:
        found = [scores.center_rows(study, design, model) for model in models]
        for name in dict.fromkeys(name for rows in found for name in rows["center"]):
            cells = [
                label(name, words.design(design)),
                Cell(numbers.number(truth[name].auc if name in truth else None)),
            ]
            for rows in found:
                mine = rows.loc[rows["center"] == name, "estimate"]
                cells.append(Cell(numbers.number(None if mine.empty else mine.iloc[0])))
            body.append(cells)
    header = ["Center", "True risk", *(words.model(model) for model in models)]
    note = (
        "There are no intervals here; those of the models are in the tables “AUC by center”. In a center’s few patients, a "
        "model can exceed the true risk by chance."
    )
    return Grid("AUC of the true risk and of the models, by center", header, body, note)
