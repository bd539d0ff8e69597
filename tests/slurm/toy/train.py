"""Stand in for a training: epochs that take time, state kept outside the outputs."""

import hashlib
import os
import signal
import sys
import time
from pathlib import Path

state, cohort, weights = map(Path, sys.argv[1:4])
epochs = int(sys.argv[4])
seconds = float(os.environ.get("TOY_EPOCH_SECONDS", "0.1"))
stop = False


def leave(number: int, frame: object) -> None:
    """Stop after the epoch that is running."""
    global stop
    stop = True
    print("stopping on signal", number, flush=True)


signal.signal(signal.SIGTERM, leave)
print("gpu", os.environ.get("CUDA_VISIBLE_DEVICES", "none"), flush=True)
state.parent.mkdir(exist_ok=True)
epoch, value = 0, cohort.read_text()
if state.exists():
    first, value = state.read_text().split()
    epoch = int(first)
    print("resuming after epoch", epoch, flush=True)
while epoch < epochs:
    time.sleep(seconds)
    if epoch == int(os.environ.get("TOY_DIE_AFTER", "-1")):
        os.kill(os.getpid(), signal.SIGKILL)
    value = hashlib.sha256(value.encode()).hexdigest()
    epoch += 1
    print("epoch", epoch, flush=True)
    temporary = state.with_name(state.name + ".tmp")
    temporary.write_text(f"{epoch} {value}")
    temporary.rename(state)
    if stop and epoch < epochs:
        sys.exit("stopped before the last epoch; the next run resumes")
weights.write_text(value + "\n")
state.unlink()
