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
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a study of five centers and five models, as the rule renders it."""
    folder = tmp_path_factory.mktemp("example")
    centers, designs = example_study.CENTERS, example_study.DESIGNS
    example_study.write_study(folder, centers, designs)
    summary = example_study.write_simulation(folder / "summary.json")
    output = folder / "report" / "report.html"
    files = example_study.files(folder, designs, example_study.MEMBERS, summary)
    render_report.run(files, example_study.config(centers), output)
    return output.read_text(encoding="utf-8")


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
def small_page(small: report.StudyResults) -> str:
    """The page of the smaller study."""
    return report.render(small)


@pytest.fixture
def configured(small: report.StudyResults) -> Callable[..., report.StudyResults]:
    """Replace settings of the smaller study's config."""

    def configure(**settings: Any) -> report.StudyResults:
        return dataclasses.replace(small, config=example_study.config(**settings))

    return configure
