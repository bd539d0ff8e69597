"""Speed on a GPU: training, embeddings and Grad-CAM, and whether a resumed training gives the same bits.

    python benchmarks/gpu.py             (make bench-gpu in the project's environment)

Needs nothing but PyTorch, torchvision, NumPy and safetensors: a machine with a GPU and no network can run
it from a copy of `benchmarks`, `workflow/lib` and `config/schema.json`. It ends within eight minutes
(`--minutes`): what there is no time left for is named and not measured. With several GPUs, one training on
all of them (NCCL) is measured too. `--device cpu --size 32 --images 16 --batches 8` tries it without a GPU.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "lib"), str(ROOT / "benchmarks")]

from bare import network_settings  # noqa: E402 - after the path is set
from network import best, cohort, plain_loop, training_speed  # noqa: E402 - after the path is set

from thyrocast.network import (  # noqa: E402 - after the path is set
    embedding,
    interruption,
    model,
    parallel,
    training,
)


class Clock:
    """The time that is left."""

    def __init__(self, minutes: float) -> None:
        self.end = time.monotonic() + 60 * minutes

    def measure(self, what: str, work: Callable[[], None], seconds: float) -> None:
        """Do a part that may take so many seconds, or say that there is no time for it."""
        left = self.end - time.monotonic()
        if left < seconds:
            print(f"{what}: not measured, {left:.0f} s left", flush=True)
            return
        try:
            work()
        # What PyTorch, its compiler and a group of processes raise: the other parts are still measured.
        except (RuntimeError, OSError, TypeError, ImportError, SystemExit) as error:
            reason = (str(error).splitlines() or [""])[0]
            print(f"{what}: failed, {type(error).__name__}: {reason}", flush=True)


def flop_per_image(size: int) -> float:
    """Floating-point operations of one forward pass, as torch counts them."""
    from torch.utils.flop_counter import FlopCounterMode

    network = model.initialize(1).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, size, size))
    return float(counter.get_total_flops())


def matmul_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations per second of a large matrix product on this device."""
    n = 8192 if device.type == "cuda" else 256
    a = torch.randn(n, n, device=device, dtype=dtype)

    def product() -> None:
        for _ in range(10 if device.type == "cuda" else 1):
            a @ a
        wait(device)

    product()
    return (10 if device.type == "cuda" else 1) * 2 * n**3 / best(product)


def wait(device: torch.device) -> None:
    """Wait until the device has done its work."""
    if device.type == "cuda":
        torch.cuda.synchronize()


class Bench:
    """Everything that is measured on one device."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.device = torch.device(given.device)
        self.size, self.images, self.gpus = given.size, given.images, given.gpus
        patients, self.masks = cohort(min(given.images, 512), given.size)
        self.few = patients
        self.inputs = torch.from_numpy(patients.images).unsqueeze(1)
        # The backward pass costs twice the forward pass.
        self.work = 3 * flop_per_image(given.size)
        self.peaks: dict[str, float] = {}

    def peak(self, precision: str) -> float:
        """Rate of the matrix product, measured once, FLOP/s."""
        if precision not in self.peaks:
            self.peaks[precision] = matmul_peak(self.device, getattr(torch, precision))
            print(f"matrix product, {precision}: {self.peaks[precision] / 1e12:.1f} TFLOP/s")
        return self.peaks[precision]

    def row(self, batch: int, name: str, speed: float, precision: str) -> None:
        """Print one line of the table."""
        share = speed * self.work / self.peak(precision)
        print(f"{batch:5}  {name:<28} {speed:9.0f}  {share:8.1%}", flush=True)

    def plain(self, batch: int, precision: str, compiled: bool) -> None:
        """Measure a plain loop."""
        loop = plain_loop(self.inputs, batch, self.device, precision, compiled)
        loop()
        speed = len(self.inputs) / best(loop, repeats=2)
        name = f"plain loop, {precision}{', compiled' if compiled else ''}"
        self.row(batch, name, speed, precision)

    def project(self, batch: int, precision: str) -> None:
        """Measure the project's training, with augmentation and saved states."""
        speed = training_speed(self.images, self.size, batch, self.device, precision)
        self.row(batch, f"training, {precision}", speed, precision)

    def several(self, batch: int) -> None:
        """Measure one training on several GPUs, each with a batch of this size."""
        how = {"images": self.images, "size": self.size, "batch": batch, "kind": self.device.type}
        parallel.launch(self.gpus, partial(together, **how))

    def embed(self) -> None:
        """Measure embeddings."""
        network = model.initialize(1).eval().to(self.device)
        fast = embedding.prepare(network, self.size, self.device)
        images = self.inputs[:64].to(self.device)

        def work() -> None:
            with torch.no_grad():
                fast(images).cpu()

        work()
        print(f"embeddings: {len(images) / best(work):.0f} images/s", flush=True)

    def gradcam(self) -> None:
        """Measure what Grad-CAM computes, without the package that the rule uses, and no pictures."""
        network = model.initialize(1).eval().requires_grad_(False).to(self.device)
        images = self.inputs[:64].to(self.device)

        def work() -> None:
            with torch.no_grad():
                last = network.blocks(images)
            last.requires_grad_()
            logit = network.fc(network.pool(last)).sum()
            (gradient,) = torch.autograd.grad(logit, last)
            heat = (gradient.mean((2, 3), keepdim=True) * last.detach()).sum(1, keepdim=True).relu()
            torch.nn.functional.interpolate(
                heat, size=(self.size, self.size), mode="bilinear"
            ).cpu()

        work()
        print(f"Grad-CAM: {len(images) / best(work):.0f} images/s", flush=True)

    def resume(self, batch: int, precision: str) -> None:
        """Compare a training that a signal stopped and that was resumed with an undisturbed one."""
        settings = network_settings(
            epochs=2, batch_size=batch, precision=precision, early_stopping={"fraction": 0}
        )

        def train(folder: str) -> dict[str, torch.Tensor]:
            done = training.train(
                self.few,
                self.masks,
                settings,
                seed=1,
                initial_seed=1,
                device=self.device,
                state_folder=Path(folder),
            )
            return done.network.state_dict()

        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            undisturbed = train(first)
            step = training._Run._step
            steps = iter(range(sys.maxsize))

            def signaled(run: training._Run, *arguments: object) -> torch.Tensor:
                if next(steps) == 1:
                    os.kill(os.getpid(), signal.SIGUSR1)
                return step(run, *arguments)

            training._Run._step = signaled
            try:
                train(second)
                raise RuntimeError("the signal did not stop the training")
            except interruption.Stopped:
                pass
            finally:
                training._Run._step = step
            resumed = train(second)
        same = all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)
        print(
            f"resumed training, {precision}: {'the same bits' if same else 'OTHER BITS'}",
            flush=True,
        )


