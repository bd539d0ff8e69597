"""Peak memory of the jobs that need most, by image size and patients; the requests are based on it.

    .venv/bin/python benchmarks/memory.py [--sizes 64 224] [--patients 100 1000] [--batches 16] [--jobs ...]

Each job runs in a process of its own, on the processor, with the config's defaults. A training is
stopped after three steps, with its state saved: later steps need nothing more, except for a copy of the
best weights (95 MB). Printed are the peak that a process reached, and what `workflow` requests for it.
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "lib"), str(ROOT / "workflow" / "scripts")]

JOBS = ("train_network", "extract_embeddings", "explain_network", "draw_maps", "fit_signature")
STEPS = 3


def train_network(folder: Path, batch: int) -> None:
    """Train for some steps, then stop with the state saved."""
    import train_network as script
    from thyrocast.config.network import NetworkConfig
    from thyrocast.network import interruption, training

    step, steps = training._Run._step, iter(range(sys.maxsize))

    def signaled(run: training._Run, *arguments: object) -> object:
        if next(steps) == STEPS - 1:
            os.kill(os.getpid(), signal.SIGUSR1)
        return step(run, *arguments)

    training._Run._step = signaled
    files = {name: folder / f"{name}.npy" for name in ("images", "masks")}
    files |= {name: folder / f"{name}.csv" for name in ("cohort", "splits")}
    try:
        script.run(
            **files,
            weights=folder / "weights.safetensors",
            history=folder / "history.csv",
            design="loco",
            split="south",
            member="full",
            settings=NetworkConfig.read({"batch_size": batch}),
            seed=1,
            state=folder / "state",
            threads=1,
        )
    except interruption.Stopped:
        return
    raise SystemExit("the training ended before it was stopped")


def _network(folder: Path) -> Path:
    """Write a network with random weights."""
    from thyrocast.network import model

    path = folder / "full" / "weights.safetensors"
    path.parent.mkdir(exist_ok=True)
    model.save(path, model.initialize(1), model.Normalization(1.0, 0.5), {})
    return path


def extract_embeddings(folder: Path, batch: int) -> None:
    """Embed all patients with one network."""
    import extract_embeddings as script
    from thyrocast.config.network import NetworkConfig

    script.run(
        cohort=folder / "cohort.csv",
        images=folder / "images.npy",
        splits=folder / "splits.csv",
        weights={"full": _network(folder)},
        embeddings=folder / "embeddings.npy",
        network=folder / "network.csv",
        design="loco",
        split="south",
        settings=NetworkConfig.read({}),
        threads=1,
    )


def explain_network(folder: Path, batch: int) -> None:
    """Explain the test patients, a quarter of all."""
    import explain_network as script
    from thyrocast.config.explanation import ExplanationConfig
    from thyrocast.config.network import NetworkConfig

    script.run(
        cohort=folder / "cohort.csv",
        images=folder / "images.npy",
        splits=folder / "splits.csv",
        weights=[_network(folder)],
        maps=folder / "maps.npy",
        gradcam=folder / "gradcam.csv",
        randomized=folder / "randomized.npy",
        compared=folder / "compared.npz",
        seed=1,
        design="loco",
        split="south",
        settings=ExplanationConfig.read({}),
        network=NetworkConfig.read({}),
        threads=1,
    )


def draw_maps(folder: Path, batch: int) -> None:
    """Draw random maps of all patients."""
    import numpy as np

    import draw_maps as script
    from thyrocast.config.choices import Architecture
    from thyrocast.config.explanation import ExplanationConfig
    from thyrocast.contract import io
    from thyrocast.contract.cohort import COHORT
    from thyrocast.contract.splits import GRADCAM

    patients = io.read(COHORT, folder / "cohort.csv")[["patient", "center", "outcome"]]
    cells = ExplanationConfig.read({}).grid_at(
        np.load(folder / "images.npy", mmap_mode="r").shape[1], Architecture.RESNET50
    )
    maps = np.random.default_rng(1).random((len(patients), cells, cells), np.float32)
    np.save(folder / "maps.npy", maps)
    np.save(folder / "randomized.npy", np.stack([maps] * 7))
    few = np.arange(24)
    methods = {f"method/{name}": maps[few] for name in ("gradcam", "hirescam", "gradcam++")}
    areas = dict.fromkeys(("deletion", "insertion"), np.full((24, 5), 0.5))
    np.savez(
        folder / "compared.npz", positions=few, members=np.stack([maps] * 5), **areas, **methods
    )
    table = patients.assign(target="cured", probability=0.5, status="ok")
    io.write(GRADCAM, table, folder / "gradcam.csv")
    script.run(
        **{name: folder / f"{name}.npy" for name in ("images", "masks")},
        cohort=folder / "cohort.csv",
        gradcams={"south": folder / "gradcam.csv"},
        maps={"south": folder / "maps.npy"},
        randomized={"south": folder / "randomized.npy"},
        compared={"south": folder / "compared.npz"},
        tables=folder,
        folder=folder / "pictures",
        design="loco",
        least=10,
    )


def fit_signature(folder: Path, batch: int) -> None:
    """Fit a signature with all defaults; three quarters of the patients are for training."""
    import fit_signature as script
    from thyrocast.config.signature import SignatureConfig
    from thyrocast.contract.names import Design

    script.run(
        folder / "cohort.csv",
        folder / "splits.csv",
        folder / "embeddings.npy",
        folder / "network.csv",
        folder,
        folder / "predictions.csv",
        Design.LOCO,
        "north",
        SignatureConfig.read({}),
        seed=1,
    )


def write_inputs(folder: Path, job: str, size: int, patients: int) -> None:
    """Write the files that a job reads."""
    if job == "fit_signature":
        from tests.unit.signature import example_split

        example_split.FEATURES = 2048
        train = patients * 3 // 4
        example_split.study(folder, n=train, n_test=patients - train, folds=5)
        return
    from tests.unit.network import conftest

    conftest.SIZE = size
    conftest.write_cohort(folder, n=patients)


def peak_mb(job: str, size: int, patients: int, batch: int) -> float:
    """Return the peak of a job's resident memory, MB."""
    with tempfile.TemporaryDirectory() as folder:
        for stage in ("write", "run"):
            words = [stage, job, folder, str(size), str(patients), str(batch)]
            done = subprocess.run(
                [sys.executable, __file__, "--child", *words], capture_output=True, text=True
            )
            if done.returncode:
                raise RuntimeError(f"{job}: {done.stderr[-3000:]}")
    return float(done.stdout.split()[-1])


def child(stage: str, job: str, folder: str, size: str, patients: str, batch: str) -> None:
    """Do one stage of one job in this process, and print its peak."""
    if stage == "write":
        write_inputs(Path(folder), job, int(size), int(patients))
    else:
        globals()[job](Path(folder), int(batch))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Print a table."""
    if "--child" in sys.argv:
        child(*sys.argv[sys.argv.index("--child") + 1 :])
        return
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=[64, 224], help="pixels")
    options.add_argument("--patients", type=int, nargs="+", default=[100, 1000])
    options.add_argument("--batches", type=int, nargs="+", default=[16], help="of a training")
    options.add_argument("--jobs", nargs="+", choices=JOBS, default=JOBS)
    given = options.parse_args()
    print(f"{'job':<20} pixels  patients  batch  peak MB", flush=True)
    for job in given.jobs:
        for size in given.sizes if job != "fit_signature" else given.sizes[:1]:
            for patients in given.patients:
                for batch in given.batches if job == "train_network" else given.batches[:1]:
                    used = peak_mb(job, size, patients, batch)
                    print(f"{job:<20} {size:6}  {patients:8}  {batch:5}  {used:7.0f}", flush=True)


if __name__ == "__main__":
    main()
