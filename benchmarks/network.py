"""Speed of the network on this machine's processor: training, embeddings, Grad-CAM, training state.

    .venv/bin/python benchmarks/network.py [--size 64] [--batch 16] [--threads 2]

Each number is the best of a few repeats, reported alongside the speed of a plain loop.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "lib"), str(ROOT / "benchmarks")]

from bare import network_settings  # noqa: E402 - after the path is set

from thyrocast.network import embedding, model, parallel, training  # noqa: E402 - after the path is set
from thyrocast.network.image_set import ImageSet  # noqa: E402 - after the path is set
from thyrocast.network.resnet50 import ScintigramResNet50  # noqa: E402 - after the path is set

ALONE = parallel.ProcessGroup()


def cohort(n: int, size: int) -> tuple[ImageSet, np.ndarray]:
    """Patients with images of noise: speed does not depend on what the images show."""
    generator = np.random.default_rng(1)
    images = generator.poisson(20, (n, size, size)).astype(np.float32) / 20
    everyone = np.arange(n)
    patients = ImageSet(
        patient=everyone.astype(str),
        center=np.full(n, "north"),
        outcome=(everyone % 2).astype(float),
        row=everyone,
        set=np.full(n, "train"),
        fold=np.ones(n, np.int64),
        gland_counts=np.full(n, 1e5),
        camera_pixel=np.full(n, 2.4),
        images=images,
    )
    return patients, np.ones((n, size, size), np.uint8)


def best(function: Callable[[], object], repeats: int = 3) -> float:
    """Shortest wall time of a call, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def plain_loop(
    images: torch.Tensor,
    batch: int,
    device: torch.device,
    precision: str = "float32",
    compiled: bool = False,
) -> Callable[[], None]:
    """One epoch in the simplest way: no augmentation, a plain optimizer.

    With bfloat16, tensors are channels-last, as in the project's training.
    """
    network = model.initialize(1).to(device).train()
    mixed = precision == "bfloat16"
    layout = torch.channels_last if mixed else torch.contiguous_format
    network = network.to(memory_format=layout)
    function = torch.compile(network) if compiled else network
    optimizer = torch.optim.AdamW(network.parameters())
    outcome = torch.zeros(len(images), device=device)

    def epoch() -> None:
        for start in range(0, len(images), batch):
            part = slice(start, start + batch)
            inputs = images[part].to(device, memory_format=layout)
            with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
                logit = function(inputs).float()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, outcome[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return epoch


def training_speed(
    n: int,
    size: int,
    batch: int,
    device: torch.device,
    precision: str,
    group: parallel.ProcessGroup = ALONE,
) -> float:
    """Images per second of the project's own training, from the history of its last epoch."""
    patients, masks = cohort(n, size)
    settings = network_settings(
        epochs=3, batch_size=batch, precision=precision, early_stopping={"fraction": 0}
    )
    with tempfile.TemporaryDirectory() as folder:
        trained = training.train(
            patients,
            masks,
            settings,
            seed=1,
            initial_seed=1,
            device=device,
            state_folder=Path(folder),
            group=group,
        )
    return n / min(epoch.seconds for epoch in trained.history[1:])


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=64, help="pixels")
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--images", type=int, default=96)
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = options.parse_args()
    model.configure(given.threads)
    cpu = torch.device("cpu")
    n, size = given.images, given.size
    patients, masks = cohort(n, size)
    inputs = model.Normalization(1.0, 0.3).apply(torch.from_numpy(patients.images))
    print(f"{size} pixels, batches of {given.batch}, {given.threads} threads; images per second")

    a = torch.randn(2048, 2048)
    seconds = best(lambda: a @ a)
    print(f"matrix product of the machine      {2 * 2048**3 / seconds / 1e9:8.0f} GFLOP/s")
    plain = plain_loop(inputs, given.batch, cpu)
    plain()
    print(f"training, plain loop               {n / best(plain):8.1f}")
    print(
        f"training, with augmentation        {training_speed(n, size, given.batch, cpu, 'float32'):8.1f}"
    )

    network = model.initialize(1).eval()
    fused = embedding.prepare(network, size, cpu)
    with torch.no_grad():
        for name, function in (("plain", network), ("traced, frozen", fused)):
            function(inputs[:32])
            speed = 32 / best(lambda f=function: f(inputs[:32]))
            print(f"embeddings, {name:<22} {speed:8.1f}")

    _explanation(patients, masks, inputs, network)


def _explanation(
    patients: ImageSet, masks: np.ndarray, inputs: torch.Tensor, network: ScintigramResNet50
) -> None:
    try:
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.utils.model_targets import BinaryClassifierOutputTarget

        from thyrocast.config.explanation import ExplanationConfig
        from thyrocast.network import gradcam as explain
    except ImportError as error:
        print(f"Grad-CAM                           not measured: {error}")
        return
    settings = ExplanationConfig(batch_size=32)
    few = patients.take(np.arange(32))
    cpu = torch.device("cpu")

    def ours() -> None:
        list(explain.explain([(network, model.Normalization(1.0, 0.3))], few, settings, cpu))

    def default() -> None:
        targets = [BinaryClassifierOutputTarget(1)] * 32
        with GradCAM(model=network.requires_grad_(True), target_layers=[network.layer4]) as cam:
            cam(input_tensor=inputs[:32], targets=targets)

    print(f"Grad-CAM, the package's default    {32 / best(default):8.1f}")
    print(f"Grad-CAM, no graph before the tap  {32 / best(ours):8.1f}")


if __name__ == "__main__":
    main()
