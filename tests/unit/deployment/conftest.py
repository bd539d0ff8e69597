from pathlib import Path

import pytest

from tests.unit.deployment import example_bundle
from tests.unit.deployment import example_centers as example
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.deployment import bundle, exchange


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


@pytest.fixture(scope="session")
def centers():
    return {name: example.people(name) for name in [*example.SIZES]}


@pytest.fixture(scope="session")
def whole(centers, tmp_path_factory):
    """Performance of all five centers given as data."""
    rows = example.performance(centers, example.config([*example.SIZES]))
    return example.stored(PERFORMANCE, rows, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def sent(centers, tmp_path_factory):
    """The exchange files of two centers, written at their own sites."""
    found = {}
    for name in [*example.SIZES][3:]:
        folder = tmp_path_factory.mktemp(name)
        rows = example.performance({name: centers[name]}, example.config([name]))
        rows = example.stored(PERFORMANCE, rows, folder)
        site = example.tables(name, centers[name], scored=rows)
        study, file = example.config([name]), folder / f"{name}.json"
        exchange.write(site, study, exchange.locked(example.HASH), folder / "ledger", file)
        found[name] = file
    return found
