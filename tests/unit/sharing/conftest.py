import pytest

from tests.unit.sharing import example_centers as example
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.sharing import exchange


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
