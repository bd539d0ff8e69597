"""The shipped network is the tested one, and finds glands of a simulator it was not trained on."""

import hashlib
import itertools

import numpy as np
import pytest

from benchmarks import gland, gland_negatives, gland_phantoms
from tests.unit.example_scans import neck
from thyrocast.image import gland as finder
from thyrocast.image import gland_network, gland_search
from thyrocast.image.gland import NoGlandError, find_gland, lobes
from thyrocast.image.gland_network import GRID_MM, Marked

PHANTOMS = 0.02


def test_the_shipped_weights_are_the_tested_ones() -> None:
    digest = hashlib.sha256(gland_network.WEIGHTS.read_bytes()).hexdigest()
    assert digest == gland_network.WEIGHTS_SHA256
    weights = gland_network.load()
    assert all(np.isfinite(value).all() for value in weights.values())


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gland_network, "WEIGHTS_SHA256", "0" * 64)
    gland_network.load.cache_clear()
    with pytest.raises(ValueError, match="is not the file of this version"):
        gland_network.load()
    gland_network.load.cache_clear()


def test_the_same_image_gives_the_same_bits() -> None:
    counts = np.random.default_rng(0).poisson(5.0, (160, 160)).astype(np.float32)
    first, again = (gland_network.mark(counts, np.ones_like(counts)) for _ in range(2))
    assert np.array_equal(first.right, again.right)
    assert first.score == again.score


def test_the_numpy_network_equals_that_of_the_training() -> None:
    import torch  # the only test of this file that needs it

    from thyrocast.network.gland_network import restore

    counts = np.random.default_rng(0).poisson(5.0, (160, 160)).astype(np.float32)
    counts[60:90, 50:70] += 50
    marked = gland_network.mark(counts, np.ones_like(counts))
    features = gland_network.features(counts, np.ones_like(counts))
    network = restore(gland_network.WEIGHTS)
    with torch.no_grad():
        logits, score = network(torch.from_numpy(features)[None])
    right = torch.sigmoid(torch.nn.functional.pixel_shuffle(logits, 2))[0, 0].numpy()
    assert marked.right == pytest.approx(right, abs=1e-3)
    assert marked.score == pytest.approx(torch.sigmoid(score).item(), abs=1e-3)


def test_glands_of_another_simulator_are_found() -> None:
    results = {
        case: [gland.judge(example, gland.network) for example in group]
        for case, group in itertools.groupby(
            gland_phantoms.examples(99, PHANTOMS), lambda example: example.case
        )
    }
    aimed = [
        result
        for case in gland_phantoms.CASES
        if case.thyroid and case.name not in gland.NOT_AIMED
        for result in results[case.name]
    ]
    areas = np.abs([area for result in aimed for area in result.areas])
    assert sum(result.wrong for result in aimed) == 0
    assert sum(bool(result.refused) for result in aimed) <= 1
    assert np.median(areas) < 0.15
    assert np.median([result.dice for result in aimed if not result.refused]) > 0.88
    negatives = [r for c in gland_phantoms.CASES if not c.thyroid for r in results[c.name]]
    assert sum(bool(result.refused) for result in negatives) >= len(negatives) - 1


def test_other_organs_and_turned_thyroids_are_refused() -> None:
    """Of 1,500 such images, 2 % are accepted (docs/gland.md): testes, and kidneys near the midline."""
    wrong = []
    for name, is_thyroid, images in gland_negatives.groups(99, 3):
        taken, total = gland_negatives.accepted(images)
        if is_thyroid:
            assert taken >= total - 1, name
        else:
            wrong += [name] * taken
    assert len(wrong) <= 5, wrong
    assert not {"thyroid, head down", "thyroid, turned by 90°"} & set(wrong)


@pytest.mark.parametrize(
    ("apart", "along", "score", "refused"),
    [(20, 18, 0.8, True), (20, 18, 0.95, False), (20, 28, 0.8, False), (12, 18, 0.8, False)],
    ids=["testes", "sure", "long", "touching"],
)
def test_two_round_organs_that_do_not_touch_need_a_higher_score(
    monkeypatch: pytest.MonkeyPatch, apart: float, along: float, score: float, refused: bool
) -> None:
    line = (np.arange(100) + 0.5) * GRID_MM - 100
    right, left = (
        np.float32(
            ((line[None, :] - side * apart) / 13) ** 2 + (line[:, None] / along) ** 2 <= 1
        ) * np.float32(0.99)
        for side in (-1, 1)
    )  # fmt: skip
    right = np.where(line[None, :] < 0, right, 0)
    left = np.where(line[None, :] > 0, left, 0)
    monkeypatch.setattr(finder, "search", lambda _counts: Marked(right, left, score))
    counts = np.random.default_rng(0).poisson(10 + 100 * (right + left)).astype(float)
    if refused:
        with pytest.raises(NoGlandError, match="two round organs that do not touch"):
            find_gland(counts, GRID_MM, (2.0, 250.0))
    else:
        assert find_gland(counts, GRID_MM, (2.0, 250.0)).score == score


