"""Logging of one job, to its log file and to the terminal.

Standard library only, since every environment imports it.
"""

import logging
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

from thyrocast import versions

#: Last line of the log of a job whose input is wrong: SLURM runs such a job once.
FINAL = "Another attempt would fail in the same way."


def start(
    file: str | Path, rule: str, wildcards: Iterable[str] = (), *, append: bool = False
) -> logging.Logger:
    """Send the package's log to a file and to stderr, each line with the name of the job.

    Parameters
    ----------
    file
        The rule's log file; its folder is created if needed.
    rule, wildcards
        The name of the job, which distinguishes the lines of jobs that run in parallel.
    append
        Whether another process of the same job has already started the log.
    """
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    job = "/".join(str(part) for part in wildcards)
    name = f"{rule} {job}" if job else rule
    logger = logging.getLogger("thyrocast")
    logger.setLevel(logging.INFO)
    logger.handlers.clear()
    stamped = logging.Formatter(f"%(asctime)s [{name}] %(levelname)s %(message)s")
    short = logging.Formatter(f"[{name}] %(message)s")
    mode = "a" if append else "w"
    file_handler = logging.FileHandler(path, mode=mode, encoding="utf-8")
    for handler, form in ((file_handler, stamped), (logging.StreamHandler(sys.stderr), short)):
        handler.setFormatter(form)
        logger.addHandler(handler)
    sys.excepthook = _explain
    if append:
        return logger
    if "SLURM_JOB_ID" in os.environ:
        logger.info("SLURM job %s", os.environ["SLURM_JOB_ID"])
    # Otherwise a wrong environment would be noticed only later, in another job.
    logger.info("Python %s in %s on %s", platform.python_version(), sys.prefix, platform.node())
    # Only for the file: provenance reads it there.
    file_handler.handle(
        logger.makeRecord(logger.name, logging.INFO, "", 0, versions.log_line(), (), None)
    )
    return logger


def is_final(file: str | Path) -> bool:
    """Return whether a job's log says that another attempt would fail in the same way."""
    path = Path(file)
    if not path.is_file():
        return False
    with path.open("rb") as lines:
        lines.seek(max(0, path.stat().st_size - 8192))
        return FINAL.encode() in lines.read()


def _explain(kind: type[BaseException], error: BaseException, trace: object) -> None:
    """Log an uncaught error; for bad input only its sentence, without a traceback."""
    from thyrocast.errors import InputError

    logger = logging.getLogger("thyrocast")
    if issubclass(kind, InputError):
        logger.error("%s", error)
        logger.error(FINAL)
    else:
        logger.error("failed", exc_info=(kind, error, trace))  # type: ignore[arg-type]  # a traceback
