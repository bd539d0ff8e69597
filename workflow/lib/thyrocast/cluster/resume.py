"""Resume a study whose Snakemake was killed while it controlled SLURM jobs.

::

    make resume                       # wait for the jobs that still run, then continue
    make resume CANCEL=1              # cancel them first; trainings resume from their state
    python workflow/scripts/resume.py [--cancel] [--gone] --profile slurm [more for snakemake]

If Snakemake is killed, its jobs stay in the queue and run to their end. A new Snakemake would submit
them a second time, and two jobs would write the same files. This command therefore waits for the jobs
(or cancels them), removes the lock, lets Snakemake record what they finished, and runs Snakemake.
Without these records, a later change of code or config would not be noticed.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import yaml
from snakemake.cli import parse_args

from thyrocast.cluster import queue, slurm
from thyrocast.planning import controller

# Seconds that a scheduler may be down.
PATIENCE_S = 3600
# Seconds between two sentences about the same wait.
REPEAT_S = 300
# What Snakemake's summary says about outputs whose record is that of other code or another config.
OUTDATED = ("params changed", "rule implementation changed", "set of input files changed")
# Files and folders of the project that results depend on.
SOURCES = ("Snakefile", "workflow", "config", "envs")


@dataclass(frozen=True)
class Command:
    """The Snakemake command to run.

    Attributes
    ----------
    arguments
        All of its arguments.
    targets
        Those that are targets of the run.
    sources
        Files and folders that results depend on.
    study
        Name of the study; empty if the config does not name one, as in a workflow that imports
        this one for several studies.
    """

    arguments: list[str]
    targets: list[str]
    sources: list[Path]
    study: str

    @property
    def without_targets(self) -> list[str]:
        """The arguments for the preparation, which has other targets."""
        return [word for word in self.arguments if word not in self.targets and word != "--"]


def read_command(arguments: list[str]) -> Command:
    """Let Snakemake parse its arguments; change to the study's folder if they name one."""
    parsed = parse_args(arguments)[1]
    if parsed.directory:
        given, absolute = str(parsed.directory), os.path.abspath(parsed.directory)
        arguments = [
            absolute if word == given else word.replace(f"={given}", f"={absolute}")
            for word in arguments
        ]
        os.chdir(absolute)
    project = Path(parsed.snakefile or "Snakefile").parent
    return Command(
        arguments,
        targets=list(parsed.targets or []),
        sources=[*(project / name for name in SOURCES), *map(Path, parsed.configfile or [])],
        study=_study(parsed.configfile or [Path("config/config.yaml")], parsed.config or []),
    )


def _study(files: Sequence[str | Path], options: Sequence[str]) -> str:
    """Return the study that config files and ``--config`` name, the last one counts."""
    named = [word.partition("=")[2] for word in options if str(word).startswith("study=")]
    for file in reversed([Path(name) for name in files]):
        if file.is_file() and not named:
            block = yaml.safe_load(file.read_text(encoding="utf-8"))
            if isinstance(block, dict) and block.get("study"):
                named.append(str(block["study"]))
    known = list(controller.records())
    if not named and len(known) == 1:
        return known[0]
    return named[-1] if named else ""


def lock_study(study: str) -> IO[str]:
    """Lock a study against a second `make resume` until the returned file is closed."""
    file = Path(f".snakemake/resume{f'-{study}' if study else ''}.lock")
    file.parent.mkdir(exist_ok=True)
    lock = file.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("Another `make resume` is running in this folder: wait until it has finished.")
    except OSError:
        pass  # a file system without locks
    return lock


class _Progress:
    """Prints what is waited for: at once if it changes, otherwise every few minutes."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._start = self._last = now()
        self._text = ""

    def say(self, text: str) -> None:
        """Print a sentence if it is new or was not printed for some time."""
        now = self._now()
        if text != self._text:
            self._text, self._start = text, now
            print(text, flush=True)
        elif now - self._last < REPEAT_S:
            return
        else:
            print(f"{text} (unchanged for {(now - self._start) / 60:.0f} min)", flush=True)
        self._last = now


def _cancel(found: Sequence[queue.Job]) -> None:
    command = ["scancel", *(job.number for job in found)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=queue.PATIENCE_S)
    except subprocess.TimeoutExpired:
        print(f"scancel does not answer within {queue.PATIENCE_S} s; asking again", flush=True)
        return
    if done.returncode:
        sys.exit(
            f"SLURM does not cancel these jobs: {queue.listed(list(found))} ({done.stderr.strip()}). Jobs of "
            "another user are cancelled by that user; `make resume` without CANCEL=1 waits for them."
        )


def wait(directory: Path, study: str, cancel: bool, seconds: float) -> None:
    """Wait until no job of a study's runs in this folder is in the queue.

    Parameters
    ----------
    directory
        The folder in which Snakemake runs.
    study
        Name of the study; empty for all studies.
    cancel
        Whether to cancel the jobs first.
    seconds
        Time between two queries of the queue.
    """
    progress = _Progress()
    action = "Cancelling" if cancel else "Waiting for"
    while found := _jobs(directory, study, seconds, progress):
        if cancel:
            _cancel(found)
        progress.say(f"{action} {len(found)} jobs: {queue.listed(found)}")
        time.sleep(1 if cancel else seconds)


def _jobs(directory: Path, study: str, seconds: float, progress: _Progress) -> list[queue.Job]:
    """Return the jobs; repeat for an hour until the scheduler answers."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            if study:
                return slurm.jobs_of_study(directory, study, queue.PATIENCE_S)
            return queue.jobs(directory, queue.PATIENCE_S)
        except RuntimeError as error:
            if time.monotonic() > end or not shutil.which("squeue"):
                sys.exit(str(error))
            progress.say(f"{error}; asking again")
            time.sleep(seconds)


