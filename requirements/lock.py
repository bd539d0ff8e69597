"""Write requirements/*.txt, the locks that pip reads, from requirements/*.in (`make lock`).

The largest set is resolved first and constrains the others, so that the three never disagree.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def resolve(source: Path, constraint: Path | None) -> dict[str, str]:
    """Names and versions of everything that pip would install for a requirements file."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--report", str(report), "-r", str(source)]
        if constraint:
            command += ["-c", str(constraint)]
        subprocess.run(command, check=True)
        installs = json.loads(report.read_text())["install"]
    pins = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in installs}
    # A local version such as 2.14.1+cpu names one index's build; the release is what is pinned.
    return {name.replace("_", "-"): version.split("+")[0] for name, version in pins.items()}


def main() -> None:
    """Lock dev, then local and launcher within it."""
    constraint = None
    for name in ("dev", "local", "launcher"):
        pins = resolve(HERE / f"{name}.in", constraint)
        lines = [f"{package}=={version}" for package, version in sorted(pins.items())]
        head = f"# Locked by `make lock` from {name}.in for Python 3.11 on Linux; don't edit."
        (HERE / f"{name}.txt").write_text("\n".join([head, *lines]) + "\n")
        constraint = constraint or HERE / "dev.txt"


main()
