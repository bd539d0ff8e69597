"""Training: the same bits again, wherever it was killed, and nothing learned from others."""

import csv
import os
import shutil
import signal

import numpy as np
import pytest
import torch
from safetensors import safe_open

from thyrocast import fileio
from thyrocast.errors import InputError
from thyrocast.network import interruption, model, optimization, patients, training
from thyrocast.network import state as states


def _signal_at(monkeypatch, number, epoch, step):
    """Send this process a real signal in the middle of a step."""
    plain = training._Run._step

    def signalled(run, *batch):
        if (run.epoch, run.step) == (epoch, step):
            os.kill(os.getpid(), number)
        return plain(run, *batch)

    monkeypatch.setattr(training._Run, "_step", signalled)


def test_same_seed_gives_the_same_bits(cohort, trained, tmp_path):
    assert cohort.train(tmp_path) == (trained / "weights.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("number", "epoch", "step"), [(signal.SIGTERM, 0, 1), (signal.SIGUSR1, 1, 2)]
)
def test_stopped_training_goes_on_to_the_same_bits(
    cohort, trained, tmp_path, monkeypatch, caplog, number, epoch, step
):
    caplog.set_level("INFO", logger="thyrocast")
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        _signal_at(patch, number, epoch, step)
        with pytest.raises(interruption.Stopped) as stopped:
            cohort.train(tmp_path)
    assert stopped.value.code == 128 + number
    assert signal.getsignal(number) == before
    assert f"epoch {epoch + 1} of 2, {step + 1} of its 3 steps done" in caplog.text
    assert not (tmp_path / "full").exists()
    assert cohort.train(tmp_path) == (trained / "weights.safetensors").read_bytes()
    assert "going on from the saved state" in caplog.text
    assert not list((tmp_path / "state").iterdir()), "state is removed on success"
    assert _history(tmp_path / "full") == _history(trained)


def _history(folder):
    rows = fileio.read_csv(folder / "history.csv")
    return [{name: cell for name, cell in row.items() if name != "seconds"} for row in rows]


def test_stopped_mixed_precision_training_goes_on_to_the_same_bits(cohort, tmp_path, monkeypatch):
    """The GPU's path (bfloat16, channels-last) as far as a processor can take it."""
    options = {"precision": "bfloat16", "early_stopping": {"fraction": 0.3, "patience": 5}}
    options |= {"epochs": 2, "batch_size": 8}
    undisturbed = cohort.train(tmp_path / "a", **options)
    with monkeypatch.context() as patch:
        _signal_at(patch, signal.SIGTERM, 1, 0)
        with pytest.raises(interruption.Stopped):
            cohort.train(tmp_path / "b", **options)
    assert cohort.train(tmp_path / "b", **options) == undisturbed


def test_state_that_cannot_be_saved_costs_a_warning(cohort, trained, tmp_path, caplog):
    (tmp_path / "state").write_text("a file where the folder should be")
    assert cohort.train(tmp_path) == (trained / "weights.safetensors").read_bytes()
    assert "can't be saved" in caplog.text