def start_of_lost_run(study: str) -> float:
    """Return the start of the lost run's first job as a Unix time; now if there is none."""
    names = [study] if study else list(controller.records())
    files = [file for name in names if (file := controller.record(name)).exists()]
    return min((file.stat().st_mtime for file in files), default=time.time())


def changed_since(start: float, sources: Sequence[Path]) -> list[str]:
    """Return the sources, files or folders, that are newer than the start of a run."""
    files = [
        file
        for source in sources
        for file in ([source] if source.is_file() else source.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    return [str(file) for file in files if file.stat().st_mtime > start]


def unfinished() -> set[str]:
    """Return the outputs that were started and not finished, as Snakemake marks them."""
    marks = Path(".snakemake/incomplete")
    found = set()
    for file in marks.rglob("*"):
        if file.is_file():
            name = "".join(part.removeprefix("@") for part in file.relative_to(marks).parts)
            found.add(base64.urlsafe_b64decode(name).decode())
    return found


def _run(snakemake: list[str], option: str) -> str:
    """Run Snakemake and return what it prints; stop with its message if it fails."""
    done = subprocess.run([*snakemake, option], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{(done.stderr or done.stdout).strip()}\nNothing was resumed.")
    return done.stdout


def unrecorded(snakemake: list[str], start: float) -> list[str]:
    """Return complete outputs for which Snakemake has no record, or one of an earlier run."""
    summary = _run(snakemake, "--summary")
    started = unfinished()
    if started:
        print("Outputs that were started and not finished will be computed again.")
    found = []
    for line in summary.splitlines()[1:]:
        output, date, _rule, log, status, _plan = line.split("\t")
        if date == "-" or output in started:
            continue
        rewritten = status in OUTDATED and Path(output).stat().st_mtime >= start
        if rewritten or (log == "-" and status == "ok"):
            found.append(output)
    return found


def adopt(command: Command) -> list[str]:
    """Remove the lock and record what the lost run's jobs finished.

    Returns
    -------
    list of str
        Arguments for the Snakemake that continues. If code or config changed since the lost run
        began, the outputs without a record are not recorded but computed again.
    """
    snakemake = [sys.executable, "-m", "snakemake", *command.without_targets]
    print("Looking for outputs that the lost run left without a record.", flush=True)
    _run(snakemake, "--unlock")
    start = start_of_lost_run(command.study)
    finished = unrecorded(snakemake, start)
    if not finished:
        return command.arguments
    changes = changed_since(start, command.sources)
    if changes:
        print(f"Changed since the lost run: {', '.join(changes[:5])}.")
        print(f"{len(finished)} outputs that it left without a record are computed again.")
        targets = ["--", *command.targets] if command.targets else []
        return [*command.without_targets, "--forcerun", *finished, *targets]
    print(f"Recording {len(finished)} outputs that jobs of the lost run finished.")
    touch = [*snakemake, "--touch", "--force", "--quiet", "all", "--", *finished]
    if subprocess.run(touch).returncode:
        sys.exit("Recording failed: is another Snakemake, or `make resume`, running here?")
    return command.arguments


def main() -> None:
    """Run the command line; Snakemake finally replaces this process."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n")[0],
        epilog="All other arguments are passed to snakemake; the default is --profile slurm.",
        allow_abbrev=False,
    )
    parser.add_argument("--cancel", action="store_true", help="cancel the jobs of the lost run")
    parser.add_argument("--gone", action="store_true", help="the earlier Snakemake is not running")
    parser.add_argument("--every", type=float, default=15, help="seconds between checks (15)")
    options, others = parser.parse_known_args()
    command = read_command(others or ["--profile", "slurm"])
    lock = lock_study(command.study)
    names = [command.study] if command.study else list(controller.records())
    living = next(filter(None, map(slurm.living_controller, names)), "")
    if living and not options.gone:
        sys.exit(
            f"A Snakemake may still control this folder: {living}. Stop it there, or, if you are "
            "sure that it is not running any more, add --gone (make resume GONE=1)."
        )
    if hidden := next(filter(None, map(slurm.hidden_run, names)), ""):
        sys.exit(hidden)
    wait(Path.cwd(), command.study, options.cancel, options.every)
    snakemake = [sys.executable, "-m", "snakemake", *adopt(command)]
    print(shlex.join(snakemake), flush=True)
    # Replaces this process, so that Ctrl-C reaches Snakemake; the lock is kept.
    os.set_inheritable(lock.fileno(), True)
    os.execv(sys.executable, snakemake)
