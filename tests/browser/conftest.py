"""A browser without a network, and the example study's page in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import render_report
from tests.unit.report import example_study
from thyrocast.config.study import StudyConfig

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


def render(
    folder: Path, designs: example_study.Designs, config: StudyConfig, simulation: Path | None
) -> Path:
    output, internal = folder / "report" / "report.html", folder / "report-internal.html"
    files = example_study.files(folder, designs, simulation=simulation)
    render_report.run(files, config, output, internal, folder / "methods.md")
    return internal


@pytest.fixture(scope="session")
def report_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The internal page of a small study, which has everything that the other one has."""
    folder = tmp_path_factory.mktemp("small")
    example_study.write_study(folder, models=("network", "signature"))
    simulation = example_study.write_simulation(folder / "summary.json")
    return render(folder, example_study.SMALL_DESIGNS, example_study.config(), simulation)


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a study whose every name is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    attack = example_study.HOSTILE
    centers = {attack: ("development", 40), "south": ("development", 40)}
    designs = {"loco": [*centers]}
    example_study.write_study(folder, centers, designs, models=("network", attack), vendor=attack)
    config = example_study.config(centers).model_copy(update={"study": attack})
    return render(folder, designs, config, None)


@pytest.fixture(scope="session")
def browser(needs: Callable[..., None]) -> Iterator[Browser]:
    """Chromium as the system installed it."""
    needs("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


class Watched:
    """A page with its messages, errors, dialogs and requests."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.noise: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.noise.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.noise.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self.requests.append(request.url))

    def _dialog(self, dialog: object) -> None:
        self.noise.append("a dialog opened")
        dialog.dismiss()  # type: ignore[attr-defined]  # a dialog, typed as object

    @property
    def fetched(self) -> list[str]:
        """Addresses that were requested, except the page itself and what it contains."""
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open a page: ``visit(path, width=375, javascript=False, dark=True)``."""
    contexts = []

    def open_page(
        path: Path, width: int = 1280, javascript: bool = True, dark: bool = False
    ) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.goto(path.as_uri())
        return watched

    yield open_page
    for context in contexts:
        context.close()
