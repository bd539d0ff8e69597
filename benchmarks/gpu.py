"""Speed of training on a GPU: images per second, share of the card's peak, compared with a plain loop.

    make bench-gpu        or        .venv/bin/python benchmarks/gpu.py [--batches 32 64 128]

Run it in a job with a GPU. With several GPUs, one training on all of them is measured too.
`--device cpu --size 32 --images 16 --batches 8 --gpus 2` runs the script without a GPU.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))

from network import best, cohort, plain_loop, training_speed

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "lib"))

from thyrocast.network import embedding, model, parallel


def flop_per_image(size: int) -> float:
    """Floating-point operations of one forward pass, as torch counts them."""
    from torch.utils.flop_counter import FlopCounterMode

    network = model.initialize(1).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, size, size))
    return float(counter.get_total_flops())


def matmul_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations per second of a large matrix product on this device."""
    n = 8192 if device.type == "cuda" else 1024
    a = torch.randn(n, n, device=device, dtype=dtype)

    def product() -> None:
        for _ in range(10):
            a @ a
        if device.type == "cuda":
            torch.cuda.synchronize()

    product()
    return 10 * 2 * n**3 / best(product)


def together(
    group: parallel.ProcessGroup, *, images: int, size: int, batch: int, kind: str
) -> None:
    """Train on several GPUs, each with a batch of this size, and print how fast."""
    device = torch.device(kind, group.rank) if kind == "cuda" else torch.device(kind)
    precision = "bfloat16" if kind == "cuda" else "float32"
    speed = training_speed(images, size, batch * group.size, device, precision, group)
    if group.leads:
        print(f"{batch:5}  {group.size} together {speed:9.0f}", flush=True)


def main() -> None:
    """Print a table, one row per batch size and precision."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=224, help="pixels")
    options.add_argument("--images", type=int, default=4096)
    options.add_argument("--batches", type=int, nargs="+", default=[32, 64, 128, 256])
    options.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options.add_argument("--gpus", type=int, default=torch.cuda.device_count())
    given = options.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        sys.exit(f"torch {torch.__version__} sees no GPU: run this in a job that has one")
    device = torch.device(given.device)
    model.configure(torch.get_num_threads())
    name = torch.cuda.get_device_name() if given.device == "cuda" else "processor"
    # The backward pass costs twice the forward pass.
    work = 3 * flop_per_image(given.size)
    precisions = ("float32", "bfloat16") if given.device == "cuda" else ("float32",)
    print(f"{name}, {given.size} pixels, {work / 1e9:.1f} GFLOP per training image")
    print("batch  precision   images/s  share of the matrix product's rate")
    peaks = {p: matmul_peak(device, getattr(torch, p)) for p in precisions}
    patients, _ = cohort(min(given.images, 512), given.size)
    inputs = torch.from_numpy(patients.images).unsqueeze(1)
    for batch in given.batches:
        plain = plain_loop(inputs, batch, device)
        plain()
        speed = len(inputs) / best(plain, repeats=2)
        print(f"{batch:5}  plain loop {speed:9.0f}  {speed * work / peaks['float32']:8.0%}")
        for precision in precisions:
            speed = training_speed(given.images, given.size, batch, device, precision)
            print(
                f"{batch:5}  {precision:<10} {speed:9.0f}  {speed * work / peaks[precision]:8.0%}"
            )
        if given.gpus > 1:
            how = {"images": given.images, "size": given.size, "batch": batch, "kind": given.device}
            parallel.launch(given.gpus, partial(together, **how))
    network = model.initialize(1).eval().to(device)
    fast = embedding.prepare(network, given.size, device)
    images = inputs[:64].to(device)

    def embed() -> None:
        with torch.no_grad():
            fast(images)[1].cpu()

    embed()
    print(f"embeddings: {len(images) / best(embed):.0f} images/s")


if __name__ == "__main__":
    main()
