"""One member of a split: read its patients, train it, write it."""

from pathlib import Path
from typing import Any

import numpy as np

from thyrocast import fileio, seeds
from thyrocast.errors import InputError
from thyrocast.network import model, patients, record, training
from thyrocast.network import state as states
from thyrocast.network.parallel import Group


def fit(
    group: Group,
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
    settings: dict[str, Any],
    seed: int,
    state: Path,
    threads: int,
) -> None:
    """Train the member, or go on where a killed training of it stopped.

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
        The config's ``network`` block.
    seed
        The config's.
    state
        Folder of training states.
    threads
        Of the job; its processes share them.
    """
    model.configure(max(1, threads // group.size))
    device = model.choose_device(settings["gpus"], settings["allow_cpu"], group.rank)
    everyone = patients.read_split(cohort, images, splits, design, split)
    try:
        own = patients.training_patients(everyone, member)
    except InputError as error:
        raise InputError(f"split {design}/{split}: {error}") from error
    trained = training.train(
        own,
        np.load(masks, mmap_mode="r"),
        settings,
        seed=seeds.derive(seed, "network", design, split, member),
        initial_seed=seeds.derive(seed, "network", design, split, "initial weights"),
        device=device,
        state_folder=state,
        group=group,
    )
    if not group.leads:
        return
    facts = trained.facts | {"design": design, "split": split, "member": member}
    fileio.write_csv(history, record.HISTORY, trained.history)
    model.save(weights, trained.network, trained.normalization, facts)
    states.remove(trained.state)
