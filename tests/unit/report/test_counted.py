"""Whoever is scored apart cannot be found by subtraction: the page does not depend on these patients."""

import dataclasses
import json
import re

import pandas as pd
import pytest

from tests.unit.ledgers.test_looks import MODEL, cohort
from thyrocast import report
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.deployment import APART, APPLIED_PATIENTS, LOOKS
from thyrocast.contract.documents import Flow
from thyrocast.contract.manifest import Manifest
from thyrocast.ledgers import chain, looks
from thyrocast.prospective import follow_up, frozen
from thyrocast.report import counted
from thyrocast.report.applied import Applied, frozen_text, looks_text, outside_text
from thyrocast.report.sections import banners
from thyrocast.report.study import StudyResults

LEAST = 5
DAY, BEFORE, AFTER = (f"{day}T00:00:00Z" for day in ("2026-01-01", "2025-12-01", "2026-02-01"))


def ledger_of(dates: dict[str, str]) -> list[frozen.Frozen]:
    """A ledger with a prediction of each patient, in the order of their dates."""
    previous = chain.START
    lines: list[frozen.Frozen] = []
    for patient, date in sorted(dates.items(), key=lambda one: one[1]):
        cells = {
            "previous": previous, "date": date, "locked_model": MODEL, "patient": patient,
            "center": "north", "image": "0" * 64, "clinical": "0" * 64, "error": 0.1, "distance": 0.5,
            "acquisition": "", "outside": False, "probability": {}, "odds": {}, "p_values": {},
        }  # fmt: skip
        text = json.dumps(cells | {"own": frozen.own_hash(cells)})
        lines.append(frozen.Frozen.model_validate_json(text))
        previous = chain.digest(lines[-1].line())
    return lines


def applied(
    patients: pd.DataFrame, apart: list[str], journal: pd.DataFrame | None = None
) -> Applied:
    """What a study says that applies a locked model to some patients, the last of whom are scored apart.

    Their predictions are the first and the last of the ledger.
    """
    dates = dict.fromkeys(patients["patient"], DAY)
    dates |= {patient: AFTER if number else BEFORE for number, patient in enumerate(apart)}
    rows = [
        {
            "locked_model": MODEL, "predicted_at": dates[patient], "patient": patient,
            "center": center, "distance": 0.5, "acquisition": "", "outside": number % 3 == 0,
            "image": "0" * 64, "standing": "late" if patient in apart else "before",
            "clinical_changed": False,
        }
        for number, (patient, center) in enumerate(
            zip(patients["patient"], patients["center"], strict=True)
        )
    ]  # fmt: skip
    manifest = Manifest.model_construct(
        hash=MODEL,
        training_cohort={},
        simulated=True,
        parent=None,
        update=None,
        outcomes="observed",
    )
    return Applied(
        manifest,
        io.empty(LOOKS) if journal is None else journal,
        io.build(APPLIED_PATIENTS, rows),
        follow_up.table(ledger_of(dates), patients),
        io.empty(APART),
    )


def with_apart(study: StudyResults, count: int, outcome: int) -> StudyResults:
    """The study, in which some more patients of its first center were analyzed, but scored apart."""
    more = study.cohort.head(count)
    names = [f"apart-{number}" for number in range(count)]
    more = more.assign(patient=names, outcome=pd.array([outcome] * count, dtype="Int64"))
    more = more.assign(center=study.centers[0])
    people = io.concat(COHORT, [study.cohort, more]) if count else study.cohort
    flow = dict(study.flow.centers)
    first = flow[study.centers[0]]
    changes = {
        name: getattr(first, name) + count
        for name in ("found", "in_table", "in_dicom", "matched", "analyzed")
    }
    flow[study.centers[0]] = first.model_copy(
        update=changes | {"cured": first.cured + count * outcome}
    )
    return dataclasses.replace(
        study, cohort=people, flow=Flow(centers=flow), applied=applied(people, names)
    )


