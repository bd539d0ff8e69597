"""One member of a split: read its patients, train it, write it."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from thyrocast import seeds
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.splits import HISTORY
from thyrocast.errors import InputError
from thyrocast.network import image_set, model, record, training
from thyrocast.network import state as states
from thyrocast.network.parallel import ProcessGroup


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
    """
    model.configure(max(1, threads // group.size))
    device = model.choose_device(settings.gpus, settings.allow_cpu, group.rank)
    everyone = image_set.read_split(cohort, images, splits, design, split)
    try:
        own = image_set.training_set(everyone, member)
    except InputError as error:
        raise InputError(f"split {design}/{split}: {error}") from error
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
    )
    if not group.leads:
        return
    facts = asdict(trained.facts) | {"design": design, "split": split, "member": member}
    table = record.history_table(trained.history, trained.facts.best_epoch)
    io.write(HISTORY, table, history)
    model.save(weights, trained.network, trained.normalization, facts)
    states.remove(trained.state)
