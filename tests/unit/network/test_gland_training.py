"""An interrupted training of the gland finder gives the weights of one that was not interrupted."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from thyrocast.image.gland_network import CHANNELS
from thyrocast.network import gland_network
from thyrocast.network.gland_network import Batch, Plan, loss, train

PLAN = Plan(steps=6, batch=2, rate=1e-3, seed=3)


def batches(steps: range) -> Iterator[Batch]:
    for step in steps:
        rng = np.random.default_rng(step)
        lobes = rng.random((2, 2, 32, 32)) < 0.1
        yield (
            rng.normal(size=(2, CHANNELS, 16, 16)).astype(np.float32),
            lobes,
            np.ones((2, 32, 32), np.bool_),
            np.array([1, 0]),
        )


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_an_interrupted_training_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    """Before, at and after the step at which batch normalization is folded."""
    monkeypatch.setattr(gland_network, "CHECKPOINT_EVERY", 1)
    assert PLAN.normalized == 3
    whole = train(PLAN, batches, tmp_path / "whole")

    def interrupted(steps: range) -> Iterator[Batch]:
        yield from batches(range(stop))
        raise InterruptedError

    with pytest.raises(InterruptedError):
        train(PLAN, interrupted, tmp_path / "parts")
    parts = train(PLAN, batches, tmp_path / "parts")
    for (name, one), other in zip(
        whole.state_dict().items(), parts.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), name


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    train(PLAN, batches, tmp_path / "a")
    for other in (replace(PLAN, seed=4), replace(PLAN, batch=3), replace(PLAN, rate=2e-3)):
        with pytest.raises(ValueError, match="a training with other settings"):
            train(other, batches, tmp_path / "a")


def test_the_learning_rate_rises_stays_and_falls() -> None:
    plan = Plan(steps=4_000, batch=16, rate=1.0, seed=1)
    rates = [plan.rate_at(step) for step in range(plan.steps)]
    assert rates[0] < 0.01
    assert rates[gland_network.WARM_UP] == 1
    assert rates[plan.normalized] == gland_network.FOLDED_RATE
    assert rates[-1] < 0.001
    longer = replace(plan, steps=5_000)
    # The beginning of a longer training is the same, so that it can continue from this one.
    assert rates[:2_600] == [longer.rate_at(step) for step in range(2_600)]


def test_the_loss_is_smallest_at_the_true_outline() -> None:
    truth = torch.zeros(1, 2, 32, 32, dtype=torch.bool)
    truth[0, 0, 8:20, 4:12] = True
    truth[0, 1, 8:20, 18:26] = True
    batch = (truth, torch.ones(1, 32, 32, dtype=torch.bool), torch.tensor([1]))
    score = torch.tensor([4.0])

    def of(mask: torch.Tensor, sure: float = 6.0) -> float:
        logits = torch.where(mask, sure, -sure)
        return loss(torch.nn.functional.pixel_unshuffle(logits, 2), score, batch).item()

    large = torch.nn.functional.max_pool2d(truth.float(), 3, 1, 1) > 0
    assert of(truth) < of(large)
    assert of(truth) < of(truth.flip(1))
    assert of(truth) < of(torch.zeros_like(truth))


def test_a_training_continues_from_weights(tmp_path: Path) -> None:
    """The file has half precision; nothing but the weights is taken from the first training."""
    first = tmp_path / "first.safetensors"
    gland_network.save(train(PLAN, batches, tmp_path / "a"), first, PLAN.metadata())
    plan = replace(PLAN, steps=2, start="a hash")
    assert plan.normalized == 0
    begun = gland_network.restore(first)
    continued = train(plan, batches, tmp_path / "b", first)
    pairs = zip(begun.state_dict().values(), continued.state_dict().values(), strict=True)
    # The rate rises from zero, so that two steps change little.
    assert 0 < max(float((one - other).abs().max()) for one, other in pairs) < 1e-3
    with pytest.raises(ValueError, match="a training with other settings"):
        train(replace(plan, start="another"), batches, tmp_path / "b", first)


def test_the_same_weights_give_the_same_file_and_digest(tmp_path: Path) -> None:
    network = train(PLAN, batches, tmp_path / "a")
    files = [tmp_path / name for name in ("one", "two", "three")]
    for path, plan in zip(files, (PLAN, PLAN, replace(PLAN, seed=4)), strict=True):
        gland_network.save(network, path, plan.metadata())
    one, two, three = (path.read_bytes() for path in files)
    assert one == two
    assert one != three
    assert len({gland_network.digest(path) for path in files}) == 1
    first = gland_network.restore(files[0])
    with torch.no_grad():
        first.score.bias += 1
    gland_network.save(first, files[2], PLAN.metadata())
    assert gland_network.digest(files[2]) != gland_network.digest(files[0])
