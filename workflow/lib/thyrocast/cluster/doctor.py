"""Look at a SLURM cluster before the first run: what would fail later, said now.

::

    make doctor                                    # the study of config/config.yaml
    python workflow/scripts/doctor.py --profile slurm [--configfile ...]

Plans the study (a dry run) and asks the scheduler itself whether each kind of job could run, first
attempt and last (``sbatch --test-only``); one short real job looks at the world from a node.
Changes nothing. Ends with status 1 where something must be mended first.
"""

import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import yaml

WANTED = {
    "snakemake": (9, 11),
    "snakemake-executor-plugin-slurm": (2, 8),
}
LAUNCHER_MEMORY_MB = 600  # two Snakemakes and a margin
FREE_GB = 20
FREE_INODES = 100_000
OK, WARN, FAIL = "ok  ", "warn", "FAIL"
PLENTY = ("--cores", "1024")  # else a dry run cuts every rule to one thread

# runs on a node with the launcher's Python: says what can be seen from there
PROBE = """
import json, os, socket, sys
token, weights = sys.argv[1:3]
seen = os.path.exists(token)
if seen:
    with open(token + ".back", "w") as file:
        file.write("back")
try:
    socket.create_connection(("conda.anaconda.org", 443), 3).close()
    network = True
except OSError:
    network = False
print(json.dumps({"host": socket.gethostname(), "seen": seen, "network": network,
                  "weights": not weights or os.path.exists(weights),
                  "cuda": os.environ.get("CUDA_VISIBLE_DEVICES", "")}))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the answer."""

    state: str
    what: str


@dataclass(frozen=True)
class Request:
    """What a rule asks SLURM for."""

    rule: str
    threads: int
    resources: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return a resource, or nothing."""
        return dict(self.resources).get(name, "")

    @property
    def options(self) -> list[str]:
        """Return the request as the executor would put it to ``sbatch``."""
        words = [f"--cpus-per-task={self.threads}"]
        for name, option in (
            ("slurm_account", "--account={}"),
            ("slurm_partition", "--partition={}"),
            ("mem_mb", "--mem={}"),
            ("runtime", "--time={}"),
            ("nodes", "--nodes={}"),
            ("constraint", "--constraint={}"),
            ("qos", "--qos={}"),
            ("gres", "--gres={}"),
        ):
            if self.get(name):
                words.append(option.format(self.get(name)))
        if self.get("gpu") not in ("", "0"):
            model = self.get("gpu_model")
            words.append(f"--gpus={model + ':' if model else ''}{self.get('gpu')}")
        return words


def call(*words: str, seconds: float = 120) -> tuple[bool, str]:
    """Run a command; tell whether it went well, and what it printed."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def versions() -> Iterator[Finding]:
    """Snakemake and its executor."""
    for package, least in WANTED.items():
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            yield Finding(
                FAIL, f"{package} is not installed: pip install -r requirements/launcher.txt"
            )
            continue
        enough = tuple(int(part) for part in re.findall(r"\d+", found)[:2]) >= least
        wanted = ".".join(map(str, least))
        yield Finding(OK if enough else FAIL, f"{package} {found} (at least {wanted})")


def scheduler(interval: int, account: bool) -> Iterator[Finding]:
    """The scheduler answers, and the status checks suit it."""
    for program in ("sbatch", "squeue", "scontrol", "scancel"):
        if not shutil.which(program):
            yield Finding(
                FAIL, f"{program} is not on the path: is this a login node of the cluster?"
            )
            return
    up, said = call("scontrol", "ping")
    if not up or " UP" not in said:
        yield Finding(FAIL, f"the scheduler does not answer: {said}")
        return
    _, settings = call("scontrol", "show", "config")
    version = re.search(r"SLURM_VERSION\s*=\s*(\S+)", settings)
    yield Finding(OK, f"SLURM {version[1] if version else '?'} answers")
    age = re.search(r"MinJobAge\s*=\s*(\d+)", settings)
    if age and int(age[1]) < 3 * interval:
        yield Finding(
            WARN,
            f"MinJobAge is {age[1]} s: squeue forgets jobs before the executor looks twice. Set "
            f"slurm-init-seconds-before-status-checks to {max(1, int(age[1]) // 3)} or less",
        )
    accounting = re.search(r"AccountingStorageType\s*=\s*(\S+)", settings)
    kept = bool(accounting and "none" not in accounting[1])
    yield Finding(OK, f"accounting is {'kept' if kept else 'not kept'}")
    if account and not kept:
        yield Finding(WARN, "slurm_account is set, but no accounting is kept: leave it out")
    if os.environ.get("SLURM_CONF") and not Path("/etc/slurm/slurm.conf").exists():
        yield Finding(
            WARN,
            "SLURM_CONF is set and there is no /etc/slurm/slurm.conf: the executor (2.8) clears "
            "the variable inside jobs, and srun may then not find the cluster",
        )


