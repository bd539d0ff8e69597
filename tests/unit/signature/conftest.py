"""A split whose signature is fitted once."""

import pytest

from tests.unit.signature.example_split import run, study


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    study(folder)
    return folder, run(folder)
