"""When, where and with how much time and memory each job of a study ran; from logs and benchmarks."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from thyrocast import versions
from thyrocast.planning import derived, fingerprints

_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ \[")
# Bytes of a log in which its first lines are.
_HEAD = 20_000
#: Power of one busy core and of one GB of memory, W (Lannelongue et al. 2021, Green Algorithms).
CORE_W, MEMORY_W_PER_GB = 12.0, 0.3725


@dataclass(frozen=True)
class JobRun:
    """A job's last run.

    Attributes
    ----------
    name
        Rule and wildcards, separated by slashes.
    rule
        Name of the rule.
    start, end
        First and last entry of its log, with the time zone of this machine.
    node, slurm, gpu
        Name of the machine, number of the SLURM job and model of the GPU; empty if not known.
    seconds, cpu_seconds, memory_mb
        Measured by Snakemake; None for rules without a benchmark.
    versions
        Python and the packages that the job's code imports, as it recorded them in its log.
    """

    name: str
    rule: str
    start: datetime
    end: datetime
    node: str = ""
    slurm: str = ""
    gpu: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    memory_mb: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def energy_wh(self) -> float | None:
        """Estimate of the energy of processor and memory, Wh; GPUs and cooling are not included."""
        if self.seconds is None or self.cpu_seconds is None or self.memory_mb is None:
            return None
        memory = self.seconds * self.memory_mb / 1024 * MEMORY_W_PER_GB
        return (self.cpu_seconds * CORE_W + memory) / 3600


def read(logs: Path, benchmarks: Path) -> Iterator[JobRun]:
    """Yield every job that has a log, by name.

    Parameters
    ----------
    logs, benchmarks
        Folders of a study.
    """
    imports: dict[str, set[str]] = {}
    for file in sorted(logs.rglob("*.log")):
        name = str(file.relative_to(logs).with_suffix(""))
        if name.startswith("slurm/"):
            continue
        with file.open(encoding="utf-8", errors="replace") as lines:
            head = lines.read(_HEAD)
            times = [found[1] for line in head.splitlines() if (found := _LINE.match(line))]
            times += [found[1] for line in lines if (found := _LINE.match(line))][-1:]
        if not times:
            continue
        measured = _measured(benchmarks / f"{name}.tsv")
        rule = name.partition("/")[0]
        if rule not in imports:
            script = derived.script_of(rule)
            known = (fingerprints.SCRIPTS / f"{script}.py").is_file()
            imports[rule] = fingerprints.imported_packages(script) if known else set()
        yield JobRun(
            name,
            rule,
            datetime.fromisoformat(times[0]).astimezone(),
            datetime.fromisoformat(times[-1]).astimezone(),
            node=_first(r" INFO Python \S+ in .* on (\S+)$", head),
            slurm=_first(r" INFO SLURM job (\d+)$", head),
            gpu=_first(r" INFO GPU (.+)$", head),
            seconds=measured.get("s"),
            cpu_seconds=measured.get("cpu_time"),
            memory_mb=measured.get("max_rss"),
            versions=versions.read(file, imports[rule]) or {},
        )


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.M)
    return found[1] if found else ""


def _measured(file: Path) -> dict[str, float]:
    if not file.exists():
        return {}
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    found = {}
    for name, cell in (rows[-1] if rows else {}).items():
        if re.fullmatch(r"\d+(\.\d+)?", cell or ""):
            found[name] = float(cell)
    return found
