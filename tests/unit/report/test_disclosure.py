"""What the pages reveal: small counts, patients, pictures."""

import dataclasses
import re

import numpy as np
import pytest

from tests.unit.report import example_study
from tests.unit.report.example_study import with_cohort
from thyrocast import report
from thyrocast.contract import evaluation as ev
from thyrocast.report.disclosure import protect
from thyrocast.report.figures import performance_figures
from thyrocast.report.sections import attention, participants, table_one
from thyrocast.report.sections.activating import activating_grid
from thyrocast.report.sections.participants import NOT_SHOWN


def derivable(counts, shown):
    """Which hidden cells follow from the cells and sums that are shown."""
    r, c = counts.shape
    cells = np.eye(r * c).reshape(r, c, r * c)
    known = [cells[place] for place in zip(*np.nonzero(shown.cells), strict=True)]
    known += [cells[n].sum(axis=0) for n in np.flatnonzero(shown.rows)]
    known += [*cells.sum(axis=0)]
    equations = np.array(known)
    rank = np.linalg.matrix_rank(equations)
    return [
        place
        for place in zip(*np.nonzero(~shown.cells), strict=True)
        if np.linalg.matrix_rank(np.vstack([equations, cells[place]])) == rank
    ]


@pytest.mark.parametrize("seed", range(12))
def test_no_small_count_follows_from_what_is_shown(seed):
    random = np.random.default_rng(seed)
    counts = random.poisson(12, random.integers(2, 6, 2)) * random.integers(0, 2, 1) + 6
    rows, columns = random.integers(0, counts.shape[0], 3), random.integers(0, counts.shape[1], 3)
    counts[rows, columns] = random.integers(1, 5, 3)
    small = (counts > 0) & (counts < 5)
    shown = protect(counts, small, 5)
    assert not (shown.cells & small).any()
    assert not [place for place in derivable(counts, shown) if small[place]]


def test_what_is_large_everywhere_is_shown():
    counts = np.array([[20, 30], [0, 9]])
    shown = protect(counts, np.zeros((2, 2), dtype=bool), 5)
    assert shown.cells.all()
    assert shown.rows.all()


def test_a_small_count_hides_others_in_its_row_and_column_and_nothing_else():
    counts = np.array([[3, 40, 50], [60, 20, 70], [80, 90, 30]])
    shown = protect(counts, counts < 5, 5)
    assert shown.rows.all()
    assert not shown.cells[0, 0]
    assert (~shown.cells).sum() == 4


def test_a_small_center_hides_its_outcomes_in_flow_and_table_one(small):
    centers = dict(small.flow.centers)
    cured = {"north": 2, "valley": 20}
    centers |= {
        name: centers[name].model_copy(update={"cured": value}) for name, value in cured.items()
    }
    flow = small.flow.model_copy(update={"centers": centers})
    section = participants.flow_section(dataclasses.replace(small, flow=flow))
    north, valley, lakeside, coast, every = section.grid.rows[-1][1:]
    assert north == NOT_SHOWN
    # All patients without the other centers would be north.
    assert NOT_SHOWN in (valley, lakeside, every)
    assert coast.text == "not known yet"
    assert {leaf.role: leaf.cured for leaf in section.roles}["development"] is None


@pytest.mark.parametrize(
    ("north", "valley", "shown"),
    [
        # Patients only in the table, only in images, and excluded for another reason.
        ((0, 0, 2), (6, 7, 0), [True, True, True]),
        ((2, 6, 0), (6, 7, 0), [False, True, False]),  # 2 without images, also by subtraction of valley
        ((6, 0, 1), (9, 0, 3), [False, False, False]),  # 4 in both together
        ((6, 0, 3), (9, 0, 3), [False, False, True]),
    ],
)  # fmt: skip
def test_small_reasons_do_not_follow_from_the_numbers_of_each_source(small, north, valley, shown):
    flows = {}
    for name, parts in (("north", north), ("valley", valley)):
        table_only, dicom_only, rest = parts
        flow, matched = small.flow.centers[name], small.flow.centers[name].analyzed + rest
        sizes = {
            "in_table": matched + table_only, "in_dicom": matched + dicom_only, "matched": matched,
            "found": matched + table_only + dicom_only,
            "excluded": {"no images": table_only, "not in the clinical table": dicom_only, "other": rest},
        }  # fmt: skip
        flows[name] = flow.model_copy(update=sizes)
    study = dataclasses.replace(small, flow=small.flow.model_copy(update={"centers": flows}))
    section = participants.flow_section(study)
    rows = {row[0].text: row[1:] for row in section.grid.rows}
    for title in ("In the clinical table", "With DICOM images", "In both"):
        assert [cell != NOT_SHOWN for cell in rows[title]] == shown
    assert (section.matched is not None) == (section.table_only is not None) == shown[-1]
    assert NOT_SHOWN not in rows["Analyzed"]