@pytest.mark.parametrize("pixels", [128, 171])
def test_the_mirror_image_of_a_gland_has_the_lobes_exchanged(pixels: int) -> None:
    counts = np.random.default_rng(3).poisson(0.5, (pixels, pixels)).astype(float)
    counts[:128, -128:] += neck(128, 2.0, seed=3)
    marked, mirrored = gland_search.search(counts), gland_search.search(counts[:, ::-1])
    assert np.array_equal(mirrored.right, marked.left[:, ::-1])
    assert np.array_equal(mirrored.left, marked.right[:, ::-1])
    assert mirrored.score == marked.score
    assert marked.score > 0.9


def test_scores_are_averaged_in_their_log_odds() -> None:
    assert gland_search._mean_score(0.2, 0.8) == pytest.approx(0.5)
    assert gland_search._mean_score(0.9, 0.02) == pytest.approx(0.3)
    assert gland_search._mean_score(1.0, 1.0) == pytest.approx(1.0, abs=1e-5)
    assert gland_search._mean_score(0.0, 1.0) == pytest.approx(0.5)


def test_a_sure_thyroid_is_not_looked_at_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_counts: object) -> Marked:
        raise AssertionError

    monkeypatch.setattr(finder, "search", fail)
    assert not finder._is_head_down(np.zeros((1, 1)), 0.993, 0.5)
    with pytest.raises(AssertionError):
        finder._is_head_down(np.zeros((1, 1)), 0.992, 0.5)


def test_a_thyroid_with_the_head_down_is_named() -> None:
    (image,) = gland_negatives.thyroids(99, 1, 2)
    with pytest.raises(NoGlandError, match="a thyroid with the head down"):
        find_gland(image, GRID_MM, (2.0, 250.0))


@pytest.mark.parametrize(
    ("upright", "turned", "refused"),
    [(0.999, 0.9999, False), (0.9999, 1.0, False), (0.9, 0.999, True), (0.001, 0.4, False)],
)
def test_scores_that_differ_by_rounding_are_not_compared(
    monkeypatch: pytest.MonkeyPatch, upright: float, turned: float, refused: bool
) -> None:
    marked = Marked(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32), turned)
    monkeypatch.setattr(finder, "search", lambda _counts: marked)
    assert finder._is_head_down(np.zeros((1, 1)), upright, 0.5) is refused


def test_as_many_pixels_are_taken_as_the_probabilities_say() -> None:
    row = np.linspace(0, 1, 41, dtype=np.float32)
    right = np.zeros((60, 60), np.float32)
    right[10:50, 5:46] = np.minimum(row, row[::-1]) * 2
    marked = Marked(right, np.zeros_like(right), 1.0)
    mask, other = lobes(marked)
    assert mask.sum() == pytest.approx(right.sum(), rel=0.02)
    assert not other.any()


def test_a_field_larger_than_the_window_is_searched() -> None:
    example = gland_phantoms.draw(gland_phantoms.CASES[3], np.random.default_rng(4))
    grid = gland.field.to_grid(example.counts, (example.pixel_mm,) * 2)
    alone = find_gland(grid, GRID_MM, (2.0, 250.0))
    wide = np.zeros((grid.shape[0] + 120, grid.shape[1] + 160))
    wide[100 : 100 + grid.shape[0], 140 : 140 + grid.shape[1]] = grid
    found = find_gland(wide, GRID_MM, (2.0, 250.0))
    rows, columns = (np.nonzero(mask) for mask in (alone.whole, found.whole))
    assert columns[0].mean() - rows[0].mean() == pytest.approx(100, abs=2)
    assert columns[1].mean() - rows[1].mean() == pytest.approx(140, abs=2)


@pytest.mark.parametrize("width", [((64, 64), (64, 64)), ((0, 128), (0, 128)), ((128, 0), (40, 3))])
def test_a_matrix_that_was_enlarged_by_zeros_shows_the_same_gland(
    width: tuple[tuple[int, int], tuple[int, int]],
) -> None:
    counts = neck(128, 2.0, seed=2).astype(float)
    alone = find_gland(counts, GRID_MM, (2.0, 250.0))
    enlarged = find_gland(np.pad(counts, width), GRID_MM, (2.0, 250.0))
    assert 0.97 < enlarged.whole.sum() / alone.whole.sum() < 1.03
    with pytest.raises(NoGlandError, match="a thyroid with the head down"):
        find_gland(np.pad(counts, width)[::-1, ::-1], GRID_MM, (2.0, 250.0))


def test_a_source_in_air_is_in_a_field_of_its_own_size() -> None:
    line = np.arange(128) - 64
    rate = 400.0 * np.exp(-(line[:, None] ** 2 + line[None, :] ** 2) / 18)
    counts = np.random.default_rng(5).poisson(rate).astype(float)
    assert not counts[[0, -1]].any()
    with pytest.raises(NoGlandError):
        find_gland(counts, GRID_MM, (2.0, 250.0))


def test_an_image_without_a_gland_says_its_score() -> None:
    flat = np.random.default_rng(2).poisson(5.0, (128, 128)).astype(float)
    with pytest.raises(NoGlandError, match="no thyroid found in the image"):
        find_gland(flat, GRID_MM, (2.0, 250.0))
