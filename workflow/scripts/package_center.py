"""Write a de-identified package of a center for the config of another site.

python workflow/scripts/package_center.py CENTER [--configfile config/config.yaml] [--output packages]
"""

import argparse
import logging
from pathlib import Path

import library  # noqa: F401 - makes the package importable
from thyrocast.cohort import package
from thyrocast.config import reading
from thyrocast.errors import InputError
from thyrocast.planning import pseudonyms


def main() -> None:
    """Read the command line and the config, and write the package."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("center", help="name of the center in the config")
    parser.add_argument("--configfile", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--output", type=Path, default=Path("packages"))
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        study = reading.read_study(reading.read_file(given.configfile))
        if given.center not in study.names():
            known = ", ".join(study.names())
            raise InputError(f"there is no center {given.center!r}, expected one of {known}")
        pseudonyms.check(study, main=True)
        pseudonyms.record(study)
        target = given.output / given.center
        count = package.package_center(
            study.center(given.center),
            study.cohort,
            pseudonyms.key(study),
            Path(".thyrocast") / study.study / given.center / "index",
            target,
            given.threads,
        )
    except (OSError, InputError) as fault:
        raise SystemExit(str(fault)) from None
    logging.getLogger("thyrocast").info("%d patients in %s", count, target)


if __name__ == "__main__":
    main()
