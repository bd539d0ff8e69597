"""The section on maps: shares, random places, the gallery."""

import dataclasses
import re

import pytest

from thyrocast import report
from thyrocast.contract import evaluation as ev
from thyrocast.pages import numbers
from thyrocast.report.sections import attention
from thyrocast.report.sections.attention import AttentionSection


def attention_of(study: report.StudyResults) -> AttentionSection:
    found = attention.attention_of(study, "external")
    assert found is not None
    return found


def with_maps(
    study: report.StudyResults, status: str, attention: dict[str, object], **columns: object
) -> report.StudyResults:
    """The study with columns of its tables of maps replaced."""
    splits = tuple(
        dataclasses.replace(split, gradcam=split.gradcam.assign(status=status))
        for split in study.splits
    )
    maps = {
        design: dataclasses.replace(
            found,
            shares=found.shares.assign(**columns),
            attention=found.attention.assign(**attention),
        )
        for design, found in study.maps.items()
    }
    return dataclasses.replace(study, splits=splits, maps=maps)


def test_the_gallery_shows_probabilities_that_were_evaluated(small):
    found = attention_of(small).overlays
    rows = small.select(ev.PREDICTIONS, design="external", model="network", set="test")
    evaluated = rows.set_index("patient")["probability"]
    assert found
    # The table of the maps contains the network's raw probability, which is another one.
    (split,) = [split for split in small.splits if split.design == "external"]
    raw = split.gradcam.set_index("patient")["probability"]
    shown = [one.patient for one in found]
    assert [numbers.percent(raw[name]) for name in shown] != [one.probability for one in found]
    for one in found:
        assert one.probability == numbers.percent(evaluated[one.patient])


@pytest.mark.parametrize("most", [0, 3, 2000])
def test_the_gallery_shows_at_most_what_the_config_says(configured, most):
    found = attention_of(configured(report={"overlays": most}))
    assert len(found.overlays) == min(most, found.total)
    if most == 3:
        assert {(one.center, one.outcome) for one in found.overlays} == {
            ("lakeside", "cured"),
            ("lakeside", "not cured"),
            ("coast", "not known yet"),
        }


def test_maps_that_are_all_empty_give_a_table_and_no_figure(small):
    none, total = float("nan"), attention_of(small).total
    empty = with_maps(small, "all_zero", {"inside": none, "empty": total}, inside=none)
    found = attention_of(empty)
    assert (found.panel, found.verdict) == (None, "")
    assert found.grid.rows[-1][-1].text == str(found.total)
    assert {one.inside for one in found.overlays} == {"empty map"}


@pytest.mark.parametrize(
    ("inside", "words"),
    [(0.6, "gland more than"), (0.05, "gland less than"), (0.2, "so the share explains nothing")],
)
def test_the_share_is_compared_with_random_places(small, inside, words):
    numbers = {"inside": inside, "random_low": 0.1, "random_high": 0.3}
    assert words in attention_of(with_maps(small, "ok", numbers)).verdict


@pytest.mark.parametrize(
    ("random", "words"),
    [
        (0.1, r"With random weights, the share is 10.% instead of 60.% \(first member, the same patients\)\."),
        (0.4, "a network that learned nothing looks there as well, so the share explains nothing"),
        (None, "Maps of networks with random weights were not computed"),
    ],
)  # fmt: skip
def test_a_share_that_random_weights_reach_is_not_called_an_explanation(small, random, words):
    """Untrained networks exceed random places, because the gland is bright."""
    study = with_maps(small, "ok", {"inside": 0.6, "random_low": 0.1, "random_high": 0.3})
    maps = study.maps["external"]
    rows = maps.randomization
    if random is None:
        rows = rows.iloc[:0]
    else:
        inside = rows["randomized"].map({"nothing": 0.6, "all": random}).fillna(0.3)
        rows = rows.assign(inside=inside)
    changed = dataclasses.replace(maps, randomization=rows)
    found = attention_of(dataclasses.replace(study, maps={**study.maps, "external": changed}))
    assert "gland more than" in found.verdict
    assert re.search(words, found.verdict)


def test_attention_has_a_row_for_each_center_with_its_random_places(small):
    found = attention_of(small)
    assert [row[0].text for row in found.grid.rows] == ["lakeside", "coast", "All"]
    assert " to " in found.grid.rows[-1][3].text
    assert "random places" in found.overlays[0].inside


def test_curves_say_how_often_a_map_beats_its_random_places(small, configured):
    found = attention_of(small).curves
    deletion, insertion = found.rows
    assert (deletion[1].text, insertion[1].text) == ("deletion", "insertion")
    assert (deletion[3].text, deletion[3].detail) == (
        numbers.percent(0.5), f"by chance: {numbers.percent(0.2)}"
    )  # fmt: skip
    few = configured(evaluation={"minimum_count": {"patients": 25}})
    assert attention_of(few).curves is None
    assert not attention_of(few).agreement


def test_the_agreement_of_methods_and_members_is_said(small):
    text = attention_of(small).agreement
    assert "with HiResCAM 0.90 to 1.00" in text
    assert "between members 0.30 to 0.40 (quartiles over 24 patients)" in text


def test_maps_with_random_weights_have_a_row_for_each_step(small, configured):
    found = attention_of(small).randomized
    assert [row[1].text for row in found.rows] == [*attention.RANDOM.values()]
    assert (found.rows[0][3].text, found.rows[-1][3].text) == ("1.00", "0.10")
    # Groups below the smallest number of patients are not shown.
    few = configured(evaluation={"minimum_count": {"patients": 25}})
    assert attention_of(few).randomized is None
