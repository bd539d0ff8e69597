"""What the page promises, and what it does when something is missing."""

import base64
import hashlib
import itertools
import re
import shutil
from html.parser import HTMLParser

import pandas as pd

from tests.unit.report import example_study
from tests.unit.report.example_study import CENTERS, HOSTILE, rewrite


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


SECTIONS = (
    "verdict", "participants", "performance", "published", "training", "signature", "attention",
    "sample-size", "methods", "limitations", "checklist", "provenance",
)  # fmt: skip


def test_every_section_is_there_and_every_link_leads_somewhere(page):
    tags = read(page).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert set(SECTIONS) <= set(ids)
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


def test_the_first_screen_says_what_how_good_and_how_sure(page, study_folder):
    first = text(page[: page.index('id="participants"')])
    rows = pd.read_csv(study_folder / "evaluation" / "performance.csv")
    row = rows[
        (rows.design == "external") & (rows.model == "signature") & (rows.set == "test")
        & (rows.group == "pooled") & (rows.metric == "auc")
    ].iloc[0]  # fmt: skip
    assert "Will the first iodine-131 therapy cure?" in first
    assert "How good is it in centers it never saw?" in first
    assert f"{row.estimate:.2f}" in first
    assert f"95 % interval {row.ci_low:.2f} to {row.ci_high:.2f}" in first
    assert f"{row.n} patients ({row.events} cured)" in first
    assert "prediction interval" in first
    assert "cross-fitted (corrected)" in first
    assert "Not a medical device" in first


def test_the_first_screen_warns_of_simulated_and_too_few_patients(page):
    first = text(page[: page.index('id="participants"')])
    assert "Every patient in this report is simulated" in first
    assert "Too small a study" in first
    assert "1,180" in first
    assert "shuffled" not in first


def test_participants_add_up(page):
    words = text(page)
    analysed = sum(size for _, size in CENTERS.values())
    assert f"{analysed} analysed" in words
    assert "These numbers do not add up" not in words


def test_optimism_is_shown_where_it_was_measured(page):
    assert re.search(r"AUC\s+0\.94\s+0\.13\s+0\.81\s+200", text(page))


def test_p_values_stand_with_their_adjusted_ones(page):
    words = text(page)
    assert "adjusted for the number of pairs" in words
    assert re.search(r"0\.25\s+0\.75\s+DeLong", words)


def test_published_figures_stand_beside_ours(page):
    words = text(page[page.index('id="published"') : page.index('id="training"')])
    for number in ("0.828", "0.806", "0.924", "121", "8:2", "10–90 %"):
        assert number in words
    assert "True risk" in words
    assert "0.86" in words


def test_nothing_is_nan_none_or_undefined(page):
    words = text(page)
    for bad in ("nan", "NaN", "None", "inf ", "undefined", "Timestamp"):
        assert not re.search(rf"\b{bad}\b", words), bad


def test_the_page_needs_nothing_but_itself(page):
    assert "http:" not in page
    assert "https:" not in page
    assert "//" not in re.sub(r"data:image/jpeg;base64,[^\"]+", "", page).replace("\n  //", "")
    tags = read(page).tags
    assert not [tag for tag, a in tags if tag in ("iframe", "object", "embed", "base")]
    sources = [a.get("src") or a.get("href") for tag, a in tags if tag in ("img", "link", "script")]
    assert all(source.startswith("data:") for source in sources if source)


def test_the_policy_allows_the_pages_own_script_alone(page):
    script = page[page.index("<script>") + 8 : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert not [a for _, a in read(page).tags if any(key.startswith("on") for key in a)]


def test_the_same_study_gives_the_same_bytes(small, rendered):
    assert rendered(small) == rendered(small)


def test_a_page_of_the_demos_size_stays_small(page):
    assert len(page) < 3_000_000


def test_hostile_names_are_text(tmp_path, rendered):
    centers = {HOSTILE: ("development", 40), "south": ("development", 40)}
    designs = example_study.write_study(
        tmp_path / "study",
        centers=centers,
        designs={"loco": [*centers]},
        models=("network", HOSTILE),
        vendor=HOSTILE,
    )
    html = rendered(tmp_path / "study", designs=designs, title=HOSTILE)
    reader = read(html)
    assert not [a for tag, a in reader.tags if tag == "img" and a.get("src") == "x"]
    assert not [a for _, a in reader.tags if "onerror" in a]
    assert HOSTILE in text(html)


# What is missing gives a sentence.


def test_a_study_without_results_still_gives_a_page(copied, rendered):
    for name in ("evaluation", "splits"):
        shutil.rmtree(copied / name)
    (copied / "provenance.json").unlink()
    (copied / "splits.csv").unlink()
    words = text(rendered(copied))
    assert "Nothing could be scored" in words
    for sentence in (
        "No design was evaluated",
        "There are no training histories",
        "No signature was fitted",
        "No network was explained",
        "No sample size was computed",
        "There is no provenance file",
    ):
        assert sentence in words


def test_a_model_left_out_is_named(tmp_path, rendered):
    designs = example_study.write_study(
        tmp_path / "study", models=("network", "clinical"), designs={"holdout": ["1"]}
    )
    words = text(rendered(tmp_path / "study", designs=designs))
    assert "Not scored in this design: Signature, Hand-crafted and Combined." in words
    assert "the network ranks" in words
    assert "not run" in words


def test_a_center_with_one_outcome_says_so(copied, rendered):
    def one_outcome(frame: pd.DataFrame) -> pd.DataFrame:
        mine = (frame.group == "center:valley") & (frame.metric == "auc")
        frame.loc[mine, ["estimate", "ci_low", "ci_high"]] = ""
        frame.loc[mine, "ci_method"] = "not estimable: only one outcome"
        return frame

    rewrite(copied, "evaluation/performance.csv", one_outcome)
    words = text(rendered(copied))
    assert "not estimable: only one outcome" in words
    assert "nan" not in words


def test_suppressed_cells_are_not_guessed(copied, rendered):
    def suppress(frame: pd.DataFrame) -> pd.DataFrame:
        mine = frame.group == "subgroup:sex=male"
        frame.loc[mine, ["estimate", "ci_low", "ci_high", "n", "events"]] = ""
        frame.loc[mine, "ci_method"] = "suppressed: fewer than 10 patients"
        return frame

    rewrite(copied, "evaluation/performance.csv", suppress)
    assert "too few, or next to too few" in text(rendered(copied))


def test_a_second_row_of_a_metric_is_not_shown_for_the_first(copied, rendered):
    def twice(frame: pd.DataFrame) -> pd.DataFrame:
        other = frame.assign(ci_method="bootstrap_stratified", ci_low="0.123", ci_high="0.987")
        return pd.concat([frame, other])

    before = text(rendered(copied))
    rewrite(copied, "evaluation/performance.csv", twice)
    assert text(rendered(copied)) == before
