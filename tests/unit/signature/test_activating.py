"""Training patients at both ends of a feature are found, by the feature as the member uses it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from thyrocast.signature.activating import MOST, activating


def test_the_patients_at_both_ends_are_found() -> None:
    random = np.random.default_rng(4)
    n = 40
    names = np.array([f"p{i:02d}" for i in range(n)])
    cohort = pd.DataFrame({"patient": names, "center": np.where(np.arange(n) % 2, "a", "b")})
    embeddings = random.normal(size=(n, 6))
    embeddings[:, 2] = 1.0
    selected = np.array([1, 2, 4])
    # The member sees the features in a space of its own: here with the opposite sign.
    signature = SimpleNamespace(features=selected, select=lambda values: -values[:, selected])
    none = SimpleNamespace(signature=SimpleNamespace(features=np.array([], int)))
    members = {"fold-1": SimpleNamespace(signature=signature), "fold-2": none}
    found = activating(members, cohort, {"fold-1": embeddings}).set_index(["feature", "end"])
    # A constant feature has no ends.
    assert {feature for feature, _ in found.index} == {1, 4}
    values = pd.Series(-embeddings[:, 4], index=names)
    unit = ((values - values.mean()) / values.std(ddof=0)).sort_values()
    lowest, highest = found.loc[(4, "lowest")], found.loc[(4, "highest")]
    assert lowest["patient"].tolist() == unit.index[:MOST].tolist()
    assert highest["patient"].tolist() == unit.index[::-1][:MOST].tolist()
    np.testing.assert_allclose(highest["value"], unit[::-1][:MOST], atol=1e-9)
    assert highest["rank"].tolist() == [1, 2, 3, 4, 5]


def test_few_patients_are_at_one_end_only() -> None:
    cohort = pd.DataFrame({"patient": ["a", "b", "c", "d", "e"], "center": "x"})
    signature = SimpleNamespace(features=np.array([0]), select=lambda values: values[:, [0]])
    values = np.array([[3.0], [1.0], [2.0], [5.0], [4.0]])
    found = activating({"full": SimpleNamespace(signature=signature)}, cohort, {"full": values})
    assert found["patient"].tolist() == ["d", "e", "b", "c"]
