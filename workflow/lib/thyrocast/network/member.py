"""One member of a split: read its patients, train it, write it."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from thyrocast import seeds
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.splits import HISTORY
from thyrocast.errors import InputError
from thyrocast.network import image_set, model, record, training
from thyrocast.network import state as states
from thyrocast.network.parallel import ProcessGroup
from thyrocast.network.pretrained import read as read_pretrained


def fit(
    group: ProcessGroup,
    *,
    cohort: Path,
    images: Path,
    masks: Path,
    splits: Path,
    weights: Path,
    history: Path,
    design: str,
    split: str,
    member: str,
    settings: NetworkConfig,
    seed: int,
    state: Path,
    threads: int,
    pretrained: Path | None = None,
) -> None:
    """Train the member, or resume a training of it that was interrupted.

    Parameters
    ----------
    group
        The processes that train it together.
    cohort, images, masks, splits
        Files of the cohort.
    weights, history
        Files to write.
    design, split, member
        Which member of which split.
    settings
        Config of the network.
    seed
        The config's seed.
    state
        Folder of training states.
    threads
        Processor threads of the job, divided between its processes.
    pretrained
        File of `pretrain_network`, if the training starts from it.
    """
    model.configure(max(1, threads // group.size))
    device = model.choose_device(settings.gpus, settings.allow_cpu, group.rank)
    everyone = image_set.read_split(cohort, images, splits, design, split)
    try:
        own = image_set.training_set(everyone, member)
    except InputError as error:
        raise InputError(f"split {design}/{split}: {error}") from error
    try:
        trained = training.train(
            own,
            np.load(masks, mmap_mode="r"),
            settings,
            seed=seeds.derive(seed, "network", design, split, member),
            # The same for all members of a split.
            initial_seed=seeds.derive(seed, "network", design, split, "initial weights"),
            device=device,
            state_folder=state,
            group=group,
            pretrained=read_pretrained(pretrained) if pretrained else None,
        )
    except torch.OutOfMemoryError as error:
        raise InputError(_too_large(settings, own.size, device, group.size)) from error
    if not group.leads:
        return
    facts = asdict(trained.facts) | {"design": design, "split": split, "member": member}
    table = record.history_table(trained.history, trained.facts.best_epoch)
    io.write(HISTORY, table, history)
    model.save(weights, trained.network, trained.normalization, facts)
    states.remove(trained.state)


def _too_large(settings: NetworkConfig, size: int, device: torch.device, processes: int) -> str:
    """Say that a batch does not fit on the GPU; more memory of the node would not help."""
    known = device.type == "cuda" and torch.cuda.is_available()
    gpu = torch.cuda.get_device_properties(device) if known else None
    what = f"{gpu.name} with {gpu.total_memory / 2**30:.0f} GiB" if gpu else "GPU"
    advice = f"set network.batch_size to {max(2, settings.batch_size // 2)} or less"
    if settings.precision == "float32":
        advice += ", or network.precision to auto, which halves the memory of activations"
    return (
        f"network.batch_size {settings.batch_size}, on {processes} GPUs, is too large for the memory "
        f"of a {what} at {size} pixels: {advice}"
    )
