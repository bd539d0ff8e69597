"""Pretrain a network on scintigrams that are simulated without end."""

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.choices import Architecture, Precision
from thyrocast.config.pretraining import SimulationConfig
from thyrocast.network import model, pretrained, pretraining
from thyrocast.network.compact import PhysicsNetwork
from thyrocast.network.reader import Reader, ResNetReader
from thyrocast.simulation.endless import Endless
from thyrocast.simulation.lessons import View

if TYPE_CHECKING:
    from snakemake.script import snakemake

LOG = logging.getLogger("thyrocast")
#: Phantoms by which the scales are set and the result is described.
HELD_OUT = 256


def run(
    output: Path,
    architecture: Architecture,
    view: View,
    settings: SimulationConfig,
    gpus: int = 0,
    allow_cpu: bool = False,
    threads: int = 1,
) -> None:
    """Pretrain the network, or resume an interrupted pretraining.

    Parameters
    ----------
    output
        File of the weights; its name is part of its content.
    architecture, view, settings
        The network, its images, and how it learns.
    gpus, allow_cpu
        Whether a GPU is used, and whether the CPU is if there is none.
    threads
        Processor threads; with several, all but one draw phantoms.
    """
    drawing = threads - 1
    model.configure(1 if drawing else threads)
    device = model.choose_device(min(gpus, 1), allow_cpu)
    course = Endless(view, settings.phantoms, settings.batch_size, settings.seed, drawing)
    torch.manual_seed(settings.seed)
    compact = architecture is Architecture.COMPACT
    network: Reader = PhysicsNetwork() if compact else ResNetReader()
    held_out = course.held_out(min(HELD_OUT, settings.phantoms))
    network.scale(held_out.images.astype("float32"), held_out.measures)
    state = output.parent / "unfinished" / output.stem
    with model.enough_memory(f"{settings.batch_size} phantoms (network.simulation.batch_size)"):
        pretraining.learn(
            network,
            course,
            settings.learning_rate,
            device=device,
            mixed=model.autocast_type(Precision.AUTO, device),
            folder=state,
        )
    found = pretraining.describe(network.cpu().eval(), held_out)
    for name, (r, error) in found.items():
        LOG.info("%s: r %.3f with the truth, standard deviation of the error %.3f", name, r, error)
    facts = {
        "name": output.stem,
        "architecture": architecture.value,
        "size": view.size,
        "field_mm": view.field_mm,
        **settings.model_dump(mode="json", exclude={"folder"}),
        "read": found,
        "torch": torch.__version__,
    }
    pretrained.save(network, output, facts)
    shutil.rmtree(state, ignore_errors=True)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        output=Path(snakemake.output.weights),
        architecture=Architecture(snakemake.params.architecture),
        view=View(*snakemake.params.view),
        settings=SimulationConfig.read(snakemake.params.settings),
        # Not among the params: where a pretraining runs is no reason to repeat it.
        gpus=snakemake.resources.gpu,
        allow_cpu=snakemake.config["network"]["allow_cpu"],
        threads=snakemake.threads,
    )
