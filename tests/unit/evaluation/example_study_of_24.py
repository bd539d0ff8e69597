"""A study of 24 patients whose every number is known, and studies made of it."""

from thyrocast.evaluation.layout import COLUMNS

HEADER = COLUMNS["predictions"]
# Twelve cured and twelve not cured; at .5 the model calls 13 cured, 9 of them rightly.
CURED = (0.95, 0.90, 0.85, 0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.45, 0.35, 0.25)
FAILED = (0.78, 0.68, 0.58, 0.52, 0.42, 0.38, 0.32, 0.28, 0.22, 0.18, 0.12, 0.08)


def patients(name, center, cured=CURED, failed=FAILED):
    return [
        (f"{center}-{name}{index:02d}", center, outcome, p)
        for outcome, values in ((1, cured), (0, failed))
        for index, p in enumerate(values, start=100 * outcome)
    ]


def predictions(people, set_name, model="network", split="1", kind="holdout"):
    return [
        dict(zip(HEADER, (kind, split, model, set_name, who, center, str(y), str(p)), strict=True))
        for who, center, y, p in people
    ]


def cohort(people):
    return [
        {
            "patient": who, "center": center, "role": "development", "outcome": str(y),
            "sex": "female" if index % 4 else "male", "age": str(30 + index),
        }
        for index, (who, center, y, _) in enumerate(people)
    ]  # fmt: skip


def headline(found, metric, group="pooled", model="network", set_name="test", split="1"):
    rows = [dict(zip(COLUMNS["performance"], row, strict=True)) for row in found["performance"]]
    return next(
        row
        for row in rows
        if (row["metric"], row["group"], row["model"], row["set"], row["split"])
        == (metric, group, model, set_name, split)
    )


def loco(block, centers=("north", "south", "west"), model="network", move=0.0):
    people = {c: patients("t", c) for c in centers}
    rows = []
    for index, left in enumerate(centers):
        moved = [(w, c, y, min(p + index * move, 1.0)) for w, c, y, p in people[left]]
        rows += predictions(moved, "test", model, left, "loco")
        others = [one for c in centers if c != left for one in people[c]]
        rows += predictions(others, "train", model, left, "loco")
    everybody = [one for c in centers for one in people[c]]
    return rows, cohort(everybody)
