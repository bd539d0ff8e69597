"""Data-parallel training: real processes on the processor, as many as the config names GPUs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import ROOT
from thyrocast import seeds
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.splits import HISTORY
from thyrocast.network import image_set, model, optimization, parallel, training

# A job as the rule starts it: a script of its own, whose processes start in it.
SCRIPT = """
import json, sys
from pathlib import Path
import train_network
from thyrocast import log
from thyrocast.config.network import NetworkConfig
given = json.loads(sys.argv[1])
given["settings"] = NetworkConfig.read(given["settings"])
paths = {name: Path(given.pop(name)) for name in list(given) if isinstance(given[name], str)}
job = (paths.pop("log"), "train_network", ("loco", "south", "full"))
log.start(*job)
train_network.run(**paths, **given, design="loco", split="south", member="full", job=job)
"""
# A training takes seconds; a busy machine needs longer.
LONGEST_S = 400
SETTINGS = {"gpus": 2, "allow_cpu": True, "epochs": 5, "batch_size": 6}


class Job:
    """A training in separate processes, and the files that it writes to a folder."""

    def __init__(self, cohort, out, settings):
        self.out = out
        self.weights = out / "weights.safetensors"
        self.log = out / "job.log"
        self.log.unlink(missing_ok=True)
        given = {name: str(path) for name, path in cohort.inputs().items()}
        given |= {"weights": str(self.weights), "history": str(out / "history.csv")}
        given |= {"log": str(self.log), "state": str(out / "state")}
        given |= {
            "settings": cohort.settings.plain() | SETTINGS | settings,
            "seed": 7,
            "threads": 2,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, json.dumps(given)],
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(
                    str(ROOT / "workflow" / part) for part in ("lib", "scripts")
                )
            },
        )

    def until(self, words):
        """Wait until the log contains these words."""
        end = time.monotonic() + LONGEST_S
        while not self.log.exists() or words not in self.log.read_text():
            assert time.monotonic() < end, self.log.read_text()
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)

    def workers(self):
        """Ids of the processes that train."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [
            int(child)
            for child in children
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def finish(self):
        """Wait for its end; return its exit status."""
        return self.process.wait(LONGEST_S)


@pytest.fixture(scope="module")
def parallel_cohort(make_cohort):
    return make_cohort(n=32)


def test_stopped_and_killed_processes_resume_to_the_same_bits(parallel_cohort, tmp_path):
    options = {"early_stopping": {"fraction": 0.3, "patience": 9}}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    undisturbed = Job(parallel_cohort, tmp_path / "a", options)
    assert undisturbed.finish() == 0

    # A signal that reaches one process alone: all stop after the same step.
    job = Job(parallel_cohort, tmp_path / "b", options)
    job.until("epoch 1 of 5")
    os.kill(job.workers()[1], signal.SIGUSR1)
    assert job.finish() == 128 + signal.SIGUSR1
    assert "stopped by SIGUSR1" in job.log.read_text()
    assert len(list((tmp_path / "b" / "state").glob("*/*.safetensors"))) >= 1

    # One process ends: the others do not wait for it.
    job = Job(parallel_cohort, tmp_path / "b", options)
    job.until("resuming from the saved state")
    os.kill(job.workers()[1], signal.SIGKILL)
    assert job.finish() == 1
    assert "1 with SIGKILL" in job.log.read_text()

    # SLURM's warning reaches the job itself.
    job = Job(parallel_cohort, tmp_path / "b", options)
    job.until("resuming from the saved state")
    job.process.send_signal(signal.SIGTERM)
    assert job.finish() == 128 + signal.SIGTERM
    assert not job.weights.exists()

    job = Job(parallel_cohort, tmp_path / "b", options)
    assert job.finish() == 0
    assert "resuming from the saved state" in job.log.read_text()
    assert job.weights.read_bytes() == undisturbed.weights.read_bytes()
    assert not list((tmp_path / "b" / "state").iterdir())


class _NotedError(Exception):
    """Carries the gradients that a process would have shared."""


class _Noting(parallel.ProcessGroup):
    def broadcast(self, value):
        return value

    def add_up(self, tensors):
        raise _NotedError([tensor.clone() for tensor in tensors])


def test_a_step_of_two_processes_is_that_of_the_summed_gradients(parallel_cohort, tmp_path):
    """Two processes and one step, compared with the same step computed in this process."""
    settings = SETTINGS | {"epochs": 1, "batch_size": 1000, "warmup": 0, "imbalance": "none"}
    job = Job(parallel_cohort, tmp_path, settings)
    assert job.finish() == 0
    found = model.load(job.weights)[0]

    settings = NetworkConfig.read(parallel_cohort.settings.plain() | settings)
    inputs = parallel_cohort.inputs()
    masks = np.load(inputs.pop("masks"))
    own = image_set.training_set(
        image_set.read_split(**inputs, design="loco", split="south"), "full"
    )
    model.configure(1)
    noted = []
    for rank in range(2):
        with pytest.raises(_NotedError) as note:
            training.train(
                own,
                masks,
                settings,
                seed=seeds.derive(7, "network", "loco", "south", "full"),
                initial_seed=seeds.derive(7, "network", "loco", "south", "initial weights"),
                device=torch.device("cpu"),
                state_folder=tmp_path / "reference",
                group=_Noting(rank, 2),
            )
        noted.append(note.value.args[0])
    network = model.initialize(seeds.derive(7, "network", "loco", "south", "initial weights"))
    optimizer = optimization.optimizer_for(network, settings)
    *gradients, loss = [sum(parts) for parts in zip(*noted, strict=True)]
    for parameter, gradient in zip(optimization.parameters(optimizer), gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()
    for name, parameter in network.named_parameters():
        assert torch.equal(found.get_parameter(name), parameter), name
    history = io.read(HISTORY, tmp_path / "history.csv")
    assert history["train_loss"][0] == pytest.approx(float(loss) / len(own), rel=1e-5)


def test_too_few_patients_for_so_many_processes(make_cohort, tmp_path):
    job = Job(make_cohort(n=16), tmp_path, {"gpus": 7})
    assert job.finish() == 1
    said = [line for line in job.log.read_text().splitlines() if " ERROR " in line]
    assert sum("needs 14 patients to train on, but the member has 12" in line for line in said) == 1
