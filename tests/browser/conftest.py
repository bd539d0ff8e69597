"""A browser without a network, and the example study's page in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import render_report
from tests.unit.report import example_study

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
    folder: Path, designs: dict[str, list[str]], title: str, simulation: Path | None
) -> Path:
    output = folder / "report" / "report.html"
    settings = example_study.SETTINGS
    render_report.run(
        folder, designs, example_study.MEMBERS[:2], output, title, settings, simulation
    )
    return output


@pytest.fixture(scope="session")
def report_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small study."""
    folder = tmp_path_factory.mktemp("small")
    designs = example_study.write_study(
        folder, centers=example_study.SMALL_CENTERS, designs=example_study.SMALL_DESIGNS
    )
    simulation = example_study.write_simulation(folder / "summary.json")
    return render(folder, designs, "example", simulation)


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a study whose every name is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    attack = example_study.HOSTILE
    designs = example_study.write_study(
        folder,
        centers={attack: ("development", 40), "south": ("development", 40)},
        designs={"loco": [attack, "south"]},
        models=("network", attack),
        vendor=attack,
    )
    return render(folder, designs, attack, None)


@pytest.fixture(scope="session")
def browser(needs: Callable[..., None]) -> Iterator[Browser]:
    """Chromium as the system installed it."""
    needs("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


class Watched:
    """A page, and whatever it said, asked for or popped up."""

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
        dialog.dismiss()  # type: ignore[attr-defined]

    @property
    def fetched(self) -> list[str]:
        """Addresses asked for besides the page itself and what it carries."""
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