def head(study: StudyResults) -> str:
    """The hash of a study's ledger, as a page shows it."""
    assert study.applied is not None
    return f"the hash of its last line is {study.applied.ledger['head'].iloc[0][:12]}"


@pytest.fixture(scope="module")
def shared(small: StudyResults) -> dict[tuple[int, int], str]:
    """The page that is passed on, by number and outcome of those who are scored apart.

    Without the hash of the ledger, which is another one with each prediction.
    """
    found = {}
    for case in ((0, 0), (1, 1), (LEAST - 1, 0)):
        study = with_apart(small, *case)
        page = report.render(counted.without_apart(study)).shareable
        assert page.count(head(study)) == 1
        found[case] = page.replace(head(study), "")
    return found


def test_the_page_is_the_same_for_any_few_patients_with_any_outcome(
    shared: dict[tuple[int, int], str],
) -> None:
    """Equal bytes: nothing can be computed from them."""
    pages = {page for (count, _), page in shared.items() if count}
    assert len(pages) == 1
    [page] = pages
    assert "Some patients of these centers (their number is hidden: fewer than 10" in page


def test_its_numbers_are_those_of_a_study_without_them(shared: dict[tuple[int, int], str]) -> None:
    """Only the sentence about them is more."""
    sentence = re.compile(r" Some patients of these centers .*?where they are enough\.")
    found = sentence.sub("", shared[1, 1])
    assert found == shared[0, 0]
    assert "apart-" not in shared[1, 1]


def test_the_texts_have_no_number_that_contains_them(small: StudyResults) -> None:
    texts = {
        frozen_text(study.applied, LEAST).replace(head(study), "")
        + outside_text(study.applied, LEAST)
        for count in (1, 2, LEAST - 1)
        for study in [with_apart(small, count, 1)]
        if study.applied
    }
    assert len(texts) == 1
    assert "from 2026-01-01 to 2026-01-01;" in next(iter(texts))
    many = with_apart(small, LEAST, 1).applied
    assert many is not None
    assert f" {LEAST} patients of these centers have no prediction" in frozen_text(many, LEAST)


def test_the_dates_of_few_frozen_predictions_are_not_shown(small: StudyResults) -> None:
    """The first and the last are the dates of two patients."""
    for count, shown in ((LEAST - 1, False), (LEAST, True)):
        text = frozen_text(applied(small.cohort.head(count), []), LEAST)
        assert ("2026-01-01" in text) is shown


def looked(tmp_path, *people: pd.DataFrame) -> pd.DataFrame:
    log = tmp_path / "looks.jsonl"
    for day, one in enumerate(people, start=1):
        looks.append(log, f"2026-01-0{day}T00:00:00Z", MODEL, one, {})
    return looks.table(looks.read(log), least=LEAST)


def test_a_look_at_few_new_patients_has_no_small_count_and_the_site_is_warned(
    small: StudyResults, tmp_path
) -> None:
    """Two reports of almost the same patients show the outcomes of the others."""
    corrected = cohort(0, 40)
    corrected.loc[0, "outcome"] = 0
    table = looked(
        tmp_path, cohort(0, 40), cohort(0, 41), cohort(0, 60), cohort(0, 60), cohort(37, 80)
    )
    assert table["differs_little"].to_list() == [False, True, False, False, False]
    assert table["note"].to_list()[1:3] == [
        "a further look at all but fewer than 5 of its patients",
        "a further look at 41 of 60 patients",
    ]
    (tmp_path / "two").mkdir()
    two = looked(tmp_path / "two", cohort(0, 40), corrected, cohort(38, 80))
    assert two["differs_little"].to_list() == [False, True, False]
    assert two["note"].iloc[-1] == "a further look at fewer than 5 of its patients"
    for rows, warned in ((table.head(2), True), (table.head(3), False)):
        study = dataclasses.replace(small, applied=applied(small.cohort, [], rows))
        titles = [banner.title for banner in banners.for_the_site(study)]
        assert bool(titles) is warned
        assert study.applied is not None
        assert "41" not in looks_text(study.applied) or not warned
