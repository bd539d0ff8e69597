"""A real SLURM on one machine for the tests, from Debian's packages and without systemd.

::

    python tests/slurm/cluster.py up [--accounting]
    python tests/slurm/cluster.py down
    eval "$(python tests/slurm/cluster.py env)"     # to use it in a shell

Everything (configuration, keys, state, database, logs, process ids) lives in one root-owned
folder, ``/run/thyrocast-slurm`` or ``$THYROCAST_SLURM``. ``SLURM_CONF`` points the clients there,
so that an installed SLURM, MUNGE or MariaDB is neither used nor touched. Several clusters, told
apart by a number, can run on one machine: each has its own folder, ports and numbers of jobs. Both
commands may be repeated. Processes are stopped by the process ids they recorded, never by name.

Needs root and ``apt-get install slurm-wlm munge`` (``slurmdbd mariadb-server`` for accounting).
"""

import argparse
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

TEMPLATES = Path(__file__).parent / "conf"
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "squeue", "scancel", "scontrol")
ACCOUNTING_PROGRAMS = ("slurmdbd", "mariadbd", "mariadb-install-db", "sacct", "sacctmgr")
#: Further nodes on the same machine: partition `several`. A test that needs one starts its `slurmd@NAME`.
OTHERS = ("node2", "node3")
#: First of the ports of the first cluster, and the port of its database.
PORT, DATABASE_PORT = 16817, 13306
# in the order of stopping
DAEMONS = (
    *(f"slurmd@{node}" for node in OTHERS),
    "slurmd",
    "slurmctld",
    "slurmdbd",
    "mariadbd",
    "munged",
)


def missing(accounting: bool = False) -> str:
    """Say why the cluster cannot be started here, or return an empty string."""
    if os.geteuid() != 0:
        return "the test cluster's daemons need root"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    wanted = PROGRAMS + (ACCOUNTING_PROGRAMS if accounting else ())
    absent = [program for program in wanted if not shutil.which(program, path=path)]
    if absent:
        packages = "slurm-wlm munge" + (" slurmdbd mariadb-server" if accounting else "")
        return f"{', '.join(absent)} not found: apt-get install {packages}"
    return ""


