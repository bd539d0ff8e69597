"""The small locked model, which tests of several rooms read."""

from pathlib import Path

import pytest

from tests.unit.locked import example_bundle
from thyrocast.locked import bundle


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> bundle.Parts:
    """The parts of a small locked model."""
    return example_bundle.study(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="session")
def locked(parts: bundle.Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small locked model; tests read it and never change it."""
    return example_bundle.lock(parts, tmp_path_factory.mktemp("locked") / "model")


@pytest.fixture
def model(locked: Path, tmp_path: Path) -> Path:
    """A copy of the small locked model, which a test may change."""
    return example_bundle.copy(locked, tmp_path / "model")
