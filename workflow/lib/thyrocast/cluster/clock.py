"""Correct files with a date in the future, written while a file server's clock was ahead.

Standard library only; Snakemake's ``onstart`` calls it.
"""

import os
import time
from pathlib import Path


def correct_dates(*folders: str | Path, margin: float = 1.0) -> int:
    """Set dates in the future to the current time; the files keep their order.

    Snakemake fails a job whose output is older than its input. Today, an input dated
    tomorrow would fail every job that reads it; a long training would fail only at its end.

    Parameters
    ----------
    folders
        Where the study writes; links are not followed.
    margin
        Seconds by which clocks may differ.

    Returns
    -------
    int
        Number of files whose date was changed.
    """
    now = time.time()
    ahead = [
        (path.lstat().st_mtime_ns, path)
        for folder in folders
        for path in Path(folder).rglob("*")
        if not path.is_symlink() and path.lstat().st_mtime > now + margin
    ]
    corrected = 0
    for place, (_, path) in enumerate(sorted(ahead)):
        # a millisecond apart, so that an output stays newer than its input
        stamp = int(now * 1e9) - (len(ahead) - place) * 1_000_000
        try:
            os.utime(path, ns=(stamp, stamp))
        except PermissionError:  # of another user of the group, for whom its date is corrected
            continue
        corrected += 1
    return corrected