def together(
    group: parallel.ProcessGroup, *, images: int, size: int, batch: int, kind: str
) -> None:
    """Train on several GPUs, each with a batch of this size, and print how fast."""
    device = torch.device(kind, group.rank) if kind == "cuda" else torch.device(kind)
    precision = "bfloat16" if kind == "cuda" else "float32"
    speed = training_speed(images, size, batch * group.size, device, precision, group)
    if group.leads:
        print(f"{batch:5}  {group.size} together, {precision:<15} {speed:9.0f}", flush=True)


def main() -> None:
    """Print a table, one row per batch size, precision and kind of loop; then the other figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=224, help="pixels")
    options.add_argument("--images", type=int, default=2048)
    options.add_argument("--batches", type=int, nargs="+", default=[16, 64, 128])
    options.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options.add_argument("--gpus", type=int, default=torch.cuda.device_count())
    options.add_argument("--minutes", type=float, default=7.5, help="after which nothing is begun")
    options.add_argument("--compiled", choices=("yes", "no"), default="yes", help="a plain loop")
    given = options.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        sys.exit(f"torch {torch.__version__} sees no GPU: run this in a job that has one")
    clock = Clock(given.minutes)
    model.configure(torch.get_num_threads())
    bench = Bench(given)
    name = torch.cuda.get_device_name() if given.device == "cuda" else "processor"
    print(f"{name}, torch {torch.__version__}, {given.size} pixels", flush=True)
    print(f"{bench.work / 1e9:.1f} GFLOP per training image", flush=True)
    precisions = ("float32", "bfloat16")
    for precision in precisions:
        clock.measure("resumed training", partial(bench.resume, given.batches[0], precision), 40)
    clock.measure("embeddings", bench.embed, 20)
    clock.measure("Grad-CAM", bench.gradcam, 20)
    print("batch  what                          images/s  share of the matrix product's rate")
    for batch in reversed(given.batches):
        for precision in precisions:
            what = f"{batch} {precision}"
            clock.measure(f"training, {what}", partial(bench.project, batch, precision), 40)
            clock.measure(f"plain loop, {what}", partial(bench.plain, batch, precision, False), 30)
        if given.gpus > 1:
            clock.measure(f"{batch}, several GPUs", partial(bench.several, batch), 60)
    for batch in reversed(given.batches) if given.compiled == "yes" else ():
        compiled = partial(bench.plain, batch, "bfloat16", True)
        clock.measure(f"plain loop, {batch} bfloat16, compiled", compiled, 120)


if __name__ == "__main__":
    main()
