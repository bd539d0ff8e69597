"""Agreement of maps: equal ones correlate by 1, unrelated ones by 0."""

import numpy as np
import pytest

from thyrocast.explanation import agreement


def test_methods_and_members_are_compared():
    random = np.random.default_rng(1)
    own = random.random((30, 7, 7)).astype(np.float32)
    methods = {"gradcam": own, "hirescam": own**2, "gradcam++": random.random(own.shape)}
    members = np.stack([own, own, own]).astype(np.float32)
    members[2, 0] = 0  # an empty map by one member: the others count
    table = agreement.compare("all", methods, members, 10).set_index("method")
    assert list(table.index) == ["hirescam", "gradcam++", ""]
    assert table.loc["hirescam", "correlation"] == pytest.approx(1)
    assert abs(table.loc["gradcam++", "correlation"]) < 0.15
    assert table.loc["", "correlation"] == pytest.approx(1)
    assert list(table["n"]) == [30, 30, 30]


def test_nothing_is_compared_without_maps_or_with_too_few_patients():
    own = np.random.default_rng(1).random((5, 7, 7)).astype(np.float32)
    methods = {"gradcam": own, "hirescam": own}
    assert agreement.compare("all", methods, own[None], 10).empty
    empty = {name: maps[:0] for name, maps in methods.items()}
    assert agreement.compare("all", empty, np.stack([own, own]), 1).empty
    # A single member has nobody to be compared with.
    assert list(agreement.compare("all", methods, own[None], 5)["compared"]) == ["method"]
