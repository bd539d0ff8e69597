"""Training in separate processes: killed without warning, and twice at the same time."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import train_network
from thyrocast.network import state as states

# All arguments of run() as JSON; paths are text until here.
JOB = """
import json, logging, sys
from pathlib import Path
import train_network
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
from thyrocast.config.network import NetworkConfig
plain = json.loads(sys.argv[1])
plain["values"]["settings"] = NetworkConfig.read(plain["values"]["settings"])
train_network.run(**{k: Path(v) for k, v in plain["paths"].items()}, **plain["values"])
"""


def _start(cohort, out: Path, state: Path) -> subprocess.Popen[str]:
    paths = cohort.inputs() | {
        "weights": out / "weights.safetensors",
        "history": out / "history.csv",
        "state": state,
    }
    values = {
        "design": "loco",
        "split": "south",
        "member": "full",
        "settings": cohort.settings.plain(),
        "seed": 7,
        "threads": 1,
    }
    job = json.dumps({"paths": {k: str(v) for k, v in paths.items()}, "values": values})
    scripts = Path(train_network.__file__).parent
    return subprocess.Popen(
        [sys.executable, "-c", JOB, job], cwd=scripts, stderr=subprocess.PIPE, text=True
    )


def _wait_for_state(process: subprocess.Popen[str], state: Path) -> None:
    limit = time.monotonic() + 300
    while not list(state.glob("*/*.safetensors")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_killed_training_resumes_twice_at_once(cohort, trained, tmp_path):
    """SIGKILL after the first epoch; then two jobs resume from the same state in parallel."""
    expected = (trained / "weights.safetensors").read_bytes()
    state = tmp_path / "state"
    killed = _start(cohort, tmp_path / "killed", state)
    _wait_for_state(killed, state)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed").exists(), "no half-written output"

    jobs = {name: _start(cohort, tmp_path / name, state) for name in ("one", "two")}
    logs = {name: job.communicate(timeout=600)[1] for name, job in jobs.items()}
    assert [job.returncode for job in jobs.values()] == [0, 0], logs
    assert any("resuming from the saved state: epoch 2 of 2" in text for text in logs.values())
    for name in jobs:
        assert (tmp_path / name / "weights.safetensors").read_bytes() == expected
    assert not list(state.iterdir())


def test_writers_of_the_same_state_do_not_disturb_each_other(tmp_path):
    """Many processes save and load at once; every load finds a whole state."""
    code = """
import sys, torch
from pathlib import Path
from thyrocast.network import state
folder = Path(sys.argv[1])
for step in range(40):
    tensors = {"x": torch.full((2000,), float(step))}
    state.save(folder, state.TrainingState(step, tensors, state.Progress(epoch=step)))
    found = state.load(folder)
    assert found is None or (found.tensors["x"] == found.step).all()
"""
    scripts = Path(states.__file__).parents[2]
    jobs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "state")], cwd=scripts)
        for _ in range(3)
    ]
    assert [job.wait(timeout=300) for job in jobs] == [0, 0, 0]
    assert states.load(tmp_path / "state").step == 39
    assert len(list((tmp_path / "state").glob("*"))) == 2
