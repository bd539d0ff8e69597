"""The temporal design: who is in it, and performance over calendar time."""

import pandas as pd

from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.names import Design, GroupKind, Metric, Role, Set
from thyrocast.pages import numbers
from thyrocast.pages.parts import Grid, first_rows, label, result, sizes, suppression_note
from thyrocast.report import scores, words
from thyrocast.report.study import StudyResults

#: As in `thyrocast.evaluation.periods`.
PERIOD = "therapy_period"
METRICS = (Metric.AUC, Metric.BRIER, Metric.OE_RATIO, Metric.CALIBRATION_IN_THE_LARGE)


def sentences(study: StudyResults, design: str) -> list[str]:
    """Who is in the temporal design, and which centers are on one side; nothing for others."""
    if design != Design.TEMPORAL:
        return []
    rows = study.division[study.division["design"] == design]
    people = study.cohort[study.cohort["role"] == Role.DEVELOPMENT]
    sides = {
        side: people[people["patient"].isin(rows.loc[rows["set"] == side, "patient"])]
        for side in (Set.TRAIN, Set.TEST)
    }
    inside = [{*part["center"]} for part in sides.values()]
    only_before, only_after = sorted(inside[0] - inside[1]), sorted(inside[1] - inside[0])
    nowhere = sorted({*people["center"]} - inside[0] - inside[1])
    left_out = len(people) - len(rows)
    least = study.config.evaluation.minimum_count.cells
    found = [
        f"{words.plural(len(sides[Set.TRAIN]), 'patient')} treated before the first day of the test set, "
        f"{numbers.count(len(sides[Set.TEST]))} from it on."
    ]
    if left_out:
        size = f"Fewer than {least}" if left_out < least else numbers.count(left_out)
        found.append(
            f"{size} development patients without a date of therapy are not in this design."
        )
    for names, text in (
        (only_before, "All dates of therapy are before that day, so nobody was tested, in"),
        (only_after, "All dates of therapy are from that day on, so training saw nobody, in"),
        (nowhere, "No dates of therapy are known in"),
    ):
        if names:
            found.append(f"{text} {words.listing(names)}.")
    if not over_time(study, design):
        found.append("Too few patients were tested for results by year of therapy.")
    return found


def over_time(study: StudyResults, design: str) -> list[Grid]:
    """Performance by period of therapy."""
    rows = study.select(
        PERFORMANCE, design=design, split=study.overall(design), set=Set.TEST,
        group_kind=GroupKind.SUBGROUP, variable=PERIOD,
    )  # fmt: skip
    if rows.empty:
        return []
    model = scores.main_model(study, design)
    mine = rows[rows["model"] == model]
    return [_grid(mine, f"Performance over calendar time (test): {words.model(model)}")]


def _grid(rows: pd.DataFrame, caption: str) -> Grid:
    body = []
    for period, part in rows.groupby("group", sort=True):
        found = first_rows(part, "metric")
        cells = [result(found.get((metric,))) for metric in METRICS]
        body.append([label(str(period)), sizes(next(iter(found.values()))), *cells])
    header = ["Year of therapy", "Patients", *(words.metric(metric) for metric in METRICS)]
    note = "Years are joined until a period has enough patients of either outcome."
    return Grid(caption, header, body, f"{note} {suppression_note(rows)}".strip())
