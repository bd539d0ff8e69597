"""A study of 24 patients whose results are known, and studies made of it."""

from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.files import VERSION
from thyrocast.contract.splits import MEMBER_PREDICTIONS
from thyrocast.evaluation import design
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import inputs

# Twelve cured and twelve not cured; at .5 the model calls 13 cured, 9 of them correctly.
CURED = (0.95, 0.90, 0.85, 0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.45, 0.35, 0.25)
FAILED = (0.78, 0.68, 0.58, 0.52, 0.42, 0.38, 0.32, 0.28, 0.22, 0.18, 0.12, 0.08)


def patients(name, center, cured=CURED, failed=FAILED):
    """Patients as tuples of pseudonym, center, outcome and probability."""
    return [
        (f"{center}-{name}{index:02d}", center, outcome, p)
        for outcome, values in ((1, cured), (0, failed))
        for index, p in enumerate(values, start=100 * outcome)
    ]


def predictions(people, side, model="network", split="1", kind="holdout"):
    """Rows of `PREDICTIONS`."""
    return [
        {
            "design": kind,
            "split": split,
            "model": model,
            "set": side,
            "patient": patient,
            "center": center,
            "outcome": outcome,
            "probability": probability,
        }
        for patient, center, outcome, probability in people
    ]


def cohort(people, **columns):
    """Table `COHORT`; three of four patients are female, the age rises."""
    rows = [
        dict.fromkeys(COHORT.names)
        | {
            "patient": patient,
            "center": center,
            "role": "development",
            "outcome": outcome,
            "sex": "female" if index % 4 else "male",
            "age": 30.0 + index,
        }
        for index, (patient, center, outcome, _) in enumerate(people)
    ]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    return io.build(COHORT, rows)


def one_member(predictions):
    """Table `MEMBER_PREDICTIONS` of models with a single member, which did not see the training set."""
    odds = inputs.logit(predictions["probability"].to_numpy())
    rows = predictions.assign(member="fold-1", logit=odds)
    return io.conform(MEMBER_PREDICTIONS, rows[list(MEMBER_PREDICTIONS.names)])


def evaluate(rows, people, config, seed=1, *, in_sample=False, **columns):
    """Tables of a design by their names; `people` are its cohort."""
    everybody = io.build(PREDICTIONS, rows)
    settings = Settings(config, seed, in_sample)
    members = one_member(everybody)
    found = design.evaluate(everybody, cohort(people, **columns), settings, members)
    return {table.name: frame for table, frame in found.items()}


def headline(found, metric, kind="pooled", group="", model="network", side="test", split="1"):
    """First row of a metric in the table `PERFORMANCE`."""
    rows = found["performance"]
    wanted = {
        "metric": metric,
        "group_kind": kind,
        "group": group,
        "model": model,
        "set": side,
        "split": split,
    }
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    return rows.iloc[0]


def loco(centers=("north", "south", "west"), model="network", move=0.0):
    """Rows of `PREDICTIONS` of a leave-one-center-out design, and its patients."""
    people = {center: patients("t", center) for center in centers}
    rows = []
    for index, left_out in enumerate(centers):
        moved = [(w, c, y, min(p + index * move, 1.0)) for w, c, y, p in people[left_out]]
        rows += predictions(moved, "test", model, left_out, "loco")
        others = [one for center in centers if center != left_out for one in people[center]]
        rows += predictions(others, "train", model, left_out, "loco")
    return rows, [one for center in centers for one in people[center]]


def performance_row(center, metric, estimate, std_error, scale, **cells):
    """Row of `PERFORMANCE` of one center of a leave-one-center-out design."""
    row = dict.fromkeys(PERFORMANCE.names) | {
        "design": "loco",
        "split": "all",
        "model": "network",
        "set": "test",
        "group_kind": "center",
        "variable": "",
        "rule": "",
        "group": center,
        "metric": metric,
        "estimate": estimate,
        "std_error": std_error,
        "scale": scale,
        "ci_method": "",
        "status": "estimated",
        "note": "",
        "n": 40,
        "events": 20,
        "level": 0.95,
        "outcomes": "observed",
        "simulated": False,
        "contract": VERSION,
    }
    return row | cells