class Cluster:
    """One node, partitions ``cpu`` (default) and ``gpu``, two GPUs on null devices.

    Parameters
    ----------
    number
        Which of the clusters on this machine it is.
    cpus
        Declared processors of the node. More than the machine has: most of a small job is waiting.

    Attributes
    ----------
    folder
        Contains everything of the cluster.
    """

    def __init__(self, number: int = 0, cpus: int | None = None) -> None:
        folder = os.environ.get("THYROCAST_SLURM", "/run/thyrocast-slurm")
        self.folder = Path(f"{folder}-{number}" if number else folder)
        self.number = number
        self.cpus = cpus or max(4, os.cpu_count() or 1)
        self.host = socket.gethostname().split(".")[0]

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that make SLURM's clients talk to this cluster."""
        own = str(self.folder / "bin")
        path = [part for part in os.environ.get("PATH", "").split(":") if part != own]
        if "/usr/sbin" not in path:
            path += ["/usr/sbin", "/sbin"]
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": ":".join([own, *path])}

    def command(self, *words: str, check: bool = True) -> str:
        """Run a client such as ``scontrol`` against this cluster; return its standard output."""
        done = subprocess.run(
            words,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=90,
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    # -- starting and stopping -------------------------------------------------------------------

    def up(self, accounting: bool = False) -> None:
        """Start what is not running; change to the wanted kind of accounting if need be."""
        reason = missing(accounting)
        if reason:
            raise RuntimeError(reason)
        if self.running("slurmctld") and accounting != self.running("slurmdbd"):
            self.down()
        if not self.running("slurmctld"):
            self.down()
            self._empty_folder()
            self._prepare(accounting)
        if not self.running("munged"):
            self._start_munged()
        if accounting:
            self._start_accounting()
        self.start("slurmctld")
        self.start("slurmd")
        self._wait(30, self._node_is_up, "the node to come up")

    def down(self) -> None:
        """Stop every daemon that recorded a process id, the dependent ones first."""
        if self.running("slurmctld"):
            # jobs are children of their step daemons, which outlive slurmd
            self.command("scancel", "--user=root", check=False)
            self._settle(10, lambda: not self.command("squeue", "-h", check=False).strip())
        for daemon in DAEMONS:
            self.stop(daemon)

    def start(self, daemon: str) -> None:
        """Start ``slurmctld``, ``slurmd`` or the ``slurmd@NAME`` of another node; wait until it answers."""
        program, _, node = daemon.partition("@")
        if not self.running(daemon):
            which = ["-N", node or self.host] if program == "slurmd" else []
            self.command(program, *which)
        if daemon == "slurmctld":
            self._wait(30, lambda: "is UP" in self.command("scontrol", "ping", check=False), daemon)
        else:
            self._wait(30, lambda: self.running(daemon), daemon)

    def stop(self, daemon: str) -> None:
        """Stop one daemon by its recorded process id; kill it if it does not listen."""
        if not self.running(daemon):
            return
        process = self.process(daemon)
        os.kill(process, signal.SIGTERM)
        if not self._settle(20, lambda: not self.running(daemon)):
            os.kill(process, signal.SIGKILL)
            self._settle(5, lambda: not self.running(daemon))
        self._pid_file(daemon).unlink(missing_ok=True)

    def running(self, daemon: str) -> bool:
        """Tell whether the recorded process lives and still is that daemon (not a zombie)."""
        process = self.process(daemon)
        try:
            status = Path(f"/proc/{process}/status").read_text() if process else ""
        except OSError:
            return False
        name = re.search(r"^Name:\s*(\S+)", status, re.M)
        program = daemon.partition("@")[0]
        return bool(name and name[1] == program and not re.search(r"^State:\s*Z", status, re.M))

    # -- pieces ----------------------------------------------------------------------------------

    def fail(self, node: str) -> None:
        """Let another node fail: kill its slurmd and its jobs' processes, and tell SLURM that it is down."""
        os.kill(self.process(f"slurmd@{node}"), signal.SIGKILL)
        jobs = self.command("squeue", "--noheader", f"--nodelist={node}", "--format=%i").split()
        for place in Path("/proc").glob("[0-9]*"):
            try:
                words = (place / "cmdline").read_bytes().decode(errors="replace")
                variables = (place / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            ours = f"SLURM_CONF={self.folder}/slurm.conf".encode()
            of_job = any(f"SLURM_JOB_ID={job}".encode() in variables for job in jobs)
            step = any(words.startswith(f"slurmstepd: [{job}.") for job in jobs)
            if step or (
                of_job and (ours in variables or b"SLURMD_NODENAME=" + node.encode() in variables)
            ):
                os.kill(int(place.name), signal.SIGKILL)
        self.command("scontrol", "update", f"nodename={node}", "state=down", "reason=test")

    def recover(self, *nodes: str) -> None:
        """Start other nodes, and let SLURM use them again."""
        for node in nodes:
            self.start(f"slurmd@{node}")
            self.command("scontrol", "update", f"nodename={node}", "state=resume", check=False)
        names = ("sinfo", "--noheader", "--Node", f"--nodes={','.join(nodes)}", "--format=%T")
        self._wait(
            30, lambda: set(self.command(*names).split()) <= {"idle", "mixed"}, " and ".join(nodes)
        )

    def _pid_file(self, daemon: str) -> Path:
        program, _, node = daemon.partition("@")
        name = f"slurmd-{node or self.host}" if program == "slurmd" else daemon
        return self.folder / f"{name}.pid"

    def process(self, daemon: str) -> int:
        try:
            return int(self._pid_file(daemon).read_text())
        except (OSError, ValueError):
            return 0

    def _empty_folder(self) -> None:
        """Forget the jobs of an earlier cluster."""
        ours = (self.folder / "slurm.conf").is_file()
        if self.folder.exists() and any(self.folder.iterdir()) and not ours:
            raise RuntimeError(f"{self.folder} contains files that are not of a test cluster")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prepare(self, accounting: bool) -> None:
        for part in ("state", *(f"spool-{node}" for node in (self.host, *OTHERS))):
            (self.folder / part).mkdir(mode=0o755, parents=True)
        # Inside a job the executor (2.8.0) clears SLURM_CONF, and its srun would look in /etc/slurm.
        srun = self.folder / "bin" / "srun"
        srun.parent.mkdir()
        srun.write_text(
            f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n'
        )
        srun.chmod(0o755)
        for number in range(2):
            device = self.folder / f"gpu{number}"
            try:
                os.mknod(device, 0o666 | 0o020000, os.makedev(1, 3))
            except PermissionError:  # a container without the right to make devices
                device.touch()
        try:
            socket.gethostbyname(self.host)
        except OSError:  # srun and slurmd look their own host up
            with open("/etc/hosts", "a") as hosts:
                hosts.write(f"127.0.0.1 {self.host}\n")
        version = self.command("slurmctld", "-V")
        release = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
        memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
        port = PORT + 10 * self.number
        values = {
            "host": self.host,
            "others": ",".join(OTHERS),
            "folder": str(self.folder),
            "port": str(port),
            "node_port": str(port + 1),
            "accounting_port": str(port + 2),
            "other_ports": f"{port + 3},{port + 4}",
            "database_port": str(DATABASE_PORT + self.number),
            "first_job": str(1 + 100_000 * self.number),
            "database_password": secrets.token_hex(16),
            "cpus": str(self.cpus),
            "memory_mb": str(int(memory[1]) // 1024 if memory else 4096),
            "cgroup_plugin": "disabled" if release >= (23, 11) else "cgroup/v1",
            "accounting": "AccountingStorageType=accounting_storage/slurmdbd\n"
            "AccountingStorageHost=localhost\n"
            f"AccountingStoragePort={port + 2}\n"
            # despite its name: the MUNGE socket to authenticate with
            f"AccountingStoragePass={self.folder}/munge.socket\n"
            "AccountingStorageTRES=gres/gpu"
            if accounting
            else "AccountingStorageType=accounting_storage/none",
        }
        for template in TEMPLATES.glob("*.conf"):
            text = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], template.read_text())
            target = self.folder / template.name
            target.touch(mode=0o600)  # the database's password is in one of them
            target.write_text(text)
            if template.name != "slurmdbd.conf":
                target.chmod(0o644)
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))

    def _start_munged(self) -> None:
        at = self.folder
        self.command(
            "munged",
            f"--socket={at}/munge.socket",
            f"--key-file={at}/munge.key",
            f"--pid-file={at}/munged.pid",
            f"--log-file={at}/munged.log",
            f"--seed-file={at}/munged.seed",
            "--force",  # it would rather have a folder and a user of its own
        )
        self._wait(10, lambda: self.running("munged"), "munged")

    def _start_accounting(self) -> None:
        data, door = self.folder / "database", self.folder / "database.socket"
        if not self.running("mariadbd"):
            if not (data / "mysql").is_dir():
                self.command(
                    "mariadb-install-db",
                    "--no-defaults",
                    "--user=root",
                    f"--datadir={data}",
                    "--auth-root-authentication-method=socket",
                    "--skip-test-db",
                )
            with open(self.folder / "mariadbd.log", "ab") as log:
                database = subprocess.Popen(
                    [
                        shutil.which("mariadbd", path=self.environment["PATH"]) or "mariadbd",
                        "--no-defaults",
                        "--user=root",
                        f"--datadir={data}",
                        f"--socket={door}",
                        "--bind-address=127.0.0.1",
                        f"--port={DATABASE_PORT + self.number}",
                        # slurmdbd complains about smaller ones
                        "--innodb-buffer-pool-size=64M",
                        "--innodb-log-file-size=16M",
                        "--innodb-lock-wait-timeout=900",
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            (self.folder / "mariadbd.pid").write_text(str(database.pid))
        client = ("mariadb", "--no-defaults", "-u", "root", "-S", str(door), "-e")
        self._wait(60, lambda: self._succeeds(*client, "select 1"), "the database")
        conf = (self.folder / "slurmdbd.conf").read_text()
        password = re.search(r"StoragePass=(\w+)", conf)
        for host in ("localhost", "127.0.0.1"):
            user = f"slurm@'{host}'"
            self.command(
                *client,
                "create database if not exists slurm_acct_db;"
                f"create user if not exists {user} identified by '{password and password[1]}';"
                f"grant all on slurm_acct_db.* to {user}",
            )
        if not self.running("slurmdbd"):
            self.command("slurmdbd")
        self._wait(60, lambda: self._succeeds("sacctmgr", "-n", "show", "cluster"), "slurmdbd")
        if "thyrocast" not in self.command("sacctmgr", "-nP", "show", "cluster"):
            self.command("sacctmgr", "-i", "add", "cluster", "thyrocast")
            self.command("sacctmgr", "-i", "add", "account", "study")
            self.command("sacctmgr", "-i", "add", "user", "root", "account=study")

    def _node_is_up(self) -> bool:
        state = self.command("sinfo", "-h", "-o", "%T", "-p", "cpu", check=False).strip()
        if state in ("down", "down*", "drained", "draining"):
            update = ("scontrol", "update", f"nodename={self.host}", "state=resume")
            self.command(*update, check=False)
        return state in ("idle", "mixed", "allocated")

    def _succeeds(self, *words: str) -> bool:
        try:
            self.command(*words)
        except (RuntimeError, OSError, subprocess.TimeoutExpired):
            return False
        return True

    def _settle(self, seconds: float, ready: Callable[[], bool]) -> bool:
        """Wait until something is so; tell whether it came to be."""
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def _wait(self, seconds: float, ready: Callable[[], bool], what: str) -> None:
        if not self._settle(seconds, ready):
            raise RuntimeError(f"waited {seconds:.0f} s for {what}: see the logs in {self.folder}")


def main() -> None:
    """Serve the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("action", choices=("up", "down", "env"))
    parser.add_argument("--accounting", action="store_true", help="with slurmdbd and MariaDB")
    options = parser.parse_args()
    cluster = Cluster()
    if options.action == "up":
        cluster.up(accounting=options.accounting)
        print(cluster.command("sinfo"), end="")
    elif options.action == "down":
        cluster.down()
    else:
        for name, value in cluster.environment.items():
            print(f"export {name}={value}")


if __name__ == "__main__":
    main()
