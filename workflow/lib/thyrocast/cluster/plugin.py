"""Whether the installed SLURM plugin is the release whose parts `thyrocast.cluster.executor` replaces.

It imports nothing of the plugin: another release may have other names.
"""

from importlib import metadata
from typing import Any

PACKAGE = "snakemake-executor-plugin-slurm"
#: The releases whose source was read and tested.
TESTED = {PACKAGE: "2.8", f"{PACKAGE}-jobstep": "0.6"}


class UntestedPluginError(ImportError):
    """The installed plugin is another release than the tested one."""


def untested_version() -> str:
    """Return a sentence if the installed plugin is not the tested release, else ""."""
    for package, tested in TESTED.items():
        found = metadata.version(package)
        if found.split(".")[:2] != tested.split("."):
            return (
                f"{package} {found} is installed, but this workflow replaces parts of release {tested} "
                f"and was not tested with another one: pip install '{package}=={tested}.*'"
            )
    return ""


def check() -> None:
    """Stop the import of what replaces parts of the plugin.

    Raises
    ------
    UntestedPluginError
        The installed plugin is not the tested release.
    """
    if fault := untested_version():
        raise UntestedPluginError(fault)


def refuse(fault: str) -> None:
    """Let Snakemake stop with a sentence if it is to run jobs on SLURM; other runs are not affected."""
    from snakemake_interface_common.exceptions import WorkflowError
    from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

    def executor(*_: Any, **__: Any) -> None:
        raise WorkflowError(fault)

    plugins = ExecutorPluginRegistry().plugins
    for name in ("slurm", "slurm-jobstep"):
        if name in plugins:
            plugins[name].executor = executor
