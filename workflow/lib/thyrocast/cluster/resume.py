"""Go on after a Snakemake that controlled SLURM jobs was killed: nothing twice, nothing half.

::

    make resume                       # wait for the jobs that still run, then go on
    make resume CANCEL=1              # cancel them first; trainings resume from their state
    python workflow/scripts/resume.py [--cancel] [--gone] --profile slurm [more for snakemake]

A killed controller leaves its jobs in the queue; they finish without it. Started again,
Snakemake would submit them a second time, on top of each other. So: wait for them (or cancel
them), remove the lock, record what they finished (Snakemake's records are the controller's work,
and without them a later change of code or config would not be noticed), and run Snakemake.
"""

import argparse
import base64
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from snakemake.cli import parse_args

from thyrocast.cluster import slurm

# An hour, as in profiles/slurm.
PATIENCE_S = 3600
# What a summary says of outputs whose record is that of other code or another config.
OUTDATED = ("params changed", "rule implementation changed", "set of input files changed")
# what the lost run's results depend on
SOURCES = ("Snakefile", "workflow", "config", "envs")


def only_one() -> IO[str]:
    """Keep a second recovery out of this folder for as long as the file that is given stays open."""
    file = Path(".snakemake/resume.lock")
    file.parent.mkdir(exist_ok=True)
    lock = file.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("Another `make resume` is at work in this folder: let it go on.")
    except OSError:
        pass  # a file system without locks
    return lock


def wait(directory: Path, cancel: bool, seconds: float) -> None:
    """Return when no job of a run in this folder is left in the queue."""
    before: list[slurm.Job] = []
    while found := _patiently(directory, seconds):
        if cancel:
            subprocess.run(["scancel", *(job.number for job in found)], check=True)
        if found != before:
            print(
                f"{'Cancelling' if cancel else 'Waiting for'} {len(found)} jobs: "
                f"{slurm.listed(found)}",
                flush=True,
            )
        before = found
        time.sleep(1 if cancel else seconds)


def _patiently(directory: Path, seconds: float) -> list[slurm.Job]:
    """Ask for the jobs until the scheduler answers, for as long as a run itself would."""
    end = time.monotonic() + PATIENCE_S
    told = False
    while True:
        try:
            return slurm.jobs(directory)
        except RuntimeError as error:
            if time.monotonic() > end or not shutil.which("squeue"):
                sys.exit(str(error))
            if not told:
                print(f"{error}; asking again", flush=True)
            told = True
            time.sleep(seconds)


def start_of_lost_run() -> float:
    """Return when the lost run began its first job, in seconds of the epoch; now if there is none."""
    return slurm.RECORD.stat().st_mtime if slurm.RECORD.exists() else time.time()


def changed_since(start: float, sources: Sequence[str | Path]) -> list[str]:
    """Return the sources, files or folders, that are newer than the start of a run."""
    files = [
        file
        for source in map(Path, sources)
        for file in ([source] if source.is_file() else source.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    return [str(file) for file in files if file.stat().st_mtime > start]


def unfinished() -> set[str]:
    """Return the outputs that were begun and not finished, as Snakemake marks them."""
    marks = Path(".snakemake/incomplete")
    found = set()
    for file in marks.rglob("*"):
        if file.is_file():
            name = "".join(part.removeprefix("@") for part in file.relative_to(marks).parts)
            found.add(base64.urlsafe_b64decode(name).decode())
    return found


def unrecorded(command: list[str], start: float) -> list[str]:
    """Return complete outputs that Snakemake holds no record of, or one of an earlier run."""
    table = subprocess.run([*command, "--summary"], check=True, capture_output=True, text=True)
    begun = unfinished()
    if begun:
        print("Outputs that were begun and not finished will be made again.")
    found = []
    for line in table.stdout.splitlines()[1:]:
        output, date, _rule, log, status, _plan = line.split("\t")
        if date == "-" or output in begun:
            continue
        ours = status in OUTDATED and Path(output).stat().st_mtime >= start
        if ours or (log == "-" and status == "ok"):
            found.append(output)
    return found


def main() -> None:
    """Serve the command line."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n")[0],
        epilog="Everything else goes to snakemake; without it: --profile slurm.",
        allow_abbrev=False,
    )
    parser.add_argument("--cancel", action="store_true", help="cancel the jobs of the lost run")
    parser.add_argument("--gone", action="store_true", help="the earlier Snakemake is surely gone")
    parser.add_argument("--every", type=float, default=15, help="seconds between looks (15)")
    options, rest = parser.parse_known_args()
    rest = rest or ["--profile", "slurm"]
    parsed = parse_args(rest)[1]
    if parsed.directory:
        given, whole = str(parsed.directory), os.path.abspath(parsed.directory)
        rest = [whole if word == given else word.replace(f"={given}", f"={whole}") for word in rest]
        os.chdir(whole)
    # a run of its own needs the targets, the preparation names its own
    targets = list(parsed.targets or [])
    base = [word for word in rest if word not in targets and word != "--"]
    snakemake = [sys.executable, "-m", "snakemake"]

    alone = only_one()
    controller = slurm.living_controller()
    if controller and not options.gone:
        print(
            f"A Snakemake may still control this folder: {controller}. Stop it there, or, if it "
            "is surely gone, add --gone (make resume GONE=1).",
            file=sys.stderr,
        )
        sys.exit(1)
    wait(Path.cwd(), options.cancel, options.every)
    subprocess.run([*snakemake, *base, "--unlock"], check=True, stderr=subprocess.DEVNULL)
    start = start_of_lost_run()
    finished = unrecorded([*snakemake, *base], start)
    if finished:
        project = Path(parsed.snakefile or "Snakefile").parent
        sources = [project / source for source in SOURCES]
        changes = changed_since(start, [*sources, *(parsed.configfile or [])])
        if changes:
            print(f"Changed since the lost run: {', '.join(changes[:5])}.")
            print(f"{len(finished)} outputs that it left without a record are made again.")
            rest = [*base, "--forcerun", *finished, *(["--", *targets] if targets else [])]
        else:
            print(f"Recording {len(finished)} outputs that jobs of the lost run finished.")
            touch = [*snakemake, *base, "--touch", "--force", "--quiet", "all", "--", *finished]
            if subprocess.run(touch).returncode:
                sys.exit("That failed: is another Snakemake, or `make resume`, at work here?")
    print(shlex.join([*snakemake, *rest]), flush=True)
    # In our place, so that Ctrl-C reaches it and it has the time to cancel its jobs; and alone.
    os.set_inheritable(alone.fileno(), True)
    os.execv(sys.executable, [*snakemake, *rest])


if __name__ == "__main__":
    main()
