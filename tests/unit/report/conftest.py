"""One example study for the whole folder, and the page made of it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import render_report
from tests.unit.report import example_study
from thyrocast import report


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> report.Pages:
    """The pages of a study of five centers and five models, as the rule renders them."""
    folder = tmp_path_factory.mktemp("example")
    centers, designs = example_study.CENTERS, example_study.DESIGNS
    example_study.write_study(folder, centers, designs)
    summary = example_study.write_simulation(folder / "summary.json")
    output, internal = folder / "report" / "report.html", folder / "private" / "internal.html"
    files = example_study.files(folder, designs, example_study.MEMBERS, summary)
    methods = folder / "report" / "methods.md"
    render_report.run(files, example_study.config(centers), output, internal, methods)
    assert methods.read_text(encoding="utf-8").startswith("# Methods")
    assert (output.stat().st_mode & 0o777, internal.stat().st_mode & 0o777) == (0o644, 0o600)
    return report.Pages(*(file.read_text(encoding="utf-8") for file in (output, internal)))


@pytest.fixture(scope="session")
def page(pages: report.Pages) -> str:
    """The page of that study that is made to be passed on."""
    return pages.shareable


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smaller study: two development centers, two models, no holdout."""
    folder = tmp_path_factory.mktemp("small")
    example_study.write_study(folder, models=("network", "signature"))
    return folder


@pytest.fixture(scope="session")
def small(small_folder: Path) -> report.StudyResults:
    """The smaller study in memory; tests change copies of it."""
    return report.read_study(example_study.files(small_folder), example_study.config())


@pytest.fixture(scope="session")
def small_pages(small: report.StudyResults) -> report.Pages:
    """The pages of the smaller study."""
    return report.render(small)


@pytest.fixture(scope="session")
def small_page(small_pages: report.Pages) -> str:
    """The page of the smaller study that is made to be passed on."""
    return small_pages.shareable


@pytest.fixture
def configured(small: report.StudyResults) -> Callable[..., report.StudyResults]:
    """Replace settings of the smaller study's config."""

    def configure(**settings: Any) -> report.StudyResults:
        return dataclasses.replace(small, config=example_study.config(**settings))

    return configure
