"""Trainings of networks for the assessment of stability have a budget."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from thyrocast.config.reading import read_study
from thyrocast.config.study import StudyConfig
from thyrocast.errors import InputError
from thyrocast.planning import budget


def study(gpus: int, seeds: int, hours: float) -> StudyConfig:
    config = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))
    config["network"]["gpus"] = gpus
    config["stability"] = {"network_seeds": seeds, "network_hours": hours}
    return read_study(config)


def check(config: StudyConfig, networks: Sequence[int], folder: Path, minutes: int) -> None:
    budget.check(config, budget.of_stability(config, networks), folder, minutes)


def write(folder: Path, name: str, seconds: float) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.tsv").write_text(f"s\th:m:s\n{seconds}\t0:30:00\n", encoding="utf-8")


def test_measured_times_decide(tmp_path: Path) -> None:
    write(tmp_path / "all", "fold-1", 1700)
    write(tmp_path / "all", "fold-2", 1900)
    # 15 networks of half an hour
    check(study(0, 5, 7.5), [3] * 5, tmp_path, 6000)
    message = (
        "15 networks of 0.5 hours each, as this study's own trainings took, take about 7.5 hours, "
        r"expected at most 5 .*lower stability.network_seeds to 3, or raise stability.network_hours to 8"
    )
    with pytest.raises(InputError, match=message):
        check(study(0, 5, 5), [3] * 5, tmp_path, 6000)
    with pytest.raises(InputError, match="1 GPU hours each, .* take about 15 GPU hours"):
        check(study(2, 5, 8), [3] * 5, tmp_path, 6000)


def test_without_a_training_the_request_decides(tmp_path: Path) -> None:
    check(study(0, 2, 12), [3, 3], tmp_path, 120)
    with pytest.raises(
        InputError, match="2 hours each, as a training requests, take about 12 hours"
    ):
        check(study(0, 2, 11), [3, 3], tmp_path, 120)


@pytest.mark.parametrize(
    ("absent", "hours", "fitting"),
    [([0, 0, 0, 3, 3], 2, 4), ([0, 0, 0, 3, 3], 1, 3), ([0, 1, 0, 3, 3], 1, 3)],
)
def test_trainings_that_are_done_remain_in_the_number_of_seeds_that_fits(
    tmp_path: Path, absent: list[int], hours: float, fitting: int
) -> None:
    """Three of five trainings are done; networks take half an hour each."""
    write(tmp_path / "all", "full", 1800)
    with pytest.raises(InputError, match=rf"lower stability.network_seeds to {fitting}, or"):
        check(study(0, 5, hours), absent, tmp_path, 6000)
    check(study(0, fitting, hours), absent[:fitting], tmp_path, 6000)


def test_trainings_with_embeddings_are_done(tmp_path: Path) -> None:
    """Also if the models that are fitted to them are missing."""
    (tmp_path / "north" / "retrained" / "1").mkdir(parents=True)
    (tmp_path / "north" / "retrained" / "1" / "network.csv").touch()
    names = ["retrained/1", "retrained/2"]
    assert budget.absent(tmp_path, ["north", "south"], names, 3) == [3, 6]


def test_what_a_run_would_train_is_counted_from_its_jobs() -> None:
    """Results that exist do not matter: a change of code or settings trains them again."""
    outputs = [
        f"results/a/splits/kfold/{name}/network/{member}/{file}"
        for name in ("north/retrained/1", "south/retrained/1", "south/parts/gland_alone", "south")
        for member in ("fold-1", "fold-2")
        for file in ("weights.safetensors", "history.csv")
    ]
    outputs += ["results/a/report/report.html", "results/b/splits/kfold/north/retrained/1/x"]
    folder = Path("results/a/splits/kfold")
    assert budget.planned(outputs, folder, ["retrained/1", "retrained/2"]) == [4, 0]
    assert budget.planned(outputs, folder, ["parts/gland_alone"]) == [2]


def test_networks_of_the_controls_have_a_budget_of_their_own(tmp_path: Path) -> None:
    """Networks take two hours each; parts come first, and permutations share what remains."""
    config = study(0, 0, 1)
    for permuted, others, message in (
        ([1] * 10, 6, r"key controls.networks.permuted: 16 networks .* lower .*permuted to 6, or raise"),
        ([1] * 10, 13, r"key controls.networks.parts: 23 networks .*: ask for fewer parts, or raise"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            budget.check(config, budget.of_controls(config, permuted, others), tmp_path, 120)
    budget.check(config, budget.of_controls(config, [1] * 6, 6), tmp_path, 120)
