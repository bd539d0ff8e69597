"""The page in a real browser: desktop, phone, dark theme, print, and without scripts."""

import pytest


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 375])
def test_it_opens_without_messages_or_requests_and_fits(visit, report_page, width, dark):
    watched = visit(report_page, width=width, dark=dark)
    page = watched.page
    for details in page.locator("details").all():
        details.evaluate("node => (node.open = true)")
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.noise == []
    assert watched.fetched == []


def test_hostile_names_have_no_effect(visit, hostile_page):
    watched = visit(hostile_page)
    watched.page.wait_for_timeout(200)
    assert watched.noise == []
    assert watched.fetched == []
    assert watched.page.locator("img[src=x]").count() == 0
    assert (
        "<img src=x onerror=alert(1)>" in watched.page.locator("h2 ~ div, main").first.inner_text()
    )


def test_it_can_be_read_without_scripts(visit, report_page):
    page = visit(report_page, javascript=False).page
    assert page.locator(".big").is_visible()
    assert page.locator("#participants .flow").is_visible()
    pictures = page.locator(".gallery li:visible")
    assert pictures.count() == page.locator(".gallery li").count() > 0
    assert not page.locator(".gallery-controls").is_visible()
    page.locator("summary", has_text="Patients by outcome").click()
    assert page.locator("caption", has_text="Patients by outcome").is_visible()


def test_the_first_screen_contains_the_warning_and_the_main_result(visit, report_page):
    page = visit(report_page).page
    for selector in (".banner", ".answer", ".hero"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900


def test_print_shows_everything(visit, report_page):
    page = visit(report_page).page
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0


def test_print_is_light_even_if_the_screen_is_dark(visit, report_page):
    page = visit(report_page, dark=True).page
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)" != dark


def test_figures_follow_the_theme(visit, report_page):
    ink = "getComputedStyle(document.querySelector('svg.figure text')).fill"
    assert visit(report_page).page.evaluate(ink) != visit(report_page, dark=True).page.evaluate(ink)


def test_the_gallery_filters_and_sorts(visit, report_page):
    page = visit(report_page).page
    items = page.locator(".gallery li")
    total = items.count()
    page.select_option("select[name=outcome]", "cured")
    shown = page.locator(".gallery li:visible")
    assert 0 < shown.count() < total
    assert {item.get_attribute("data-outcome") for item in shown.all()} == {"cured"}
    assert (
        page.locator(".gallery-state").inner_text() == f"{shown.count()} of {total} pictures match."
    )
    page.select_option("select[name=outcome]", "")
    page.select_option("select[name=order]", "most")
    inside = [float(item.get_attribute("data-inside") or 0) for item in items.all()]
    assert inside == sorted(inside, reverse=True)


def test_a_picture_is_enlarged_by_keyboard_and_closed_again(visit, report_page):
    watched = visit(report_page)
    page = watched.page
    button = page.locator(".gallery button").first
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog.lightbox")
    assert dialog.is_visible()
    first = dialog.locator("p").inner_text()
    page.keyboard.press("ArrowRight")
    assert dialog.locator("p").inner_text() != first
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert watched.noise == []


def test_a_link_into_a_closed_section_opens_it(visit, report_page):
    page = visit(report_page).page
    page.evaluate("document.querySelector('#design-1').open = false")
    page.evaluate("location.hash = '#design-1'")
    page.wait_for_function("document.querySelector('#design-1').open")


def test_text_in_figures_is_legible_on_a_phone(visit, report_page):
    page = visit(report_page, width=375).page
    heights = page.evaluate(
        "[...document.querySelectorAll('svg.figure')].filter(s => s.checkVisibility()).map(s =>"
        " s.getBoundingClientRect().width / s.viewBox.baseVal.width)"
    )
    assert min(heights) > 0.8
