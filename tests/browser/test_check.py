"""The check page in a real browser: first screen, keyboard, screen reader, print, and without scripts."""

import itertools
from pathlib import Path

import pytest

from tests.unit.check import examples
from tests.unit.hospital import scan
from thyrocast import check

ATTACK = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The private and the public page of a center whose names are attacks and which is not ready."""
    folder = tmp_path_factory.mktemp("check")
    hospital = examples.hospital(folder, patients=8)
    for number, row in enumerate(hospital.rows):
        row[ATTACK + " TRAK"] = str(number)
    for number in range(6):
        row = {"birth": f"198{number}-02-03", ATTACK + " TRAK": ""}
        hospital.patient(f"X{number}", ATTACK, **row)
        hospital.scan(f"{ATTACK[1:8]}{number}.dcm", scan(f"X{number}", seed=number))
    found = check.check(examples.center(hospital))
    paths = {private: folder / f"{private}.html" for private in (True, False)}
    for private, path in paths.items():
        path.write_text(check.render(found, private=private), encoding="utf-8")
    return paths


@pytest.mark.parametrize("private", [True, False], ids=["private", "public"])
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (768, True), (375, False)])
def test_it_opens_without_messages_or_requests_and_fits(visit, pages, private, width, dark):
    watched = visit(pages[private], width=width, dark=dark)
    page = watched.page
    for details in page.locator("details").all():
        details.evaluate("node => (node.open = true)")
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.noise == []
    assert watched.fetched == []
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("private", [True, False], ids=["private", "public"])
def test_the_first_screen_is_verdict_and_what_to_do_first(visit, pages, private):
    page = visit(pages[private]).page
    assert page.locator("h2").first.inner_text() == "Not ready"
    for selector in (".banner", ".verdict", ".todo li"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900


def test_every_link_leads_somewhere(visit, pages):
    for path in pages.values():
        page = visit(path).page
        broken = page.evaluate(
            "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
            ".filter(id => !document.getElementById(id))"
        )
        assert broken == []


def test_the_search_finds_a_patient_by_identifier_and_by_pseudonym(visit, pages):
    page = visit(pages[True]).page
    search = page.get_by_label("Pseudonym, identifier or reason")
    search.focus()
    page.keyboard.type("n3")
    shown = page.locator(".patients tbody tr:visible")
    assert shown.count() == 1
    pseudonym = shown.first.locator("th").inner_text()
    assert page.locator(".search [role=status]").inner_text() == "1 of 14 patients"
    search.fill(pseudonym)
    assert shown.first.locator("td").first.inner_text() == "N3"


def test_it_can_be_read_without_scripts(visit, pages):
    page = visit(pages[True], javascript=False).page
    assert page.locator(".verdict").is_visible()
    assert not page.locator(".search").is_visible()
    assert page.locator(".patients tbody tr:visible").count() == 14
    assert page.locator(".sheet li:visible").count() == 8


def test_a_screen_reader_hears_images_distributions_and_order(visit, pages):
    page = visit(pages[True]).page
    assert page.get_by_role("img", name="Scintigram of N3").count() == 1
    assert page.get_by_role("region", name="Columns of the clinical table").count() == 1
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    unnamed = page.evaluate(
        "[...document.querySelectorAll('img:not([alt]), svg:not([aria-hidden]):not([aria-label]),"
        " table:not(:has(caption)), input:not([id]):not(label input)')].length"
    )
    assert unnamed == 0


def test_the_contact_sheet_shows_each_patients_own_image(visit, pages):
    page = visit(pages[True]).page
    places = page.evaluate(
        "[...document.querySelectorAll('.sheet i')].map(i => getComputedStyle(i).backgroundPosition)"
    )
    assert len(places) == len(set(places)) == 8
    image = page.evaluate("getComputedStyle(document.querySelector('.sheet i')).backgroundImage")
    assert image.startswith('url("data:image/jpeg')


def test_print_shows_everything(visit, pages):
    page = visit(pages[True]).page
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert not page.locator(".search").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
