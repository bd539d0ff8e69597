"""Seconds to index a folder of scintigrams, the first time and when nothing has changed.

python benchmarks/index.py [files, 10000] [processes, 2]
"""

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "lib")]

from tests.unit.example_scans import neck, nm, save  # noqa: E402 - after the path is set
from thyrocast.dicom.index import index_folder  # noqa: E402 - after the path is set


def main(count: int, processes: int) -> None:
    """Write ``count`` files of 256 x 256 pixels and index them twice."""
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name) / "dicom", Path(name) / "index"
        data = save(nm(neck(256, 1.6)), folder / "first").read_bytes()
        for number in range(1, count):
            path = folder / f"{number % 100:02d}" / f"{number:06d}"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        for what in ("first", "unchanged"):
            started = time.perf_counter()
            records = index_folder(folder, cache, processes)
            seconds = time.perf_counter() - started
            print(f"{what}: {len(records)} files in {seconds:.1f} s with {processes} processes")
            time.sleep(2.5)  # what was written within two seconds is read again


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*given, *(10_000, 2)[len(given) :])
