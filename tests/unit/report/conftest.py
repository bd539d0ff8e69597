"""One example study for the whole folder, and the page made of it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import render_report
from tests.unit.report import example_study
from thyrocast import report


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study: three development centers, an external and a prospective one."""
    folder = tmp_path_factory.mktemp("example")
    example_study.write_study(folder)
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smaller study: two development centers, two models, no holdout."""
    folder = tmp_path_factory.mktemp("small")
    example_study.write_study(
        folder,
        centers=example_study.SMALL_CENTERS,
        designs=example_study.SMALL_DESIGNS,
        models=("network", "signature"),
    )
    return folder


@pytest.fixture
def copied(small: Path, tmp_path: Path) -> Path:
    """A copy of the small study that a test may change."""
    return Path(shutil.copytree(small, tmp_path / "study"))


@pytest.fixture
def studied() -> Callable[..., report.Study]:
    """Read a study's folder without drawing it."""

    def read(folder: Path, designs: Any = None, **settings: Any) -> report.Study:
        return report.read_study(
            folder,
            example_study.SMALL_DESIGNS if designs is None else designs,
            ("full", "fold-1"),
            "example",
            example_study.SETTINGS | settings,
        )

    return read


@pytest.fixture
def rendered(tmp_path: Path) -> Callable[..., str]:
    """Render a study's folder as its rule does."""

    def render(
        folder: Path,
        designs: dict[str, list[str]] | None = None,
        settings: dict[str, Any] | None = None,
        simulation: Path | None = None,
        title: str = "example",
        members: tuple[str, ...] = ("full", "fold-1"),
    ) -> str:
        output = tmp_path / "report.html"
        render_report.run(
            results=folder,
            designs=example_study.SMALL_DESIGNS if designs is None else designs,
            members=members,
            output=output,
            title=title,
            settings=example_study.SETTINGS | (settings or {}),
            simulation_summary=simulation,
        )
        return output.read_text(encoding="utf-8")

    return render


@pytest.fixture(scope="session")
def page(study_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The example study's page."""
    output = tmp_path_factory.mktemp("page") / "report.html"
    summary = example_study.write_simulation(output.parent / "summary.json")
    render_report.run(
        study_folder,
        example_study.DESIGNS,
        example_study.MEMBERS,
        output,
        "example",
        example_study.SETTINGS,
        summary,
    )
    return output.read_text(encoding="utf-8")
