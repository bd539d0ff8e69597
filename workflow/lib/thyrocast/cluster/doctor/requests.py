"""Resources that the study's jobs request from SLURM, and whether it would accept the requests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from thyrocast.cluster import limits
from thyrocast.cluster.doctor.findings import Finding, State, call
from thyrocast.cluster.limits import Limits

LAUNCHER_MEMORY_MB = 600  # two Snakemake processes and a margin
# Without these, a dry run reduces every rule to one thread.
_MANY_CORES = ("--cores", "1024")
_OPTIONS = (
    ("slurm_account", "--account={}"),
    ("slurm_partition", "--partition={}"),
    ("mem_mb", "--mem={}"),
    ("runtime", "--time={}"),
    ("nodes", "--nodes={}"),
    ("constraint", "--constraint={}"),
    ("qos", "--qos={}"),
    ("gres", "--gres={}"),
)


@dataclass(frozen=True)
class Request:
    """Resources that a rule requests; `resources` are pairs of name and value."""

    rule: str
    threads: int
    resources: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return a resource, or empty text if the rule does not ask for it."""
        return dict(self.resources).get(name, "")

    @property
    def partition(self) -> str:
        """Partitions, separated by commas; empty for the default one."""
        return self.get("slurm_partition")

    @property
    def gpu(self) -> bool:
        """Whether a GPU is requested."""
        return self.get("gpu") not in ("", "0") or "gpu" in self.get("gres")

    @property
    def options(self) -> list[str]:
        """The request as the executor passes it to ``sbatch``."""
        words = [f"--cpus-per-task={self.threads}"]
        for name, option in _OPTIONS:
            if self.get(name):
                words.append(option.format(self.get(name)))
        if self.get("gpu") not in ("", "0"):
            model = self.get("gpu_model")
            words.append(f"--gpus={model + ':' if model else ''}{self.get('gpu')}")
        return words


@dataclass(frozen=True)
class RequestPlan:
    """The distinct requests of a study; `fault` says why it cannot be planned."""

    requests: list[Request]
    fault: str = ""


def plan(snakemake: list[str], attempt: int = 1) -> RequestPlan:
    """Return what the study's SLURM jobs ask for in an attempt, from a dry run of all of them."""
    options = ("--dry-run", "--forceall", "--nocolor", "--attempt", str(attempt), *_MANY_CORES)
    answer = call(*snakemake, *options, seconds=900)
    if not answer.success:
        return RequestPlan([], answer.text[-1500:])
    found: dict[tuple[str, tuple[str, ...]], Request] = {}
    for rule, body in re.findall(r"^rule (\w+):\n((?: {4}.*\n)+)", answer.text, re.M):
        request = _request(rule, body)
        found.setdefault((rule, tuple(request.options)), request)
    return RequestPlan(list(found.values()))


def _request(rule: str, body: str) -> Request:
    """Read what Snakemake prints about a job."""
    threads = re.search(r"^ {4}threads: (\d+)", body, re.M)
    resources = re.search(r"^ {4}resources: (.*)", body, re.M)
    pairs = re.findall(r"(\w+)=(.*?)(?=, \w+=|$)", resources[1] if resources else "")
    known = tuple((name, value) for name, value in pairs if "TBD" not in value)
    return Request(rule, int(threads[1]) if threads else 1, known)


def too_long(request: Request, partitions: dict[str, Limits]) -> str:
    """Describe a time above the limit of a request's partitions; empty if there is none.

    Most clusters accept such a job and never start it.
    """
    longest = limits.of(request.partition, partitions).minutes
    asked = request.get("runtime")
    if not asked.isdigit() or int(asked) <= longest:
        return ""
    where = request.partition or "(default)"
    return f"{asked} minutes, more than the {longest:g} of partition {where}"


def check(first: list[Request], last: list[Request]) -> Iterator[Finding]:
    """Ask the scheduler whether it would accept each request in its first and last attempt."""
    partitions = limits.of_partitions()
    refused = set()
    for request in first:
        name = f"{request.rule} ({' '.join(request.options)})"
        memory = request.get("mem_mb")
        if memory and int(memory) < LAUNCHER_MEMORY_MB:
            yield Finding(
                State.WARN,
                f"{name}: less than {LAUNCHER_MEMORY_MB} MB, but the two Snakemake processes of a job "
                "need most of this",
            )
        refusal = _refusal(request, partitions)
        if refusal:
            refused.add(request.rule)
            yield Finding(State.FAIL, f"{name}: {refusal}")
            continue
        yield Finding(State.OK, name)
    for request in last:
        if request.rule not in refused and request not in first and _refusal(request, partitions):
            yield Finding(
                State.WARN,
                f"{request.rule}: its last attempt would ask for {request.get('mem_mb')} MB and "
                f"{request.get('runtime')} minutes, more than its partition allows. Attempts after the "
                "first one are limited to what the partition allows; to choose the limits yourself, "
                "see profiles/slurm/sites/cpu-and-gpu.yaml",
            )


def _refusal(request: Request, partitions: dict[str, Limits]) -> str:
    """Return why a request would not run; empty if it would."""
    if excess := too_long(request, partitions):
        return f"{excess}; it would wait forever"
    answer = call("sbatch", "--test-only", *request.options, "--wrap=true")
    if answer.success:
        return ""
    return answer.text.splitlines()[0] if answer.text else "no reason given"
