"""Install a lock with pip: a line at the start, one every ten seconds, one at the end.

::

    .venv/bin/python requirements/install.py local "PyTorch and what a study needs"

pip prints hundreds of lines and is then silent while it unpacks several GB. It installs only files whose
hash is in the lock. Standard library only.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
INTERVAL_S = 10.0


def size_gb(folder: Path) -> float:
    """Return the size of all files below a folder in GB; files may vanish while they are counted."""
    total, pending = 0, [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total / 1e9


def run(command: list[str], target: Path, interval: float = INTERVAL_S) -> int:
    """Run pip, report its progress, and print its output if it fails.

    Parameters
    ----------
    command
        The command line.
    target
        Folder that packages are installed into.
    interval
        Seconds between two lines.

    Returns
    -------
    int
        pip's exit status.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as downloads, tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command,
            env=os.environ | {"TMPDIR": downloads},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        while True:
            try:
                status = process.wait(interval)
                break
            except subprocess.TimeoutExpired:
                # nothing is downloaded where pip has the packages in its cache
                fetched = size_gb(Path(downloads))
                parts = [f"{fetched:.1f} GB downloaded"] if fetched >= 0.05 else []
                parts.append(f"{size_gb(target):.1f} GB unpacked")
                print(f"  {time.monotonic() - start:.0f} s: {', '.join(parts)}", flush=True)
        if status:
            output.seek(0)
            print(output.read(), file=sys.stderr, end="")
            print(f"  failed after {time.monotonic() - start:.0f} s", file=sys.stderr)
            return status
    print(f"  done in {time.monotonic() - start:.0f} s, {size_gb(target):.1f} GB in {target}")
    return 0


def main() -> int:
    """Install the lock that the command line names; return pip's exit status."""
    name, what = sys.argv[1:3]
    lock = HERE / f"{name}.txt"
    packages = sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())
    print(f"Installing {what} ({packages} packages of requirements/{lock.name})", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--progress-bar", "off"]
    # A file that is not the one that was locked is refused, whichever index offers it.
    command += ["--disable-pip-version-check", "--require-hashes", "--requirement", str(lock)]
    return run(command, Path(sysconfig.get_path("purelib")))


if __name__ == "__main__":
    sys.exit(main())
