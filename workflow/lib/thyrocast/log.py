"""Logging of one job: to its log file and, for whoever watches, to the terminal.

Standard library only, since every environment imports it.
"""

import logging
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

from thyrocast import versions


def start(
    file: str | Path, rule: str, wildcards: Iterable[str] = (), *, more: bool = False
) -> logging.Logger:
    """Send the package's log to ``file`` and to stderr; each line starts with the job's name.

    Parameters
    ----------
    file
        The rule's log file; its folder is created if it is missing.
    rule, wildcards
        Name the job, so that the lines of jobs that run at the same time can be told apart.
    more
        Whether this is a further process of a job whose log another process has started.
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
    file_handler = logging.FileHandler(path, mode="a" if more else "w", encoding="utf-8")
    for handler, form in ((file_handler, stamped), (logging.StreamHandler(sys.stderr), short)):
        handler.setFormatter(form)
        logger.addHandler(handler)
    sys.excepthook = _explain
    if more:
        return logger
    if "SLURM_JOB_ID" in os.environ:
        logger.info("SLURM job %s", os.environ["SLURM_JOB_ID"])
    # Which environment ran the job: the effects of a wrong one show only later, and elsewhere.
    logger.info("Python %s in %s", platform.python_version(), sys.prefix)
    # Only for the file: provenance reads it there.
    file_handler.handle(
        logger.makeRecord(logger.name, logging.INFO, "", 0, versions.log_line(), (), None)
    )
    return logger


def _explain(kind: type[BaseException], error: BaseException, trace: object) -> None:
    """Log an uncaught error; for bad input, its one sentence without a traceback."""
    from thyrocast.errors import InputError

    logger = logging.getLogger("thyrocast")
    if issubclass(kind, InputError):
        logger.error("%s", error)
    else:
        logger.error("failed", exc_info=(kind, error, trace))  # type: ignore[arg-type]
