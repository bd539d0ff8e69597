"""Parts of images, acquisition, planted effects and the center probe."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from tests.unit.controls import example_splits
from thyrocast.config.controls import ControlsConfig
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract.control_names import Control, Harmonized, ProbeSource
from thyrocast.controls import learners, noise, pictures, probe, sources
from thyrocast.signature import ridge_head
from thyrocast.statistics import partition

LEAST = MinimumCountConfig()
SIZE = 24
CONFIG = ControlsConfig.read({"permutations": 99})


def people(seed: int = 0, n: int = 60, signal: float = 0.0) -> sources.People:
    """Patients of two centers with two lobes, brighter in the cured by ``signal``."""
    random = np.random.default_rng(seed)
    side = example_splits.side(random, n, 3)
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    lobes = np.minimum((x - 3) ** 2, (x + 3) ** 2) / 4 + y**2 / 25 < 1
    level = 1 + signal * side.outcome + random.normal(0, 0.2, n)
    images = 0.2 + lobes * level[:, None, None] + random.normal(0, 0.05, (n, SIZE, SIZE))
    cohort = side.cohort.assign(matrix=pd.array([128] * n, dtype="Int64"), tc_activity_mbq=70.0)
    shown = pictures.take(
        images.astype(np.float32),
        np.tile(lobes, (n, 1, 1)).astype(np.uint8),
        np.arange(n),
        160 / SIZE,
    )
    return sources.People(cohort, side.outcome, shown)


def run(who: sources.People) -> pd.DataFrame:
    table = sources.run(who, CONFIG, SignatureConfig(), LEAST, seed=1)
    return table.set_index(["control", "group"])


def test_a_marker_in_the_cured_of_one_center_is_found_there() -> None:
    who = people()
    marked = who.pictures.marked((who.outcome == 1) & (who.center == "b"))
    rows = run(dataclasses.replace(who, pictures=marked))
    assert rows.loc[("background_alone", "b"), "finding"] == "better_than_gland"
    assert rows.loc[("background_alone", "b"), "auc"] > 0.9
    assert rows.loc[("background_alone", "a"), "finding"] == "not_better"
    assert rows.loc[("planted_marker", "a"), "finding"] == "found"


def test_where_nothing_is_nothing_is_found() -> None:
    rows = run(people(seed=3))
    assert (rows["p_value"].dropna() > 0.01).all()
    assert set(rows["finding"]) <= {"none", "chance", "not_better", "found"}


def test_a_signal_of_the_gland_is_not_one_of_the_background() -> None:
    rows = run(people(signal=0.8))
    assert rows.loc[("gland_alone", ""), "p_value"] == 0.01
    assert rows.loc[("whole_image", ""), "auc"] > 0.9
    assert rows.loc[("background_alone", ""), "p_value"] > 0.01
    assert rows.loc[("background_alone", ""), "finding"] == "not_better"


def test_an_acquisition_that_shows_the_outcome_is_reported() -> None:
    who = people()
    cohort = who.cohort.assign(duration_s=300 + 200 * who.outcome)
    rows = run(dataclasses.replace(who, cohort=cohort))
    assert rows.loc[("acquisition", ""), "finding"] == "above_chance"
    assert rows.loc[("counts", ""), "finding"] == "none"


def test_glands_that_cover_the_image_leave_no_background() -> None:
    who = people()
    whole = dataclasses.replace(who.pictures, background=np.zeros((SIZE, SIZE), dtype=bool))
    with pytest.raises(pictures.NoBackgroundError):
        whole.part(Control.BACKGROUND_ALONE)


def test_blocks_are_means_of_the_used_pixels() -> None:
    images = np.arange(2 * 26 * 26, dtype=float).reshape(2, 26, 26)
    used = np.ones((26, 26), dtype=bool)
    used[:, 20:] = False
    found = pictures._blocks(images, used)
    assert found.shape == (2, 144)
    edges = np.linspace(0, 26, 13).round().astype(int)
    first = images[0, edges[3] : edges[4], edges[2] : edges[3]].mean()
    assert found[0, 3 * 12 + 2] == pytest.approx(first)
    assert found[0, 11] == 0


def test_cross_fitted_odds_are_on_the_scale_of_all_patients() -> None:
    who = people(signal=0.3)
    features = who.pictures.part(Control.GLAND_ALONE)
    found = learners.cross_fitted(learners.pixels(features), who.outcome[None], who.center, 7)[0]

    def odds(rows: np.ndarray) -> np.ndarray:
        intercept, weights = ridge_head.fit(features[rows], who.outcome[rows])
        return intercept + features @ weights

    folds = partition.deal(who.center, learners.FOLDS, 7)
    whole = odds(np.ones(len(folds), dtype=bool))
    for fold in range(learners.FOLDS):
        part, used = odds(folds != fold), folds != fold
        unit = (part - part[used].mean()) / part[used].std()
        expected = whole.mean() + whole.std() * unit
        np.testing.assert_allclose(found[~used], expected[~used], atol=1e-6)


def test_noise_gives_chance_and_a_planted_feature_is_found() -> None:
    one = example_splits.split(n=70, n_test=50, features=120)
    rows = noise.run(one, SignatureConfig(), True, 1).set_index("control")
    assert rows.loc["noise", "finding"] == "chance"
    assert rows.loc["noise", "ci_low"] < 0.5 < rows.loc["noise", "ci_high"]
    assert rows.loc["planted_feature", "finding"] == "found"
    assert rows.loc["planted_feature", "auc"] > 0.95


def test_the_center_probe_finds_the_center() -> None:
    random = np.random.default_rng(2)
    center = np.array(["a", "b", "c"])[np.arange(90) % 3]
    plain = random.normal(size=(90, 40))
    shifted = plain + 2.0 * (center == "c")[:, None]
    found = probe.run(
        center,
        {
            (ProbeSource.EMBEDDINGS, Harmonized.NONE): learners.pixels(shifted),
            (ProbeSource.EMBEDDINGS, Harmonized.ZSCORE): learners.within_centers(shifted, center),
            (ProbeSource.EMBEDDINGS, Harmonized.COMBAT): learners.within_centers(
                shifted, center, "combat"
            ),
            (ProbeSource.WHOLE_IMAGE, Harmonized.NONE): learners.pixels(plain),
        },
        LEAST,
        seed=1,
    )
    assert not found.duplicated(["source", "harmonization"]).any()
    for method in ("zscore", "combat"):
        alike = found[found["harmonization"] == method].iloc[0]
        # Each patient of fold k is compared with means without fold k: no center is recognized.
        assert alike["accuracy"] < 0.45
    found = found[found["harmonization"] == "none"].set_index("source")
    # The third center is always recognized, the others by chance.
    assert found.loc["embeddings", "accuracy"] == pytest.approx(2 / 3, abs=0.12)
    assert found.loc["whole_image", "accuracy"] == pytest.approx(1 / 3, abs=0.15)
    assert found.loc["embeddings", "auc"] > found.loc["whole_image", "auc"] + 0.15
    alone = probe.run(
        np.array(["a"] * 90),
        {(ProbeSource.EMBEDDINGS, Harmonized.NONE): learners.pixels(plain)},
        LEAST,
        1,
    )
    assert alone["status"].tolist() == ["not_estimable"]


@pytest.mark.parametrize(("skewed", "found"), [(True, True), (False, False)])
def test_the_probe_of_equal_means_and_spreads_sees_other_distributions_only(
    skewed: bool, found: bool
) -> None:
    random = np.random.default_rng(5)
    center = np.array(["a", "b"])[np.arange(120) % 2]
    features = random.normal(size=(120, 30))
    other = random.exponential(size=(60, 30)) if skewed else random.normal(size=(60, 30))
    features[center == "b"] = 3.0 + 5.0 * other
    # Dead in one center: that its spread cannot be made equal is no finding.
    features[center == "b", 0] = 2.0
    rows = probe.run(
        center,
        {(ProbeSource.EMBEDDINGS, Harmonized.ZSCORE): learners.within_centers(features, center)},
        LEAST,
        seed=1,
    )
    assert bool(rows.loc[0, "accuracy"] > 0.75) is found
    if not found:
        assert rows.loc[0, "ci_low"] < 0.5 < rows.loc[0, "ci_high"]