def test_codes_of_few_patients_are_not_in_table_one(small):
    def rare(frame):
        frame["smoking"] = "never"
        frame.loc[frame.index[:2], "smoking"] = "former"
        return frame

    rows = {row[0].text: row[1:] for row in table_one.table_one(with_cohort(small, rare))[0].rows}
    assert rows["Smoking: former"][0] == NOT_SHOWN
    assert rows["Smoking: former"][1] == NOT_SHOWN
    assert rows["Smoking: never"][1] == NOT_SHOWN


def test_bars_of_a_histogram_have_no_or_enough_patients():
    random = np.random.default_rng(3)
    for size in (0, 3, 40, 400):
        probability = random.beta(5, 2, size)
        edges = performance_figures.joined_bins(probability, 10)
        counts = np.histogram(probability, edges)[0]
        assert (edges[0], edges[-1]) == (0, 1)
        assert counts.sum() == size
        assert size < 10 or set(counts[counts < 10]) <= {0}


def test_a_curve_is_drawn_between_its_corners():
    steps = np.repeat(np.linspace(0, 1, 6), 2)
    x, y = steps[:-1], steps[1:]
    found = performance_figures.on_grid(x, y)
    assert (found[0][0], found[1][0]) == (0, y[0])
    assert (found[0][-1], found[1][-1]) == (1, 1)
    assert len(found[0]) == len(performance_figures.GRID)
    assert np.abs(found[1] - found[0]).max() <= 0.2 + 1e-9


def patient_values(study):
    """Pseudonyms, and probabilities as tables and pages print them."""
    rows = study.tables[ev.PREDICTIONS.name]
    printed = {f"{value:.6g}" for value in rows["probability"]} | {*map(str, rows["probability"])}
    return {*study.cohort["patient"]}, printed


@pytest.fixture(scope="module")
def real(small):
    """The smaller study as if its patients were real."""
    return with_cohort(small, lambda frame: frame.assign(simulated=False))


def test_the_page_to_be_shared_contains_no_patient(real):
    pages = report.render(real)
    patients, probabilities = patient_values(real)
    assert not [name for name in patients if name in pages.shareable]
    assert not [value for value in probabilities if value in pages.shareable]
    assert "P(cure)" not in pages.shareable
    assert "data:image" not in pages.shareable
    assert (
        "<circle" not in pages.shareable.partition('id="attention"')[2].partition("</section>")[0]
    )
    assert "Pictures of patients are on the internal page only" in pages.shareable
    first = pages.internal[: pages.internal.index('id="main-result"')]
    assert "do not share" in first
    assert "patient images and pseudonyms" in first
    tested = {*real.tables[ev.PREDICTIONS.name].query("set == 'test'")["patient"]}
    strongest = {name for name in tested if name.startswith(("c2", "c3"))}
    assert not [name for name in strongest if name not in pages.internal]
    # Training patients at both ends of a feature.
    extreme = {*real.splits[0].activating["patient"]}
    shown = activating_grid(real)
    assert shown is not None
    pictured = [cell for row in shown.rows for cell in row if cell.picture]
    assert {cell.text for cell in pictured} <= extreme | {
        patient for split in real.splits for patient in split.activating["patient"]
    }
    assert pages.internal.count("data:image/jpeg") == 24 + len(pictured) > 24
    assert not [name for name in extreme if name not in pages.internal]
    assert "both ends of the signature" in pages.internal
    assert "both ends of the signature" not in pages.shareable


def test_simulated_patients_are_shown_without_their_values(small_page):
    assert small_page.count("data:image/jpeg") == 24
    assert not re.findall(r"c\d-[0-9a-f]{10}", small_page)
    assert "P(cure)" not in small_page


def test_pictures_of_real_patients_are_shared_only_on_request(real):
    found = attention.attention_of(real, "external")
    assert found.overlays
    assert found.pictures == []
    config = example_study.config(report={"overlays": 24, "share_pictures": True})
    asked = attention.attention_of(dataclasses.replace(real, config=config), "external")
    assert sorted(asked.pictures) == sorted(one.source for one in asked.overlays)


def test_coarse_maps_have_no_share(configured):
    found = attention.attention_of(configured(image={"size": 64}), "external")
    assert (found.panel, found.grid) == (None, None)
    assert found.verdict == ""
    assert "4 × 4 cells" in found.refusal
    assert {one.inside for one in found.overlays} <= {"", "empty map"}
    fine = attention.attention_of(configured(image={"size": 224}), "external")
    assert fine.refusal == ""
    assert fine.grid is not None
    finer = configured(image={"size": 128}, explanation={"layer": "layer3"})
    assert attention.attention_of(finer, "external").refusal == ""
