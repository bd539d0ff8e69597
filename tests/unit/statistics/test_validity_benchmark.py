"""The benchmark of validity measures every part, and its summary says what is outside its promise."""

import math
import sys

import numpy as np
import pytest

from benchmarks import validity
from benchmarks.validity_rows import Row, markdown, ranges, summary


@pytest.mark.parametrize("part", [part for part in validity.PARTS if part != "cross"])
def test_every_part_yields_rows(part):
    function, settings = validity.PARTS[part]
    rows = [*function(*settings[-1], 3, np.random.default_rng(1))]
    assert rows
    assert len({(one.label, one.before) for one in rows}) == len(rows)
    for one in rows:
        assert math.isfinite(one.value), one
        if one.label.endswith("%"):
            assert 0 <= one.value <= 100, one


def test_true_results_of_centers_are_those_of_large_ones():
    random = np.random.default_rng(2)
    prevalence, distance = validity.centers.drawn_centers(1, 0.5, random)
    true = validity.centers.truth(prevalence, distance)
    y = random.random(400_000) < prevalence
    x = random.normal(size=y.size) + distance * y
    found = validity.centers.of_center(y, 1 / (1 + np.exp(-validity.centers.model(x))))
    assert set(found) == set(true)
    for name, (effect, error) in found.items():
        assert effect == pytest.approx(true[name][0], abs=4 * error), name


def test_the_summary_says_what_is_outside():
    common = {"error": 0.5, "studies": 9, "key": "k", "least": 93.0, "most": 97.0}
    rows = [
        Row("a, %", "one", 92.4, before=False, **common),
        Row("a, %", "two", 98.0, before=False, **common),
        Row("a, %", "one", 80.0, before=True, **common | {"key": ""}),
        Row("b", "one", 0.01, before=False, **common | {"key": "", "least": None, "most": None}),
    ]
    found = summary(rows)
    assert [one["outside"] for one in found] == ["below and above", ""]
    assert ranges(rows) == {"k": [92.4, 98.0]}
    assert markdown(found).splitlines()[2:] == [
        "| a, % | 93 to 97 | 80.0 | 92.4 to 98.0 | below and above |",
        "| b |  |  | 0.0100 |  |",
    ]


def test_figures_of_few_studies_are_not_published(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["validity.py", "--write", "--studies", "40"])
    with pytest.raises(SystemExit):
        validity.main()
    assert "--write needs at least 600 studies, found 40" in capsys.readouterr().err


def test_the_documents_table_has_its_monte_carlo_error():
    text = validity.document([], 600)
    assert (
        "600 simulated studies in each setting; the Monte Carlo error of a share of 95 % is 0.9 points"
        in text
    )
