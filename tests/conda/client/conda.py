"""The conda commands that Snakemake calls, carried out by py-rattler where there is no conda.

It is not conda: the solver is resolvo and the installer rattler, those of pixi. It reads the
channels' places from the file in $CONDARC and keeps unpacked packages in $CONDA_PKGS_DIRS, as
conda does. ``bin/conda`` and ``bin/activate`` make it look like a conda installation.
"""

import asyncio
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

# Snakemake wants one version number here, at least 24.7.1, and finds it by pattern.
VERSION = "conda commands of version 24.7.1, carried out by py-rattler"


def settings() -> dict[str, Any]:
    """The user's condarc."""
    import yaml

    return dict(yaml.safe_load(Path(os.environ["CONDARC"]).read_text(encoding="utf-8")))


async def create(file: Path, prefix: Path) -> None:
    """Solve an environment file and install what the solver chose."""
    import yaml
    from rattler import Channel, VirtualPackage, install, solve
    from rattler.platform import Platform

    wanted = yaml.safe_load(file.read_text(encoding="utf-8"))
    nested = [d for d in wanted["dependencies"] if not isinstance(d, str)]
    if nested:
        raise SystemExit(
            f"{file}: no pip section can be installed from the local channel: {nested}"
        )
    places = settings()["custom_channels"]
    unknown = sorted(set(wanted["channels"]) - set(places))
    if unknown:
        raise SystemExit(f"{file}: channel {unknown[0]!r} is not redirected to this disk")
    records = await solve(
        [Channel(f"{places[name]}/{name}") for name in wanted["channels"]],
        wanted["dependencies"],
        platforms=[Platform.current(), Platform("noarch")],
        virtual_packages=VirtualPackage.detect(),
    )
    cache = Path(os.environ["CONDA_PKGS_DIRS"])
    cache.mkdir(parents=True, exist_ok=True)
    await install(records, prefix, cache_dir=cache, show_progress=False)
    (prefix / "conda-meta/history").touch()
    print("\n".join(sorted(str(record.url) for record in records)))


def main(command: list[str]) -> None:
    """Carry out one command line."""
    if command == ["--version"]:
        print(VERSION)
    elif command == ["info", "--json"]:
        print(json.dumps({"conda_prefix": str(Path(__file__).parent), "platform": "linux-64"}))
    elif command[:2] == ["config", "--get"]:
        print(json.dumps({"get": {command[2]: settings().get(command[2])}}))
    elif command[:2] == ["env", "create"]:
        options = dict(itertools.pairwise(command))
        asyncio.run(create(Path(options["--file"]), Path(options["--prefix"])))
    elif command[:1] == ["clean"]:
        # Snakemake throws archives away after each environment; here only unpacked ones are kept.
        pass
    else:
        raise SystemExit(f"conda {' '.join(command)} is not among the commands carried out here")


if __name__ == "__main__":
    status = 0
    try:
        main(sys.argv[1:])
    except SystemExit as stop:
        status = 1
        print(stop.code, file=sys.stderr)
    except Exception as error:  # noqa: BLE001 - whatever it is, the process must end below
        status = 1
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of py-rattler 0.28 at times crash an ordinary exit of the interpreter.
    os._exit(status)
