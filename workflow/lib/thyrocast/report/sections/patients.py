"""Table of the test patients, for the internal page."""

from thyrocast.contract.evaluation import PREDICTIONS
from thyrocast.contract.names import Set
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label
from thyrocast.report import scores, words
from thyrocast.report.study import StudyResults

#: Most patients in the table, so that the page of a large study stays small.
MOST_PATIENTS = 500
_OUTCOMES = {1: "cured", 0: "not cured"}


def patients_grid(study: StudyResults) -> Grid | None:
    """Probabilities of each test patient in the design with the strongest evidence.

    Returns
    -------
    Grid or None
        One row per patient with the probability of cure by every model; None if nobody was
        predicted.
    """
    predicted = {str(name) for name in study.tables[PREDICTIONS.name]["design"]}
    designs = [*scores.evaluated(study), *sorted(predicted)]
    if not designs:
        return None
    rows = study.select(PREDICTIONS, design=designs[0], set=Set.TEST)
    rows = rows.drop_duplicates(["patient", "model"])
    models = [model for model in study.models(designs[0]) if (rows["model"] == model).any()]
    found = rows.pivot(index="patient", columns="model", values="probability")
    about = rows.drop_duplicates("patient").sort_values(["center", "patient"])
    body = [
        [
            label(str(row["patient"])),
            label(str(row["center"])),
            label(_OUTCOMES.get(row["outcome"], "not known")),
            *(Cell(numbers.number(found.loc[row["patient"], model], 3)) for model in models),
        ]
        for row in about.head(MOST_PATIENTS).astype(object).to_dict("records")
    ]
    note = "Probability of cure by each model."
    if len(about) > MOST_PATIENTS:
        note += (
            f" The first {MOST_PATIENTS} of {numbers.count(len(about))} patients are shown; all are in "
            "evaluation/predictions.csv."
        )
    header = ["Patient", "Center", "Outcome", *(words.model(model) for model in models)]
    return Grid(f"Test patients: {words.design(designs[0])}", header, body, note)
