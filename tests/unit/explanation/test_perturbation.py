"""Deletion and insertion: a network that is known, and patients who do not depend on each other."""

import numpy as np
import pytest
import torch
from torch import nn

from thyrocast.contract.control_names import Curve
from thyrocast.explanation import curves as tables
from thyrocast.explanation import perturbation
from thyrocast.network import model

SIZE, CELLS, MOVED = 56, 7, 9
CPU = torch.device("cpu")


class Reader(nn.Module):
    """A network that reads the brightness of one cell and nothing else."""

    def __init__(self, row: int, column: int, sign: float = 1.0) -> None:
        super().__init__()
        side = SIZE // CELLS
        self.part = slice(row * side, (row + 1) * side), slice(column * side, (column + 1) * side)
        self.sign = sign

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.sign * 3 * (images[:, 0][:, *self.part].mean((1, 2)) - 1.2)


def images(n=12):
    """Bright where the network reads, over noise."""
    random = np.random.default_rng(2)
    found = random.gamma(4, 0.1, (n, SIZE, SIZE)).astype(np.float32)
    found[:, 16:24, 32:40] += 4
    return found


def maps(row, column, n=12):
    found = np.zeros((n, CELLS, CELLS), np.float32)
    found[:, row, column] = 1
    return found


def curves(network, heat, pictures=None):
    pictures = images() if pictures is None else pictures
    return perturbation.curves(network, model.AS_IT_IS, pictures, heat, MOVED, CPU, 5)


def test_the_true_map_beats_the_moved_ones():
    found = curves(Reader(2, 4), maps(2, 4))
    table = tables.table(
        "all",
        [f"p{n}" for n in range(12)],
        {Curve.DELETION: found.deletion, Curve.INSERTION: found.insertion},
    )
    assert len(table) == 24
    assert (table["places"] == MOVED).all()
    # Every place is worse, except that a map of one cell may be turned to its own place (8 of 392 places):
    # this one is as good, and does not count as worse.
    worse = np.vstack(
        [
            found.deletion[:, 1:] - found.deletion[:, :1],
            found.insertion[:, :1] - found.insertion[:, 1:],
        ]
    )
    assert ((worse > 0.01) | (worse == 0)).all()
    assert (worse == 0).mean() < 0.06
    assert (table["better_than"].to_numpy() == (worse > 0).sum(axis=1)).all()
    deletion = table[table["curve"] == "deletion"]
    assert (deletion["area"] < deletion["moved"]).all()


def test_a_map_elsewhere_is_as_good_as_the_moved_ones():
    """A map without evidence: its rank among the moved ones is that of any of them."""
    random = np.random.default_rng(8)
    n = 60
    heat = np.zeros((n, CELLS, CELLS), np.float32)
    heat[np.arange(n), random.integers(0, 7, n), random.integers(0, 7, n)] = 1
    found = curves(Reader(2, 4), heat, images(n))
    best = (found.deletion[:, :1] < found.deletion[:, 1:]).sum(axis=1)
    # By chance 4.5 of 9; the standard error of the mean of 60 uniform ranks is .37.
    assert best.mean() == pytest.approx(4.5, abs=1.2)


def test_a_map_of_what_lowers_the_prediction_is_worse():
    """Evidence against cure is no evidence for cure."""
    found = curves(Reader(2, 4, sign=-1.0), maps(2, 4))
    assert (found.deletion[:, 0] > np.median(found.deletion[:, 1:], axis=1)).all()


def test_endpoints_and_area():
    """A network that reads nothing: both curves are flat."""
    flat = Reader(2, 4, sign=0.0)
    found = curves(flat, maps(2, 4))
    np.testing.assert_allclose(found.deletion, 0.5)
    np.testing.assert_allclose(found.insertion, 0.5)


def test_patients_do_not_depend_on_each_other_and_empty_maps_have_no_curve():
    torch.manual_seed(0)
    network = model.create("compact").eval()
    heat = np.random.default_rng(1).random((4, 8, 8)).astype(np.float32)
    heat[2] = 0
    every = curves(network, heat, images(4))
    few = curves(network, heat[:2], images(4)[:2])
    np.testing.assert_array_equal(every.deletion[:2], few.deletion)
    np.testing.assert_array_equal(every.insertion[:2], few.insertion)
    assert np.isnan(every.deletion[2]).all()
    table = tables.table("all", list("abcd"), {Curve.DELETION: every.deletion})
    assert list(table["patient"]) == ["a", "b", "d"]
