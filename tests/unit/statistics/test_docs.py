"""The examples in the docstrings of the statistics run and give the results that they show."""

import doctest
import importlib
import pkgutil

from thyrocast import statistics


def test_examples_run():
    examples = 0
    for module in pkgutil.iter_modules(statistics.__path__, "thyrocast.statistics."):
        found = doctest.testmod(
            importlib.import_module(module.name),
            optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
        )
        assert found.failed == 0, module.name
        examples += found.attempted
    assert examples > 100
