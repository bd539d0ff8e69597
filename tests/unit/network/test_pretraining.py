"""A short pretraining learns what it is for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from thyrocast.image import encoder
from thyrocast.network import pretrained, pretraining
from thyrocast.network.compact import PhysicsNetwork
from thyrocast.network.pretraining import Part, Plan
from thyrocast.simulation.lessons import MARGIN, Lessons, lessons

FITTED = 160


@pytest.fixture(scope="module")
def drawn() -> Lessons:
    return lessons(230, 3)


def part(drawn: Lessons, rows: slice) -> Lessons:
    return Lessons(*(value[rows] for value in vars(drawn).values()))


def error(weights: dict, drawn: Lessons) -> float:
    """Mean absolute error of the measures, in standard deviations."""
    middle = slice(MARGIN, -MARGIN)
    images = drawn.images[:, middle, middle].astype(np.float32)
    found = encoder.encode(images, weights).measures
    return float(np.nanmean(np.abs(found - drawn.measures) / np.nanstd(drawn.measures, 0)))


def test_a_short_training_improves_on_random_weights(drawn: Lessons, tmp_path: Path) -> None:
    fitted, other = part(drawn, slice(FITTED)), part(drawn, slice(FITTED, None))
    errors = []
    for epochs in (0, 5):
        network = pretraining.pretrain(fitted, Plan(epochs, 16, 3e-3, 1))
        pretrained.save(network, tmp_path / f"{epochs}.safetensors", {"seed": 1})
        errors.append(error(encoder.load(tmp_path / f"{epochs}.safetensors"), other))
    before, after = errors
    assert after < 0.85 * before
    # Much longer training: the shipped weights.
    assert error(encoder.load(), other) < 0.75 * after


def test_same_seed_same_weights(drawn: Lessons) -> None:
    few = part(drawn, slice(24))
    first, again = (pretraining.pretrain(few, Plan(1, 12, 3e-3, 5)) for _ in range(2))
    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_mirrored_and_shifted_lesson_has_the_truth_of_what_it_shows(drawn: Lessons) -> None:
    rows = np.arange(40)
    rng = np.random.default_rng(0)
    _, lobes, measures, _ = pretraining._augmented(PhysicsNetwork(), Part(drawn, rows, rng))
    column = encoder.MEASURES.index
    mass = drawn.measures[rows][:, [column("mass_right"), column("mass_left")]]
    found = measures[:, [column("mass_right"), column("mass_left")]].numpy()
    mirrored = np.abs(found - mass[:, ::-1]).sum(1) < 1e-6
    same = np.abs(found - mass).sum(1) < 1e-6
    known = np.isfinite(mass).all(1)
    assert 8 < (mirrored & known).sum() < 32
    assert (mirrored | same)[known].all()
    # The outlines are exchanged as the masses are: the heavier lobe has the larger outline.
    area = lobes.sum((2, 3)).numpy()
    clear = known & (np.abs(found[:, 0] - found[:, 1]) > 0.7)
    assert clear.sum() > 5
    assert ((area[:, 0] > area[:, 1]) == (found[:, 0] > found[:, 1]))[clear].all()


def test_missing_truth_teaches_nothing(drawn: Lessons) -> None:
    few = part(drawn, slice(16))
    blank = replace(
        few, measures=np.where(np.arange(len(encoder.MEASURES)) == 3, np.nan, few.measures)
    )
    network = PhysicsNetwork()
    seen = Part(blank, np.arange(16), np.random.default_rng(0))
    batch = pretraining._augmented(network, seen)
    value = pretraining._loss(network, batch, torch.device("cpu"), torch.bfloat16)
    value.backward()
    assert torch.isfinite(value)
    assert network.measures.weight.grad is not None
    assert (network.measures.weight.grad[3] == 0).all()
    assert (network.measures.weight.grad[0] != 0).any()
