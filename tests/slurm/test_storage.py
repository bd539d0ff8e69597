"""A full disk, a read-only folder, a clock that was ahead."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.slurm.conftest import Toy, message
from thyrocast import fileio


@pytest.fixture
def small_disk(toy: Toy) -> Iterator[Path]:
    """The results of the miniature study on a file system of 64 KiB."""
    results = toy.folder / "results"
    results.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(results))
    require(mounted, "needs the right to mount a tmpfs")
    yield results
    subprocess.run(["umount", str(results)], check=True)


def test_a_full_disk_is_an_error_before_a_memory_map_is_written(small_disk: Path) -> None:
    """Writing through the map would end the process without a message."""
    file = small_disk / "images.npy"
    with file.open("wb") as sparse:
        sparse.truncate(1_000_000)
    with pytest.raises(OSError, match="No space left"):
        fileio.reserve(file)
    file.unlink()


def _mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True).returncode == 0


def test_disk_full_read_only_and_clock_ahead(
    toy: Toy, small_disk: Path, undisturbed: dict[str, bytes]
) -> None:
    filler = small_disk / ".filler"
    with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    output = toy.start("--retries=0").finish(success=False)
    assert "No space left on device" in message(output, "standardize_images center=east")
    assert not (small_disk / "east.csv").exists()

    filler.write_bytes(b"")  # not deleted: Snakemake would remove an empty folder
    assert _mount("-o", "remount,ro", str(small_disk))
    output = toy.start("--retries=0").finish(success=False)
    assert "Read-only file system" in output

    assert _mount("-o", "remount,rw", str(small_disk))
    toy.start().finish()
    assert toy.results == undisturbed

    # the clock of a file server was a day ahead for a while
    ahead = time.time() + 86_400
    for name in ("cohort.csv", "full/weights.txt"):
        os.utime(small_disk / name, (ahead, ahead))
    for name in ("fold-1/weights.txt", "report.html"):
        (small_disk / name).unlink()
    toy.start().finish()
    assert toy.results == undisturbed
    assert "Nothing to be done" in toy.start("--dry-run").finish()
