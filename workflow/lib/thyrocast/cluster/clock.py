"""Files dated in the future, as a file server whose clock ran ahead leaves them.

Standard library only; Snakemake's ``onstart`` calls it.
"""

import os
import time
from pathlib import Path


def mend(*folders: str | Path, margin: float = 1.0) -> int:
    """Date files of the future as of now, in their old order, and return their number.

    Snakemake fails a job whose output is older than its input. An input from tomorrow would
    fail every job that reads it, a long training at its very end, until tomorrow has come.

    Parameters
    ----------
    folders
        Where the study writes; links are not followed.
    margin
        Seconds that clocks may differ.
    """
    now = time.time()
    ahead = [
        (path.lstat().st_mtime_ns, path)
        for folder in folders
        for path in Path(folder).rglob("*")
        if not path.is_symlink() and path.lstat().st_mtime > now + margin
    ]
    for place, (_, path) in enumerate(sorted(ahead)):
        # a millisecond apart: what was newer than its input stays newer
        stamp = int(now * 1e9) - (len(ahead) - place) * 1_000_000
        os.utime(path, ns=(stamp, stamp))
    return len(ahead)