def plan(snakemake: list[str]) -> tuple[list[Request], str]:
    """Return the distinct requests of the study's SLURM jobs, or why it cannot be planned."""
    fine, said = call(*snakemake, "--dry-run", "--forceall", "--nocolor", *PLENTY, seconds=900)
    if not fine:
        return [], said[-1500:]
    requests: dict[Request, None] = {}
    for rule, body in re.findall(r"^rule (\w+):\n((?: {4}.*\n)+)", said, re.M):
        threads = re.search(r"^ {4}threads: (\d+)", body, re.M)
        resources = re.search(r"^ {4}resources: (.*)", body, re.M)
        pairs = re.findall(r"(\w+)=(.*?)(?=, \w+=|$)", resources[1] if resources else "")
        kept = tuple((name, value) for name, value in pairs if "TBD" not in value)
        requests[Request(rule, int(threads[1]) if threads else 1, kept)] = None
    largest: dict[tuple[str, tuple[str, ...]], Request] = {}
    for request in requests:
        largest.setdefault((request.rule, tuple(request.options)), request)
    return list(largest.values()), ""


def minutes(limit: str) -> float:
    """Read a time limit as SLURM writes it (``1-00:00:00``, ``2:00:00``, ``infinite``)."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if not found:
        return math.inf
    days, hours, minute, second = (int(part or 0) for part in found.groups())
    return 60 * (24 * days + hours) + minute + second / 60


def time_limits() -> dict[str, float]:
    """Longest time in minutes of each partition; that of the default one under no name, too."""
    _, said = call("sinfo", "--noheader", "--format=%P|%l")
    limits: dict[str, float] = {}
    for line in said.splitlines():
        name, _, limit = line.partition("|")
        if name.endswith("*"):
            limits[""] = minutes(limit)
        limits[name.removesuffix("*")] = minutes(limit)
    return limits


def too_long(request: Request, limits: dict[str, float]) -> str:
    """Say by how much a request is too long for its partitions, or nothing.

    Most clusters take such a job and let it wait for ever.
    """
    where = request.get("slurm_partition")
    longest = max((limits.get(name, math.inf) for name in where.split(",")), default=math.inf)
    asked = request.get("runtime")
    if not asked.isdigit() or int(asked) <= longest:
        return ""
    return f"{asked} minutes, more than the {longest:g} of partition {where or '(default)'}"


def requests_fit(requests: list[Request], attempts: int) -> Iterator[Finding]:
    """Ask the scheduler whether it would take each request, as it is and grown by retries."""
    limits = time_limits()
    for request in requests:
        name = f"{request.rule} ({' '.join(request.options)})"
        memory = request.get("mem_mb")
        if memory and int(memory) < LAUNCHER_MEMORY_MB:
            yield Finding(
                WARN, f"{name}: under {LAUNCHER_MEMORY_MB} MB, which two Snakemakes nearly fill"
            )
        fits, said = call("sbatch", "--test-only", *request.options, "--wrap=true")
        reason = said.splitlines()[0] if said else "no reason given"
        if long := too_long(request, limits):
            fits, reason = False, f"{long}; it would wait for ever"
        yield Finding(OK if fits else FAIL, name if fits else f"{name}: {reason}")
        if not fits or attempts < 2:
            continue
        factor = 2 ** (attempts - 1)
        grown = [
            (key, str(int(value) * factor) if key in ("mem_mb", "runtime") else value)
            for key, value in request.resources
        ]
        last = Request(request.rule, request.threads, tuple(grown))
        possible = call("sbatch", "--test-only", *last.options, "--wrap=true")[0]
        if not possible or too_long(last, limits):
            yield Finding(
                WARN,
                f"{request.rule}: attempt {attempts} would ask for {last.get('mem_mb')} MB and "
                f"{last.get('runtime')} minutes, which its partition does not give. Bound it in "
                f"set-resources: see profiles/slurm/sites/cpu-and-gpu.yaml",
            )


def disk(folder: Path) -> Iterator[Finding]:
    """Space and inodes where the results go."""
    state = os.statvfs(folder)
    free = state.f_bavail * state.f_frsize / 1e9
    yield Finding(OK if free > FREE_GB else WARN, f"{free:.0f} GB free for results in {folder}")
    # some file systems count no inodes
    if state.f_files:
        yield Finding(
            OK if state.f_favail > FREE_INODES else WARN, f"{state.f_favail} inodes free there"
        )


def from_nodes(requests: list[Request], weights: str) -> Iterator[Finding]:
    """Run a probe on one node of each partition: shared folder, weights, network."""
    token = Path(".snakemake") / f"doctor-{time.time_ns()}"
    token.parent.mkdir(exist_ok=True)
    token.touch()
    seen: set[tuple[str, str]] = set()
    for request in requests:
        gpu = request.get("gpu") not in ("", "0") or "gpu" in request.get("gres")
        where = (request.get("slurm_partition"), str(gpu))
        if where in seen:
            continue
        seen.add(where)
        small = dict(request.resources) | {"runtime": "2", "mem_mb": str(LAUNCHER_MEMORY_MB)}
        probe = Request(request.rule, 1, tuple(small.items()))
        label = f"partition {where[0] or '(default)'}{' with a GPU' if gpu else ''}"
        words = ["srun", "--quiet", "--immediate=60", "-n1", *probe.options]
        fine, said = call(*words, sys.executable, "-c", PROBE, str(token.resolve()), weights)
        answer = re.search(r"^\{.*\}$", said, re.M)
        if not fine or not answer:
            yield Finding(WARN, f"{label}: no node within a minute, not looked at: {said[-200:]}")
            continue
        found = json.loads(answer[0])
        back = token.with_name(token.name + ".back")
        shared = found["seen"] and back.exists()
        back.unlink(missing_ok=True)
        yield Finding(
            OK if shared else FAIL,
            f"{label}, node {found['host']}: this folder is {'' if shared else 'not '}shared",
        )
        if not found["weights"]:
            yield Finding(FAIL, f"{label}: the weights file {weights} is not there")
        if gpu:
            given = found["cuda"] != ""
            yield Finding(OK if given else WARN, f"{label}: CUDA_VISIBLE_DEVICES={found['cuda']}")
        if not found["network"]:
            yield Finding(
                OK,
                f"{label}: no network there, and none is needed once environments are built here",
            )
    token.unlink()


def environments(snakemake: list[str]) -> Iterator[Finding]:
    """Whether the rules' conda environments are built, where the profile uses them."""
    fine, said = call(*snakemake, "--list-conda-envs", seconds=900)
    rows = re.findall(r"^(\S+\.yaml)\t+\S*\t*(\S+)$", said, re.M) if fine else []
    for source, place in rows:
        built = Path(place).is_dir()
        yield Finding(
            OK if built else WARN,
            f"environment {source} is {'built' if built else 'not built yet'}"
            + ("" if built else ": snakemake --profile slurm --conda-create-envs-only"),
        )


