"""Tables of the shares: by patient, by center and for a design."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.explanation.test_placements import bumps, spots
from thyrocast.contract import io
from thyrocast.contract.splits import GRADCAM
from thyrocast.explanation import attention


def explained(cells=7, n=24, split="all", seed=1, first=0):
    """Maps that follow the gland: 15 patients of one center, the others of another; one map of zeros."""
    glands, centers = spots(n, np.random.default_rng(seed))
    maps = bumps(centers, cells, 0.1)
    maps[3] = 0
    table = pd.DataFrame(
        {
            "patient": [f"p{first + i}" for i in range(n)],
            "center": np.where(np.arange(n) < 15, "north", "west"),
            "outcome": 1,
            "target": "cured",
            "probability": 0.5,
            "status": np.where(np.arange(n) == 3, "all_zero", "ok"),
            "map_left_mm": -80.0,
            "map_top_mm": -80.0,
            "cell_mm": 160 / cells,
        }
    )
    return attention.measure(
        split, io.conform(GRADCAM, table), maps, glands.astype(np.uint8), np.arange(n)
    )


def test_every_patient_has_a_share_and_its_random_places():
    shares = explained().shares
    assert shares["inside"].isna().tolist() == [i == 3 for i in range(24)]
    seen = shares.drop(index=3)
    assert (seen["random_low"] < seen["random_high"]).all()
    assert (seen["inside"] > seen["random_high"]).all()
    assert (seen["inside"] > seen["others"]).all()


def test_coarse_maps_have_no_share():
    shares = explained(cells=6).shares
    assert shares[["inside", "random_low", "random_high", "others"]].isna().all(axis=None)
    assert shares["area"].notna().all()
    table = attention.summarize("external", [explained(cells=6)], least=10)
    assert table[["inside", "random_low", "others"]].isna().all(axis=None)
    assert table["n"].tolist()[0] == 24


def test_small_centers_have_no_numbers():
    table = attention.summarize("external", [explained()], least=10).set_index("group")
    # That of the larger center would show the smaller one's by subtraction.
    for center in ("north", "west"):
        assert table.loc[center].drop(["design", "group_kind"]).isna().all()
    assert (table.loc["", "n"], table.loc["", "empty"]) == (24, 1)
    assert table.loc["", "inside"] > table.loc["", "random_high"]


def test_a_patient_of_two_splits_counts_once():
    one, two = explained(split="a"), explained(split="b", seed=2)
    both = attention.summarize("holdout", [one, two], least=10)
    alone = attention.summarize("holdout", [one], least=10)
    pd.testing.assert_frame_equal(both, alone)
    other = attention.summarize("holdout", [one, explained(split="b", first=24)], least=10)
    assert other["n"].tolist()[0] == 48


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ({"a": 30, "b": 26}, set()),
        ({"a": 30, "b": 26, "c": 4}, {"b", "c"}),
        ({"a": 30, "b": 26, "c": 6, "d": 5}, {"c", "d"}),
        ({"a": 3}, {"a"}),
    ],
)
def test_a_small_center_does_not_follow_by_subtraction(sizes, hidden):
    assert attention._hidden(sizes, 10) == hidden
