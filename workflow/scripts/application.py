"""Write the config of a study that applies a locked model to one center of another config.

::

    .venv/bin/python workflow/scripts/application.py CENTER --model PATH [--configfile FILE]

Prints the path of the config that it writes (`make apply`).
"""

import argparse
import sys
from pathlib import Path

import yaml

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio
from thyrocast.config.reading import read_file, read_study
from thyrocast.errors import InputError
from thyrocast.ledgers import looks
from thyrocast.planning import locked

#: Keys about training, of which a study that applies a model has none.
OF_TRAINING = (
    "designs", "holdout", "kfold", "lock_model", "model_card", "controls", "stability", "learning_curve",
)  # fmt: skip
#: Folder of the configs that are written.
FOLDER = Path(".cache/apply")


def run(configfile: Path, center: str, model: str) -> Path:
    """Write the config, and return its path.

    Raises
    ------
    InputError
        If the config has no such center, or if the model cannot be applied with its settings.
    """
    config = {key: value for key, value in read_file(configfile).items() if key not in OF_TRAINING}
    blocks = config.get("centers") or []
    chosen = [one for one in blocks if isinstance(one, dict) and one.get("name") == center]
    if not chosen:
        raise InputError(
            f"{configfile} has no center {center!r}: add its block, or correct the name"
        )
    config |= {"centers": chosen, "model": model, "study": f"{config.get('study')}-{center}"}
    study, manifest = locked.applied(read_study(config))
    # An updated model is another one: its results do not replace those of its parent, nor itself, if it
    # is below them.
    if manifest is not None and manifest.parent is not None:
        config["study"] = f"{study.study}{looks.UPDATED}"
        study, _ = locked.applied(read_study(config))
    path = FOLDER / f"{study.study}.yaml"
    with fileio.atomic(path) as temporary:
        temporary.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
    return path


def main() -> int:
    """Read the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    options.add_argument("center", help="name of a center of the config")
    options.add_argument("--model", required=True, help="folder or zip archive of a locked model")
    options.add_argument("--configfile", type=Path, default=Path("config/config.yaml"))
    given = options.parse_args()
    try:
        print(run(given.configfile, given.center, given.model))
    except InputError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
