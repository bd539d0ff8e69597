"""Write requirements/*.txt, the locks that pip reads, from requirements/*.in (`make lock`).

::

    .cache/uv/bin/python requirements/lock.py [--upgrade] [name ...]

The largest set is resolved first and constrains the others, so that they never disagree. Every
package has its version and the hashes of its release's files; `requirements/install.py` refuses other
files. Versions that are locked already are kept if the requirements allow them; with ``--upgrade`` the
newest ones are chosen. uv reads names, versions and hashes from the package index and downloads no
package. Standard library and uv.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: Each lock is part of the one before.
NAMES = ("dev", "onnx", "local", "launcher")
PLATFORM = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28")


def compile_command(name: str, output: Path, upgrade: bool = False) -> list[str]:
    """Return the command that resolves one set of requirements.

    Parameters
    ----------
    name
        Name of the set, one of `NAMES`.
    output
        The lock, whose versions are kept unless `upgrade`.
    upgrade
        Whether to choose the newest versions instead.
    """
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "compile", str(HERE / f"{name}.in"), "--output-file", str(output)]
    # The index may be a mirror of the site: its address does not belong in a lock.
    command += ["--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"]
    command += ["--no-emit-find-links", "--generate-hashes", *PLATFORM]
    if name != NAMES[0]:
        command += ["--constraint", str(HERE / f"{NAMES[0]}.txt")]
    return [*command, "--upgrade"] if upgrade else command


def main() -> None:
    """Lock the sets that the command line names, or all."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    options.add_argument("names", nargs="*", help=f"of {', '.join(NAMES)}")
    options.add_argument("--upgrade", action="store_true", help="choose the newest versions")
    given = options.parse_args()
    for name in NAMES:
        if given.names and name not in given.names:
            continue
        lock = HERE / f"{name}.txt"
        subprocess.run(compile_command(name, lock, given.upgrade), check=True)
        head = f"# Locked by `make lock` from {name}.in for Python 3.11 on Linux; don't edit."
        lock.write_text(f"{head}\n{lock.read_text(encoding='utf-8')}", encoding="utf-8")


if __name__ == "__main__":
    main()
