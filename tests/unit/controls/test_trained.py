"""Networks that were trained on permuted outcomes and on parts of the images."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.controls import example_splits
from tests.unit.controls.test_sources import SIZE, people
from thyrocast.config.controls import ControlsConfig, Strata
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.control_names import ImagePart
from thyrocast.contract.splits import LOGITS
from thyrocast.controls import hiding, shuffled, trained
from thyrocast.controls.inputs import ControlSplit
from thyrocast.errors import InputError
from thyrocast.report.grids import control_grids
from thyrocast.statistics import discrimination

LEAST = MinimumCountConfig()
PARTS = tuple(ImagePart)


def write(path: Path, split: ControlSplit, odds: dict[str, np.ndarray]) -> Path:
    """Log-odds of the test patients by members, in another order than the split's."""
    rows = [
        {"patient": p, "set": "test", "fold": None, "member": member, "logit": float(values[i])}
        for member, values in odds.items()
        for i, p in reversed(list(enumerate(split.test.patient)))
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    io.write(LOGITS, io.build(LOGITS, rows), path)
    return path


def networks(
    folder: Path, split: ControlSplit, strength: dict[str, float], seed: int = 0, permuted: int = 3
) -> trained.Networks:
    """Two members of the study, and networks whose log-odds show the outcome with a strength."""
    random = np.random.default_rng(seed)
    outcome, n = split.test.outcome, len(split.test.outcome)

    def of(name: str, members: tuple[str, ...], by: float) -> Path:
        odds = {m: by * outcome + random.normal(size=n) for m in members}
        return write(folder / split.split / name / "network.csv", split, odds)

    both = ("fold-1", "fold-2")
    return trained.Networks(
        of("study", both, strength["study"]),
        [of(f"permuted/{i}", both[:1], strength["permuted"]) for i in range(permuted)],
        {part: of(part.value, both, strength[part]) for part in PARTS},
    )


STRENGTH = {
    "study": 2.0, "permuted": 0.0, "gland_alone": 0.3, "gland_masked": 0.2, "background_alone": 2.5,
}  # fmt: skip
CONFIG = ControlsConfig.read(
    {"models": ["ridge"], "permutations": 19, "networks": {"permuted": 3, "parts": list(PARTS)}}
)


def test_the_first_members_network_is_compared_with_those_of_permuted_outcomes(
    tmp_path: Path,
) -> None:
    split = example_splits.split(n_test=60)
    files = networks(tmp_path, split, STRENGTH)
    found = trained.null(split, files, CONFIG, seed=1)
    assert found is not None
    own = io.read(LOGITS, files.study).set_index(["member", "patient"])["logit"]
    expected = discrimination.auc(split.test.outcome, own["fold-1"][list(split.test.patient)])
    assert found.observed == pytest.approx(expected)
    assert found.observed > 0.8 > 0.7 > found.permuted.max()
    shown, permutations = shuffled.run(
        [split], CONFIG, SignatureConfig(), LEAST, seed=1, networks={"1": found}
    )
    row = shown.set_index("model").loc["network"]
    assert (row["permutations"], row["p_value"], row["p_value_both"]) == (3, 0.25, 0.25)
    assert (permutations["model"] == "network").sum() == 3


def test_parts_are_compared_with_the_whole_image_and_with_the_gland(tmp_path: Path) -> None:
    split = example_splits.split(n_test=60)
    files = {"1": networks(tmp_path, split, STRENGTH)}
    rows = trained.parts([split], files, CONFIG, LEAST).set_index("control")
    assert (rows["networks"] == 2).all()
    assert (rows["n"] == 60).all()
    assert rows.loc["background_alone", "finding"] == "better_than_gland"
    assert rows.loc["gland_masked", "finding"] == "not_better"
    assert rows.loc["gland_alone", "difference_high"] < 0
    assert rows["ci_low"].lt(rows["auc"]).all()
    assert rows["ci_high"].gt(rows["auc"]).all()
    odds = [
        io.read(LOGITS, file).groupby("patient")["logit"].mean()[list(split.test.patient)]
        for file in (files["1"].parts[ImagePart.GLAND_ALONE], files["1"].study)
    ]
    paired = discrimination.paired_test(split.test.outcome, *odds)
    assert rows.loc["gland_alone", "difference"] == pytest.approx(paired.difference, abs=1e-5)
    assert rows.loc["gland_alone", "difference_low"] == pytest.approx(paired.low, abs=1e-5)
    (sentence,) = control_grids.alarms(rows.reset_index())
    assert sentence.startswith("Networks trained on a part: Background alone, all patients")
    assert trained.parts([split], files, ControlsConfig(), LEAST).empty


def test_splits_are_joined_with_an_interval_if_nobody_is_tested_twice(tmp_path: Path) -> None:
    apart = [example_splits.split(seed, name=str(seed)) for seed in (1, 2)]
    files = {one.split: networks(tmp_path, one, STRENGTH, int(one.split)) for one in apart}
    rows = trained.parts(apart, files, CONFIG, LEAST).set_index(["split", "control"])
    whole = rows["auc"].xs("whole_image", level="control")
    assert min(whole["1"], whole["2"]) < whole["all"] < max(whole["1"], whole["2"])
    width = (rows["ci_high"] - rows["ci_low"]).xs("gland_alone", level="control")
    assert width["all"] < 0.8 * min(width["1"], width["2"])
    assert rows.loc[("all", "gland_alone"), "n"] == 80
    same = [apart[0], dataclasses.replace(apart[0], split="2")]
    files = {one.split: networks(tmp_path, one, STRENGTH, int(one.split)) for one in same}
    twice = trained.parts(same, files, CONFIG, LEAST).set_index(["split", "control"]).loc["all"]
    assert twice["ci_low"].isna().all()
    assert (twice["note"] == "no interval: test sets share patients").all()


@pytest.mark.parametrize("strata", list(Strata))
def test_outcomes_of_training_patients_only_are_permuted(strata: Strata) -> None:
    cohort = example_splits.split(n=60, n_test=2).train.cohort
    tested = cohort["patient"].iloc[40:]
    splits = pd.DataFrame(
        {
            "design": "kfold",
            "split": "1",
            "patient": cohort["patient"],
            "set": np.where(cohort["patient"].isin(tested), "test", "train"),
        }
    )
    found = trained.permute_training(cohort, splits, ("kfold", "1"), strata, seed=5)
    assert found["outcome"].iloc[40:].equals(cohort["outcome"].iloc[40:])
    assert not found["outcome"].equals(cohort["outcome"])
    assert found.drop(columns="outcome").equals(cohort.drop(columns="outcome"))
    by_center = [one["outcome"].groupby(one["center"]).sum().tolist() for one in (found, cohort)]
    assert (by_center[0] == by_center[1]) or strata is Strata.NONE


def hidden(folder: Path, part: ImagePart) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    who = people(n=40)
    images, masks = who.pictures.images, who.pictures.glands.astype(np.uint8)
    for name, array in (("images", images), ("masks", masks)):
        np.save(folder / f"{name}.npy", array)
    shown, known = folder / part / "images.npy", folder / part / "masks.npy"
    hiding.hide(folder / "images.npy", folder / "masks.npy", part, 160.0, shown, known)
    return images, masks > 0, np.load(shown), np.load(known)


@pytest.mark.parametrize("part", PARTS)
def test_a_network_sees_one_part_only(
    tmp_path: Path, part: ImagePart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hiding, "CHUNK", 7)
    images, gland, shown, known = hidden(tmp_path, part)
    assert shown.dtype == np.float32
    if part is ImagePart.GLAND_ALONE:
        np.testing.assert_array_equal(shown, images * gland)
        assert (known > 0).sum() == gland.sum()
        return
    assert not known.any()
    # What was in the gland changes nothing, neither there nor in the scale of an image.
    assert np.ptp(shown[gland].reshape(len(images), -1), axis=1).max() < 1e-6
    mean = shown.reshape(len(images), -1).mean(axis=1)
    assert np.ptp(mean) < 0.05 * mean.mean()
    # The unit is that of the images.
    assert 0.1 < np.median(shown[shown > 0]) < 0.3


def test_glands_that_cover_the_image_leave_no_background_for_networks(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.ones((3, SIZE, SIZE), dtype=np.float32))
    np.save(tmp_path / "masks.npy", np.ones((3, SIZE, SIZE), dtype=np.uint8))
    files = [tmp_path / name for name in ("images.npy", "masks.npy", "a.npy", "b.npy")]
    with pytest.raises(InputError, match=r"controls.networks.parts: .* remove background_alone"):
        hiding.hide(*files[:2], ImagePart.BACKGROUND_ALONE, 160.0, *files[2:])
