"""Config of the network and its training."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from thyrocast.config.base import Block, Fault, FaultsError, block, option
from thyrocast.config.choices import RANDOM, Architecture, Imbalance, Precision, Pretraining
from thyrocast.config.image import ImageConfig, Intensity
from thyrocast.config.pretraining import SimulationConfig

#: Pixels per side that the compact network sees, and the field of view of its pretraining, mm
#: (`thyrocast.image.encoder`).
COMPACT_SIZE, PRETRAINED_FIELD_MM = 64, 160.0


class EarlyStoppingConfig(Block):
    """Early stopping by the loss of held-out training patients, stratified by outcome.

    The weights of the epoch with the lowest loss are kept.
    """

    fraction: float = option(
        "Share of the training patients that is held out to measure the loss; 0 trains on all "
        "patients for all epochs. Holding out .15 of 160 patients cost .017 (standard error .005) of AUC "
        "on chest X-rays with a small network (docs/learning.md).",
        0.0,
        ge=0,
        le=0.5,
    )
    patience: int = option(
        "Epochs without a lower loss after which training stops.",
        15,
        unit="epochs",
        ge=1,
        le=10_000,
    )


class AugmentationConfig(Block):
    """Changes that another acquisition of the same patient could have shown.

    They are drawn for every image and step. Images are never mirrored, and intensities are
    never changed.
    """

    rotation: float = option("Largest rotation to either side.", 10.0, unit="degrees", ge=0, le=45)
    shift: float = option(
        "Largest shift along each axis, as a share of the field of view.", 0.05, ge=0, le=0.5
    )
    scale: float = option(
        "Largest relative enlargement or reduction; keep it small, since the size of the gland "
        "carries information.",
        0.05,
        ge=0,
        le=0.5,
    )
    thinning: float = option(
        "Smallest share of the counts that is kept (binomial thinning, as in a shorter "
        "acquisition); 1 for none. Patients whose counts are unknown are not thinned.",
        0.5,
        gt=0,
        le=1,
    )


class NetworkConfig(Block):
    """The network: architecture, initial weights, training of each member of a split, and hardware.

    It sees the square root of the standardized scintigram (which makes Poisson noise uniform),
    scaled by the mean and standard deviation of the member's own training patients.
    """

    architecture: Architecture = option(
        "`resnet50` has 23.5 million weights and is that of the published protocol; `compact` is a residual network "
        "with 0.3 million weights, which sees 64 pixels per side whatever the image's size, and trains "
        "faster (docs/learning.md). Images of `image.intensity: activity` reach it on their own scale.",
        Architecture.RESNET50,
    )
    pretraining: Pretraining = option(
        "`simulation` starts from weights that have learned to read physical quantities from simulated "
        "scintigrams, without any outcome. Those of the compact network for `image.field_mm: 160` come with "
        "thyrocast; others are learned by the rule `pretrain_network`. It needs `image.intensity: relative`.",
        Pretraining.NONE,
    )
    simulation: SimulationConfig = block(SimulationConfig)
    weights: str = option(
        "Initial weights: `random`, or the path of a local file (`.safetensors`, or a `.pth` state "
        "dict) with torchvision's names for ResNet50. The three-channel stem of such a file is "
        "summed into one channel and its classifier is ignored. Nothing is ever downloaded.",
        RANDOM,
        min_length=1,
    )
    sha256: str | None = option(
        "SHA-256 of the weights file; required if `weights` is a file, otherwise null.",
        None,
        pattern="^[0-9a-f]{64}$",
        expected="64 hexadecimal digits in lower case",
    )
    epochs: int = option(
        "Passes over the training patients; with early stopping, the largest number of them.",
        40,
        unit="epochs",
        ge=1,
        le=10_000,
    )
    batch_size: int = option(
        "Patients per optimization step. An epoch is divided into batches of nearly this size; "
        "no batch is too small for batch normalization.",
        16,
        unit="patients",
        ge=2,
        le=4096,
    )
    learning_rate: float = option(
        "Highest learning rate of AdamW; reached after the warm-up, then decreases as a cosine to "
        "zero.",
        0.001,
        gt=0,
        le=1,
    )
    warmup: float = option(
        "Share of all steps over which the learning rate rises linearly.", 0.1, ge=0, lt=1
    )
    fine_tuning_rate: float = option(
        "Highest learning rate in place of `learning_rate` if `pretraining` is `simulation`.",
        0.0003,
        gt=0,
        le=1,
    )
    weight_decay: float = option(
        "Decoupled weight decay of AdamW; not applied to normalization layers and biases.",
        0.05,
        ge=0,
        le=10,
    )
    label_smoothing: float = option(
        "Share by which the outcomes are moved toward one half during training.", 0.0, ge=0, lt=1
    )
    imbalance: Imbalance = option(
        "`weighted` gives cured and not cured patients the same total weight in the loss and then "
        "removes the shift that this causes from the logit, so that probabilities stay calibrated "
        "to the training set's own cure rate; `none` leaves the loss as it is.",
        Imbalance.NONE,
    )
    early_stopping: EarlyStoppingConfig = block(EarlyStoppingConfig)
    augmentation: AugmentationConfig = block(AugmentationConfig)
    precision: Precision = option(
        "`auto` is bfloat16 mixed precision with channels-last tensors on a GPU that supports it "
        "and float32 elsewhere.",
        Precision.AUTO,
    )
    threads: int = option(
        "CPU threads of a training job; with another number of threads, results differ in their "
        "last bits.",
        4,
        unit="threads",
        ge=1,
        le=256,
    )
    gpus: int = option(
        "GPUs of a training job; 0 trains on the CPU. The members of a split are separate jobs "
        "that run in parallel, so 1 is best if a batch fits on one GPU. Several GPUs are on one "
        "node and share every batch.",
        0,
        unit="GPUs",
        ge=0,
        le=16,
    )
    allow_cpu: bool = option(
        "Whether a job that requests a GPU but finds none continues on the CPU (slowly) instead of "
        "stopping.",
        False,
    )

    @model_validator(mode="after")
    def _weights_are_named_by_their_hash(self) -> Self:
        if self.weights != RANDOM and self.sha256 is None:
            raise FaultsError([(("sha256",), f"missing, expected the SHA-256 of {self.weights!r}")])
        return self

    @model_validator(mode="after")
    def _initial_weights_fit_the_architecture(self) -> Self:
        compact = self.architecture is Architecture.COMPACT
        if self.pretraining is Pretraining.SIMULATION and self.weights != RANDOM:
            text = f"{self.weights!r}, expected random: pretraining is simulation"
            raise FaultsError([(("weights",), text)])
        if compact and self.weights != RANDOM:
            raise FaultsError(
                [
                    (
                        ("weights",),
                        f"{self.weights!r}, expected random: files are read for resnet50 only",
                    )
                ]
            )
        return self

    def image_faults(self, image: ImageConfig) -> list[Fault]:
        """Return what is wrong with the images for this network."""
        faults: list[Fault] = []
        if self.architecture is Architecture.COMPACT and image.size < COMPACT_SIZE:
            text = (
                f"{image.size}, expected {COMPACT_SIZE} or more: the compact network sees as many"
            )
            faults.append((("image", "size"), text))
        relative = image.intensity is Intensity.RELATIVE
        if self.pretraining is Pretraining.SIMULATION and not relative:
            text = f"{image.intensity}, expected relative: network.pretraining is on such images"
            faults.append((("image", "intensity"), text))
        return faults

    def determining(self) -> dict[str, Any]:
        """Return, as plain data, all settings but those that do not change a trained network."""
        place: Mapping[str, bool | Mapping[str, bool]] = {
            "gpus": True,
            "allow_cpu": True,
            "threads": True,
            "simulation": {"folder": True},
        }
        return self.model_dump(mode="json", exclude=place)

    def needs_pretraining(self, image: ImageConfig) -> bool:
        """Return whether the rule `pretrain_network` makes the initial weights: none are shipped."""
        shipped = (
            self.architecture is Architecture.COMPACT and image.field_mm == PRETRAINED_FIELD_MM
        )
        return self.pretraining is Pretraining.SIMULATION and not shipped

    @property
    def highest_rate(self) -> float:
        """Highest learning rate of the training."""
        pretrained = self.pretraining is Pretraining.SIMULATION
        return self.fine_tuning_rate if pretrained else self.learning_rate
