"""What the page promises, and what it shows if results are missing."""

import base64
import dataclasses
import hashlib
import itertools
import re
from html.parser import HTMLParser

import pytest

from tests.unit.report import example_study
from tests.unit.report.example_study import CENTERS, HOSTILE
from thyrocast import report
from thyrocast.contract import evaluation as ev
from thyrocast.contract import io
from thyrocast.errors import InputError
from thyrocast.pages import numbers
from thyrocast.report import scores
from thyrocast.report.page import SECTIONS
from thyrocast.report.reading import EVALUATION


class Reader(HTMLParser):
    """The page's text, tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.silent += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def text(html: str) -> str:
    return " ".join(" ".join(read(html).words).split())


def test_every_section_is_there_and_every_link_leads_somewhere(page):
    tags = read(page).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {name for name, _ in SECTIONS} <= set(ids)
    links = {a["href"] for tag, a in tags if tag == "a"}
    assert {link[1:] for link in links if link} <= set(ids)


def test_headings_descend_without_a_gap(page):
    levels = [int(tag[1]) for tag, _ in read(page).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))


def test_every_picture_and_drawing_is_described(page):
    tags = read(page).tags
    drawings = [a for tag, a in tags if tag == "svg" and a.get("class") == "figure"]
    assert len(drawings) > 30
    assert all(a.get("aria-label") for a in drawings)
    pictures = [a for tag, a in tags if tag == "img"]
    assert all("alt" in a for a in pictures)
    assert sum(bool(a["alt"]) for a in pictures) == 24


def test_the_first_screen_says_what_how_good_and_how_certain(small, small_page):
    first = text(small_page[: small_page.index('id="participants"')])
    row = scores.headlines(small, "external").set_index("model").loc["signature"]
    assert "Will the first iodine-131 therapy succeed?" in first
    assert "How good is the model in centers that it never saw?" in first
    assert numbers.number(row["estimate"]) in first
    assert f"95 % interval {numbers.interval(row['ci_low'], row['ci_high'])}" in first
    assert f"{row['n']} patients ({row['events']} cured)" in first
    assert "prediction interval" in first
    assert "cross-fitted (corrected)" in first
    assert "Not a medical device" in first


def test_the_first_screen_warns_of_simulated_and_too_few_patients(page):
    first = text(page[: page.index('id="participants"')])
    assert "Every patient in this report is simulated" in first
    assert "The study is too small" in first
    assert "1,180" in first
    assert "shuffled" not in first


def test_participants_add_up(page):
    words = text(page)
    analyzed = sum(size for _, size in CENTERS.values())
    assert f"{analyzed} analyzed" in words
    assert "These numbers do not add up" not in words


def test_optimism_is_shown_where_it_was_measured(page):
    assert re.search(r"AUC\s+0\.94\s+0\.13\s+0\.81\s+200", text(page))


def test_p_values_are_shown_with_their_adjusted_ones(page):
    words = text(page)
    assert "adjusted for the number of pairs" in words
    assert re.search(r"0\.25\s+0\.75\s+DeLong", words)


def test_published_results_are_compared_with_ours(page):
    words = text(page[page.index('id="published"') : page.index('id="training"')])
    for number in ("0.828", "0.806", "0.924", "121", "8:2", "10–90 %"):
        assert number in words
    assert "True risk" in words
    assert "0.86" in words


def test_nothing_is_nan_none_or_undefined(page):
    words = text(page)
    for bad in ("nan", "NaN", "None", "inf ", "undefined", "Timestamp"):
        assert not re.search(rf"\b{bad}\b", words), bad


def test_the_page_needs_no_other_file(page):
    assert "http:" not in page
    assert "https:" not in page
    assert "//" not in re.sub(r"data:image/jpeg;base64,[^\"]+", "", page).replace("\n  //", "")
    tags = read(page).tags
    assert not [tag for tag, a in tags if tag in ("iframe", "object", "embed", "base")]
    sources = [a.get("src") or a.get("href") for tag, a in tags if tag in ("img", "link", "script")]
    assert all(source.startswith("data:") for source in sources if source)


def test_the_policy_allows_only_the_pages_own_script(page):
    script = page[page.index("<script>") + 8 : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert not [a for _, a in read(page).tags if any(key.startswith("on") for key in a)]


def test_the_same_study_gives_the_same_bytes(small_folder, small_page):
    again = report.read_study(example_study.files(small_folder), example_study.config())
    assert report.render(again).shareable == small_page


def test_pages_of_the_demos_size_stay_small(pages):
    assert max(map(len, pages)) < 3_000_000


def test_hostile_names_are_text(tmp_path):
    centers = {HOSTILE: ("development", 40), "south": ("development", 40)}
    designs = {"loco": [*centers]}
    example_study.write_study(
        tmp_path, centers, designs, models=("network", HOSTILE), vendor=HOSTILE
    )
    config = example_study.config(centers).model_copy(update={"study": HOSTILE})
    html = report.render(report.read_study(example_study.files(tmp_path, designs), config)).internal
    reader = read(html)
    assert not [a for tag, a in reader.tags if tag == "img" and a.get("src") == "x"]
    assert not [a for _, a in reader.tags if "onerror" in a]
    assert HOSTILE in text(html)


# Missing results are said to be missing; a missing file is an error.


def test_a_study_without_results_gives_a_page(small):
    tables = {table.name: io.empty(table) for table in EVALUATION}
    empty = dataclasses.replace(small, tables=tables, splits=())
    words = text(report.render(empty).shareable)
    for sentence in (
        "Nothing could be scored",
        "No design was evaluated",
        "There are no training histories",
        "No signature was fitted",
        "No network was explained",
        "No sample size was computed",
    ):
        assert sentence in words


def test_a_model_that_was_not_scored_is_named(small):
    study = small
    for table in ev.OF_DESIGN:
        if table.name in study.tables and "model" in table.names:
            study = example_study.with_table(
                study, table, lambda frame: frame[frame["model"] != "signature"]
            )
    words = text(report.render(study).shareable)
    assert "Not scored in this design: Signature, Hand-crafted, Clinical, Combined" in words
    assert "the network ranks" in words
    assert "not run" in words


def test_a_missing_file_is_an_error(small_folder, tmp_path):
    files = example_study.files(small_folder)
    with pytest.raises(InputError, match=r"flow\.json"):
        report.read_study(
            dataclasses.replace(files, flow=tmp_path / "flow.json"), example_study.config()
        )
    elsewhere = {**files.evaluation, "roc": tmp_path / "roc.csv"}
    with pytest.raises(InputError, match=r"roc\.csv"):
        report.read_study(dataclasses.replace(files, evaluation=elsewhere), example_study.config())