def test_history_and_facts(trained):
    rows = list(csv.DictReader((trained / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [row["best"] for row in rows] == ["0", "1"]
    assert {row["validation_loss"] for row in rows} == {""}
    network, normalization, facts = model.load(trained / "weights.safetensors")
    assert (facts["patients"], facts["cured"], facts["size"]) == (12, 4, 32)
    assert facts["member"] == "full"
    assert normalization.std > 0
    assert not network.training
    with safe_open(trained / "weights.safetensors", framework="pt") as file:
        assert file.get_slice("conv1.weight").get_shape() == [64, 1, 7, 7]


def test_early_stopping_keeps_the_best_epoch(cohort, tmp_path, monkeypatch):
    losses = iter([0.5, 0.4, 0.9, 0.9, 0.9, 0.9])
    weights = []
    plain = training._Run._watch

    def told(run):
        weights.append(run.network.fc.weight.detach().clone())
        return plain(run) | {"validation_loss": next(losses)}

    monkeypatch.setattr(training._Run, "_watch", told)
    watch = {"fraction": 0.3, "patience": 2}
    cohort.train(tmp_path, epochs=6, batch_size=12, early_stopping=watch)
    rows = fileio.read_csv(tmp_path / "full" / "history.csv")
    assert [row["best"] for row in rows] == ["0", "1", "0", "0"]
    network, _, facts = model.load(tmp_path / "full" / "weights.safetensors")
    assert torch.equal(network.fc.weight, weights[1])
    assert facts["watching"] == 3


def test_test_patients_change_nothing(cohort, make_cohort, trained, tmp_path):
    other = make_cohort()
    images = np.load(other.folder / "images.npy")
    images[3::4] *= 50
    np.save(other.folder / "images.npy", images)
    rows = fileio.read_csv(other.folder / "cohort.csv")
    for row in rows[3::4]:
        row["outcome"] = ""
    fileio.write_csv(other.folder / "cohort.csv", list(rows[0]), rows)
    assert other.train(tmp_path) == (trained / "weights.safetensors").read_bytes()


def test_members_start_alike_and_leave_their_fold_out(cohort):
    split = patients.read_split(
        **{k: v for k, v in cohort.inputs().items() if k != "masks"}, design="loco", split="south"
    )
    fold = patients.training_patients(split, "fold-2")
    assert set(fold.fold) == {"1", "3"}
    assert set(fold.set) == {"train"}
    assert len(patients.training_patients(split, "full")) == 12
    with pytest.raises(InputError, match="fold-9"):
        patients.training_patients(split, "fold-9")


def test_one_outcome_is_one_clear_error(make_cohort, tmp_path):
    lonely = make_cohort(outcomes=["1"] * 16)
    with pytest.raises(InputError, match=r"loco/south.*12 training patients, 12 of them cured"):
        lonely.train(tmp_path)


def test_damaged_state_gives_way_to_the_one_before(tmp_path, caplog):
    caplog.set_level("WARNING", logger="thyrocast")
    for step in (1, 2, 3):
        progress = {"epoch": step}
        newest = states.save(tmp_path, states.State(step, {"x": torch.tensor([step])}, progress))
    assert len(list(tmp_path.iterdir())) == 2, "two generations are kept"
    newest.write_bytes(newest.read_bytes()[:-3])
    state = states.load(tmp_path)
    assert (state.step, state.progress, state.tensors["x"].item()) == (2, {"epoch": 2}, 2)
    assert "damaged" in caplog.text
    for path in tmp_path.iterdir():
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    assert states.load(tmp_path) is None


def test_state_survives_its_folder_vanishing(tmp_path, monkeypatch):
    """Another job that finishes the same training removes the folder under our feet."""
    folder = tmp_path / "state"
    plain = states._digest
    gone = []

    def vanish(path):
        if not gone:
            gone.append(shutil.rmtree(folder))
        return plain(path)

    monkeypatch.setattr(states, "_digest", vanish)
    states.save(folder, states.State(4, {"x": torch.ones(2)}, {}))
    assert states.load(folder).step == 4


def test_forgotten_states_are_swept(tmp_path):
    for name in ("old", "new"):
        path = states.save(tmp_path / name, states.State(1, {"x": torch.ones(1)}, {}))
        if name == "old":
            for aged in (path, path.parent):
                os.utime(aged, (0, 0))
    states.sweep(tmp_path)
    states.sweep(tmp_path / "lacking")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_key_tells_trainings_apart(cohort):
    files = {k: v for k, v in cohort.inputs().items() if k != "masks"}
    split = patients.read_split(**files, design="loco", split="south")
    full = patients.training_patients(split, "full")
    first = states.key(full, {"seed": 1})
    assert states.key(full, {"seed": 1}) == first
    assert states.key(full, {"seed": 2}) != first
    assert states.key(patients.training_patients(split, "fold-1"), {"seed": 1}) != first


@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 9, 33, 140])
@pytest.mark.parametrize("batch_size", [2, 4, 16])
def test_no_batch_of_one(n, batch_size):
    sizes = [
        len(part)
        for part in np.array_split(np.arange(n), optimization.steps_per_epoch(n, batch_size))
    ]
    assert min(sizes) >= 2
    assert max(sizes) <= max(n if n < 2 * batch_size else 0, 1.5 * batch_size)


def test_learning_rate_warms_up_and_falls_to_zero():
    settings = {"learning_rate": 2.0, "warmup": 0.2}
    rates = [optimization.learning_rate(step, 50, settings) for step in range(50)]
    assert rates[0] < rates[5] < rates[9] < 2.0
    assert max(rates) == rates[10] == 2.0
    assert np.all(np.diff(rates[10:]) < 0)
    assert rates[-1] < 0.01


def test_class_weights_are_even_and_corrected():
    outcome = np.array([1.0] * 30 + [0.0] * 10)
    weights = optimization.class_weights(outcome, "weighted")
    assert weights.cured * 30 == pytest.approx(weights.not_cured * 10) == 20
    # A network that knows nothing ends at even odds; corrected, at the cohort's own.
    assert 1 / (1 + np.exp(-weights.correction)) == pytest.approx(0.75)
    assert optimization.class_weights(outcome, "none") == optimization.ClassWeights(1, 1, 0)


def test_watching_patients_are_stratified(cohort):
    files = {k: v for k, v in cohort.inputs().items() if k != "masks"}
    full = patients.training_patients(
        patients.read_split(**files, design="loco", split="south"), "full"
    )
    fitted, watching = patients.hold_out(full, 0.34, seed=1)
    assert sorted([*fitted, *watching]) == list(range(12))
    assert full.outcome[watching].sum() == 1
    assert len(watching) == 4
    assert len(patients.hold_out(full, 0.0, seed=1)[1]) == 0


def test_best_epoch_is_smoothed_and_after_the_warm_up():
    assert optimization.best_epoch([], 0) == 0
    assert optimization.best_epoch([0.7, 0.4, 0.9, 0.4], 0) == 2
    assert optimization.best_epoch([0.1, 0.8, 0.7, 0.6, 0.5, 0.9], 2) == 5
    assert optimization.best_epoch([0.1, 0.8], 5) == 2


def test_auc_counts_ties_half():
    outcome = np.array([0.0, 0, 1, 1])
    assert optimization.auc(outcome, np.array([1.0, 2, 3, 4])) == 1
    assert optimization.auc(outcome, np.array([1.0, 1, 1, 1])) == 0.5
    assert optimization.auc(outcome, np.array([1.0, 3, 2, 4])) == 0.75


def test_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert model.choose_device(0).type == "cpu"
    with pytest.raises(InputError, match=r"network\.gpus is 1.*allow_cpu"):
        model.choose_device(1)
    assert model.choose_device(1, allow_cpu=True).type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert model.choose_device(2, rank=1) == torch.device("cuda", 1)
    with pytest.raises(InputError, match=r"network\.gpus is 4.*sees 2 GPU.*on one node"):
        model.choose_device(4, allow_cpu=True)


def test_precise_statistics_are_the_plain_average():
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(2))
    batches = [torch.randn(4, 2, 3, 3) + shift for shift in range(3)]
    with optimization.precise_statistics(network), torch.no_grad():
        for batch in batches:
            network(batch)
    mean = torch.stack([batch.mean(dim=(0, 2, 3)) for batch in batches]).mean(dim=0)
    torch.testing.assert_close(network[0].running_mean, mean)
    assert network[0].momentum == 0.1