def main() -> int:
    """Serve the command line."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n")[0],
        epilog="Everything else goes to snakemake; without it: --profile slurm.",
        allow_abbrev=False,
    )
    parser.add_argument("--no-jobs", action="store_true", help="ask, but run nothing on a node")
    options, rest = parser.parse_known_args()
    from snakemake.cli import parse_args

    rest = rest or ["--profile", "slurm"]
    parsed = parse_args(rest)[1]
    snakemake = [sys.executable, "-m", "snakemake", *rest]
    folder = Path(parsed.directory or ".")
    worst = OK

    def tell(findings: Iterator[Finding]) -> bool:
        nonlocal worst
        good = True
        for finding in findings:
            print(f"{finding.state}  {finding.what}", flush=True)
            good = good and finding.state != FAIL
            worst = FAIL if finding.state == FAIL else worst
        return good

    tell(versions())
    interval = parsed.slurm_init_seconds_before_status_checks
    account = "slurm_account" in str(parsed.default_resources)
    answers = tell(scheduler(interval, account))
    tell(disk(folder))
    requests, trouble = plan(snakemake)
    if trouble:
        print(f"{FAIL}  the study cannot be planned:\n{trouble}")
        worst = FAIL
    weights = ""
    for file in parsed.configfile or []:
        network = (yaml.safe_load(Path(file).read_text()) or {}).get("network") or {}
        weights = network.get("weights", weights)
    weights = "" if weights in ("random", "") else str(Path(weights).resolve())
    if weights:
        there = Path(weights).is_file()
        tell(iter([Finding(OK if there else FAIL, f"weights {weights}")]))
    if "conda" in str(parsed.software_deployment_method).lower():
        tell(environments(snakemake))
    if answers:
        tell(requests_fit(requests, 1 + (parsed.retries or 0)))
        if not options.no_jobs:
            tell(from_nodes(requests, weights))
    return int(worst == FAIL)


if __name__ == "__main__":
    sys.exit(main())
