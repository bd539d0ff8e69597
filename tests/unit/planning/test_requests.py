"""Memory and time that jobs request follow the size of their work."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thyrocast.network import embedding
from thyrocast.planning import requests

SMALL = requests.Work(
    size=64, patients=100, members=6, batch=16, explained=32, cells=7, epochs=60, gpus=0, threads=4
)
LARGE = replace(SMALL, size=224, patients=1000)
# Peaks of benchmarks/memory.py on a processor, MB; with two Snakemake processes around each job.
MEASURED = {
    "train_mb": {(64, 100, 16): 1289, (64, 1000, 16): 1304, (224, 100, 16): 2911},
    "embed_mb": {(64, 100, 16): 1099, (224, 32, 16): 1601},
    "explain_mb": {(64, 100, 16): 1004, (224, 128, 16): 1309},
    "draw_mb": {(64, 100, 16): 120, (224, 1000, 16): 386},
    "signature_mb": {(64, 100, 16): 738, (64, 1000, 16): 883},
}


@pytest.mark.parametrize(
    ("name", "work", "peak"),
    [
        (name, replace(SMALL, size=size, patients=patients, batch=batch), peak)
        for name, peaks in MEASURED.items()
        for (size, patients, batch), peak in peaks.items()
    ],
)
def test_a_request_is_more_than_what_was_used_and_at_most_twice_as_much(
    name: str, work: requests.Work, peak: float
) -> None:
    used = peak + requests.LAUNCHER_MB
    asked = getattr(work, name)()
    assert 1.1 * used <= asked <= 2 * used


def test_requests_grow_with_the_work() -> None:
    assert SMALL.train_mb() < LARGE.train_mb() < replace(LARGE, batch=64).train_mb()
    assert SMALL.embed_mb() < LARGE.embed_mb()
    assert SMALL.explain_mb() < LARGE.explain_mb() < replace(LARGE, explained=64).explain_mb()
    assert SMALL.draw_mb() < replace(SMALL, patients=50_000).draw_mb()
    assert LARGE.draw_mb() < replace(LARGE, cells=14, patients=50_000).draw_mb()
    assert SMALL.draw_minutes() == 60 < replace(LARGE, patients=100_000).draw_minutes()
    assert SMALL.signature_mb() < LARGE.signature_mb() < replace(LARGE, members=11).signature_mb()
    assert SMALL.train_minutes() == 60  # no attempt is shorter
    assert LARGE.train_minutes() > SMALL.train_minutes()
    assert replace(LARGE, patients=10_000).apply_minutes() > LARGE.apply_minutes()
    assert replace(LARGE, patients=10**9).train_minutes() == 7 * 24 * 60


def test_a_gpu_job_asks_for_the_host_memory_of_its_processes() -> None:
    assert replace(SMALL, gpus=1).train_mb() == 8_000
    assert replace(SMALL, gpus=4).train_mb() == 32_000
    # Embeddings and maps use one GPU, whatever a training uses.
    assert replace(SMALL, gpus=4).embed_mb() == replace(SMALL, gpus=4).explain_mb() == 8_000
    assert replace(LARGE, gpus=1).train_minutes() < LARGE.train_minutes()


def test_patients_are_counted_by_the_size_of_the_images(tmp_path: Path) -> None:
    file = tmp_path / "images.npy"
    assert requests.patients_of(file, 32) is None
    for n in (1, 7):
        np.save(file, np.zeros((n, 32, 32), np.float32))
        assert requests.patients_of(file, 32) == n


def test_the_embedded_batch_is_that_of_the_code() -> None:
    assert requests._EMBEDDED_AT_ONCE == embedding.BATCH
