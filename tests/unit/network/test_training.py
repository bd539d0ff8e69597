"""Training: the same bits again, wherever it was interrupted, and nothing learned from others."""

import dataclasses
import os
import shutil
import signal

import numpy as np
import pytest
import torch
from safetensors import safe_open

from thyrocast.config.network import Imbalance, NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import HISTORY
from thyrocast.errors import InputError
from thyrocast.network import image_set, interruption, model, optimization, training
from thyrocast.network import state as states
from thyrocast.network.record import Epoch


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


def test_where_a_network_is_trained_is_not_part_of_its_state():
    """Moving the folder of pretrained networks discards no state of a training."""

    def determining(**settings):
        return NetworkConfig.read(settings).determining()

    moved = determining(gpus=2, threads=3, allow_cpu=True, simulation={"folder": "/elsewhere"})
    assert moved == determining()
    assert determining(simulation={"phantoms": 1000}) != moved


@pytest.mark.parametrize(
    ("number", "epoch", "step"), [(signal.SIGTERM, 0, 1), (signal.SIGUSR1, 1, 2)]
)
def test_stopped_training_resumes_to_the_same_bits(
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
    assert "resuming from the saved state" in caplog.text
    assert not list((tmp_path / "state").iterdir()), "state is removed on success"
    assert _history(tmp_path / "full") == _history(trained)


def _history(folder):
    history = io.read(HISTORY, folder / "history.csv")
    return history.drop(columns="seconds").to_csv()


def test_stopped_mixed_precision_training_resumes_to_the_same_bits(cohort, tmp_path, monkeypatch):
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
    assert "cannot be saved" in caplog.text


def test_history_and_facts(trained):
    history = io.read(HISTORY, trained / "history.csv")
    assert list(history["epoch"]) == [1, 2]
    assert list(history["best"]) == [False, True]
    assert history["validation_loss"].isna().all()
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
    plain = training._Run._validate

    def scripted(run):
        weights.append(run.network.fc.weight.detach().clone())
        return plain(run)._replace(loss=next(losses))

    monkeypatch.setattr(training._Run, "_validate", scripted)
    stopping = {"fraction": 0.3, "patience": 2}
    cohort.train(tmp_path, epochs=6, batch_size=12, early_stopping=stopping)
    history = io.read(HISTORY, tmp_path / "full" / "history.csv")
    assert list(history["best"]) == [False, True, False, False]
    assert list(history["validation_loss"]) == [0.5, 0.4, 0.9, 0.9]
    assert history["validation_auc"].between(0, 1).all()
    network, _, facts = model.load(tmp_path / "full" / "weights.safetensors")
    assert torch.equal(network.fc.weight, weights[1])
    assert facts["watching"] == 3


def test_test_patients_change_nothing(cohort, make_cohort, trained, tmp_path):
    other = make_cohort()
    images = np.load(other.folder / "images.npy")
    images[3::4] *= 50
    np.save(other.folder / "images.npy", images)
    rows = io.read(COHORT, other.folder / "cohort.csv")
    rows.loc[3::4, "outcome"] = None
    io.write(COHORT, rows, other.folder / "cohort.csv")
    assert other.train(tmp_path) == (trained / "weights.safetensors").read_bytes()


def test_members_do_not_contain_their_fold(cohort):
    split = image_set.read_split(
        **{k: v for k, v in cohort.inputs().items() if k != "masks"}, design="loco", split="south"
    )
    fold = image_set.training_set(split, "fold-2")
    assert set(fold.fold) == {1, 3}
    assert set(fold.set) == {"train"}
    assert len(image_set.training_set(split, "full")) == 12
    for unknown in ("fold-9", "fold-0", "half"):
        with pytest.raises(InputError, match=f"member {unknown} is unknown"):
            image_set.training_set(split, unknown)


def test_one_outcome_is_one_clear_error(make_cohort, tmp_path):
    lonely = make_cohort(outcomes=[1] * 16)
    with pytest.raises(InputError, match=r"loco/south.*12 training patients, 12 of them cured"):
        lonely.train(tmp_path)


def test_damaged_state_is_replaced_by_the_previous_one(tmp_path, caplog):
    caplog.set_level("WARNING", logger="thyrocast")
    for step in (1, 2, 3):
        progress = states.Progress(epoch=step, history=(Epoch(1, 0.1, 0.7, None, None, 2.0),))
        newest = states.save(
            tmp_path, states.TrainingState(step, {"x": torch.tensor([step])}, progress)
        )
    assert len(list(tmp_path.iterdir())) == 2, "two generations are kept"
    newest.write_bytes(newest.read_bytes()[:-3])
    state = states.load(tmp_path)
    expected = dataclasses.replace(progress, epoch=2)
    assert (state.step, state.progress, state.tensors["x"].item()) == (2, expected, 2)
    assert "damaged" in caplog.text
    for path in tmp_path.iterdir():
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    assert states.load(tmp_path) is None


def test_state_survives_its_folder_vanishing(tmp_path, monkeypatch):
    """Another job that finishes the same training removes the folder while this one writes."""
    folder = tmp_path / "state"
    plain = states._digest
    gone = []

    def vanish(path):
        if not gone:
            gone.append(shutil.rmtree(folder))
        return plain(path)

    monkeypatch.setattr(states, "_digest", vanish)
    states.save(folder, states.TrainingState(4, {"x": torch.ones(2)}, states.Progress()))
    assert states.load(folder).step == 4


def test_state_that_another_job_removes_while_it_is_read_is_skipped(tmp_path, monkeypatch):
    states.save(tmp_path, states.TrainingState(1, {"x": torch.ones(2)}, states.Progress()))
    newest = states.save(tmp_path, states.TrainingState(2, {"x": torch.ones(2)}, states.Progress()))
    plain = states.safetensors.safe_open

    def removed(path, **options):
        newest.unlink(missing_ok=True)
        return plain(path, **options)

    monkeypatch.setattr(states.safetensors, "safe_open", removed)
    assert states.load(tmp_path).step == 1


def test_old_states_are_removed(tmp_path):
    for name in ("old", "new"):
        path = states.save(
            tmp_path / name, states.TrainingState(1, {"x": torch.ones(1)}, states.Progress())
        )
        if name == "old":
            for aged in (path, path.parent):
                os.utime(aged, (0, 0))
    states.sweep(tmp_path)
    states.sweep(tmp_path / "missing")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_key_differs_between_trainings(cohort):
    files = {k: v for k, v in cohort.inputs().items() if k != "masks"}
    split = image_set.read_split(**files, design="loco", split="south")
    full = image_set.training_set(split, "full")
    first = states.key(full, {"seed": 1})
    assert states.key(full, {"seed": 1}) == first
    assert states.key(full, {"seed": 2}) != first
    assert states.key(image_set.training_set(split, "fold-1"), {"seed": 1}) != first


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
    settings = NetworkConfig(learning_rate=1.0, warmup=0.2)
    rates = [optimization.learning_rate(step, 50, settings) for step in range(50)]
    assert rates[0] < rates[5] < rates[9] < 1.0
    assert max(rates) == rates[10] == 1.0
    assert np.all(np.diff(rates[10:]) < 0)
    assert rates[-1] < 0.01


def test_class_weights_are_even_and_corrected():
    outcome = np.array([1.0] * 30 + [0.0] * 10)
    weights = optimization.class_weights(outcome, Imbalance.WEIGHTED)
    assert weights.cured * 30 == pytest.approx(weights.not_cured * 10) == 20
    # A network without information ends at even odds; corrected, at those of the cohort.
    assert 1 / (1 + np.exp(-weights.correction)) == pytest.approx(0.75)
    assert optimization.class_weights(outcome, Imbalance.NONE) == optimization.ClassWeights(1, 1, 0)


def test_held_out_patients_are_stratified(cohort):
    files = {k: v for k, v in cohort.inputs().items() if k != "masks"}
    full = image_set.training_set(
        image_set.read_split(**files, design="loco", split="south"), "full"
    )
    fitted, held_out = image_set.hold_out(full, 0.34, seed=1)
    assert sorted([*fitted, *held_out]) == list(range(12))
    assert full.outcome[held_out].sum() == 1
    assert len(held_out) == 4
    assert len(image_set.hold_out(full, 0.0, seed=1)[1]) == 0


def test_best_epoch_is_smoothed_and_after_the_warm_up():
    assert optimization.best_epoch([], 0) == 0
    assert optimization.best_epoch([0.7, 0.4, 0.9, 0.4], 0) == 2
    assert optimization.best_epoch([0.1, 0.8, 0.7, 0.6, 0.5, 0.9], 2) == 5
    assert optimization.best_epoch([0.1, 0.8], 5) == 2


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


@pytest.mark.parametrize("fraction", [0, 0.3])
def test_a_loss_that_is_not_finite_stops_with_step_epoch_and_learning_rate(
    cohort, tmp_path, monkeypatch, fraction
):
    """No epoch of such a training is chosen, and nothing of it is written."""
    plain = training._Run._step

    def diverge(run, *batch):
        if (run.epoch, run.step) == (1, 0):
            with torch.no_grad():
                run.network.fc.weight.fill_(float("nan"))
        return plain(run, *batch)

    monkeypatch.setattr(training._Run, "_step", diverge)
    stopping = {"fraction": fraction, "patience": 1}
    with pytest.raises(
        InputError,
        match=r"in epoch 2, step 1 of \d is not .* at a learning rate of .*lower network",
    ):
        cohort.train(tmp_path, early_stopping=stopping)
    assert not (tmp_path / "full").exists()
    monkeypatch.undo()
    # what was saved before the failure is sound: a rerun resumes from it
    assert cohort.train(tmp_path, early_stopping=stopping)


def test_a_batch_too_large_for_the_gpu_names_the_batch_size(cohort, tmp_path, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(training._Run, "_step", full)
    with pytest.raises(InputError, match=r"batch_size 4, .*set network.batch_size to 2 or less"):
        cohort.train(tmp_path)


def test_too_little_memory_of_the_gpu_is_wrong_input():
    with (
        pytest.raises(InputError, match=r"GPU's memory.* is too small for 32 images: lower x"),
        model.enough_memory("32 images: lower x"),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")
