"""Memory and time that jobs request, from image size, batch size and number of patients.

The constants were measured with `benchmarks/memory.py` on a processor; docs/hpc.md has the figures.
Standard library only: every job imports this while parsing.
"""

import math
from dataclasses import dataclass
from pathlib import Path

#: Resident memory of the two Snakemake processes around a job, MB.
LAUNCHER_MB = 300
#: A request is larger than the estimate by this factor: libraries and machines differ.
MARGIN = 1.25
#: Least host memory of a process that uses a GPU, MB. Not measured: CUDA's libraries need some GB.
GPU_PROCESS_MB = 8_000
#: Requests are rounded up to a multiple of this, MB.
STEP_MB = 100

#: Peak without images: Python, PyTorch, weights, gradients, moments and the best weights, MB.
_TRAIN_MB, _EMBED_MB, _EXPLAIN_MB = 1_250, 1_050, 985
#: Activations of a training image, of an embedded and of an explained one, MB per pixel.
_TRAIN_PIXEL_MB, _EMBED_PIXEL_MB, _EXPLAIN_PIXEL_MB = 0.0022, 0.00034, 0.00021
#: Images that are embedded at once (`network.embedding.BATCH`).
_EMBEDDED_AT_ONCE = 32
#: Peak of the pictures of maps without images, MB; of a patient's shares at random places, MB per cell of
#: the map; and time of a picture, s per pixel.
_DRAW_MB, _PLACE_MB, _DRAW_PIXEL_S = 300, 0.0001, 3e-6
#: A patient's embedding by one network in the copies that the signature makes, MB.
_SIGNATURE_MB, _EMBEDDING_MB, _CURVE_EMBEDDING_MB = 700, 0.03, 0.12
#: Time of one fit of all models of a split, s per patient (docs/stability.md).
_REFIT_S = 0.08
#: Time in which a core draws a phantom, s; memory of a process that does, MB.
_PHANTOM_S, _DRAWING_MB = 0.05, 300
#: Operations of one forward pass of the ResNet50 per pixel; training needs three times as many.
_FLOP_PER_PIXEL = 165_000.0
#: The same of the compact network, and the pixels per side that it sees whatever the image's size.
_COMPACT_FLOP_PER_PIXEL, _COMPACT_SIZE = 21_000.0, 64
#: Rates that a job should reach at least, FLOP/s: of one processor core, and of one GPU. They are cautious
#: guesses; a training that reaches its limit is resumed with twice the time.
_CORE_RATE, _GPU_RATE = 1e10, 5e12
#: Least and largest time of a first attempt, minutes.
_SHORTEST, _LONGEST = 60, 7 * 24 * 60


@dataclass(frozen=True)
class Work:
    """The size of a study, on which its requests depend.

    Attributes
    ----------
    size
        Pixels per side of an image.
    patients
        Patients of the cohort, or at least as many.
    members
        Networks of a split.
    batch
        Patients per step of a training.
    explained
        Images explained at once.
    cells
        Cells along one side of a map.
    epochs
        Largest number of epochs.
    gpus, threads
        GPUs and processor threads of a training.
    refits
        Fits of one job that assesses the stability of models.
    compact
        Whether the network is the compact one.
    phantoms, phantoms_at_once
        Simulated scintigrams of a pretraining, and those of one of its steps.
    """

    size: int
    patients: int
    members: int
    batch: int
    explained: int
    cells: int
    epochs: int
    gpus: int
    threads: int
    refits: int = 1
    compact: bool = False
    phantoms: int = 1
    phantoms_at_once: int = 1

    def _rate(self, gpus: int) -> float:
        return gpus * _GPU_RATE if gpus else self.threads * _CORE_RATE

    @property
    def pixels(self) -> int:
        """Pixels of an image, as far as the network sees them."""
        return min(self.size, _COMPACT_SIZE) ** 2 if self.compact else self.size**2

    @property
    def flop(self) -> float:
        """Operations of one forward pass."""
        return self.pixels * (_COMPACT_FLOP_PER_PIXEL if self.compact else _FLOP_PER_PIXEL)

    def train_mb(self) -> int:
        """Memory of a training, MB."""
        own = _TRAIN_MB + self.batch * self.pixels * _TRAIN_PIXEL_MB
        return _rounded(own, self.gpus)

    def embed_mb(self) -> int:
        """Memory of the embeddings of a split, MB; the files that it maps are not counted."""
        own = _EMBED_MB + _EMBEDDED_AT_ONCE * self.pixels * _EMBED_PIXEL_MB
        return _rounded(own, min(1, self.gpus))

    def explain_mb(self) -> int:
        """Memory of Grad-CAM, MB."""
        own = _EXPLAIN_MB + self.explained * self.pixels * _EXPLAIN_PIXEL_MB
        return _rounded(own, min(1, self.gpus))

    def draw_mb(self) -> int:
        """Memory of the pictures of a design's maps and of their shares at random places, MB."""
        return _rounded(_DRAW_MB + self.patients * self.cells**2 * _PLACE_MB)

    def draw_minutes(self) -> int:
        """Time of the pictures of a design, minutes."""
        return _minutes(self.patients * self.size**2 * _DRAW_PIXEL_S)

    def signature_mb(self) -> int:
        """Memory of the signature and the baselines of a split, MB."""
        return _rounded(_SIGNATURE_MB + self.patients * self.members * _EMBEDDING_MB)

    def curve_mb(self) -> int:
        """Memory of a learning curve: the embeddings as they are, and mapped to the space of every fold, MB."""
        return _rounded(_SIGNATURE_MB + self.patients * self.members * _CURVE_EMBEDDING_MB)

    def refit_minutes(self) -> int:
        """Time in which the models of a split are fitted again as often as one job does, minutes."""
        return _minutes(self.patients * self.refits * _REFIT_S)

    def train_minutes(self) -> int:
        """Time of a training without early stopping, minutes."""
        work = self.patients * self.epochs * 3 * self.flop
        return _minutes(work / self._rate(self.gpus))

    def pretrain_mb(self) -> int:
        """Memory of a pretraining and of the processes that draw its phantoms, MB."""
        own = _TRAIN_MB + self.phantoms_at_once * self.pixels * _TRAIN_PIXEL_MB
        return _rounded(own + (self.threads - 1) * _DRAWING_MB, min(1, self.gpus))

    def pretrain_minutes(self) -> int:
        """Time of a pretraining, minutes."""
        drawing = self.phantoms * _PHANTOM_S / max(1, self.threads - 1)
        return _minutes(drawing + self.phantoms * 3 * self.flop / self._rate(min(1, self.gpus)))

    def apply_minutes(self) -> int:
        """Time in which all networks of a split are applied to all patients, minutes."""
        work = self.patients * self.members * self.flop
        return _minutes(work / self._rate(min(1, self.gpus)))


def _rounded(own_mb: float, gpus: int = 0) -> int:
    """Return a request, MB, for a job that needs so much itself."""
    estimate = MARGIN * (LAUNCHER_MB + own_mb)
    return STEP_MB * math.ceil(max(estimate, gpus * GPU_PROCESS_MB) / STEP_MB)


def _minutes(seconds: float) -> int:
    return min(max(_SHORTEST, 10 * math.ceil(MARGIN * seconds / 600)), _LONGEST)


def patients_of(images: Path, size: int) -> int | None:
    """Return the number of patients from the size of a cohort's images; None if there are none yet.

    Parameters
    ----------
    images
        ``cohort/images.npy``, 32 bits per pixel.
    size
        Pixels per side of an image.
    """
    try:
        return images.stat().st_size // (4 * size**2)
    except OSError:
        return None
