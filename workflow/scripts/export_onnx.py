"""Write a locked model as one ONNX graph, and compare it with the model.

::

    .venv/bin/python workflow/scripts/export_onnx.py MODEL TARGET    # make onnx MODEL=model.zip
"""

import argparse
import sys
import tempfile
from pathlib import Path

import library  # noqa: F401 - makes the package importable
from thyrocast.application import apply, onnx_check, onnx_export
from thyrocast.errors import InputError
from thyrocast.locked import verify


def run(model: Path, target: Path) -> onnx_check.Differences:
    """Write the graph to ``target``; a graph that differs from the model is not written.

    Raises
    ------
    InputError
        If the model is refused, or if the graph differs from it.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model"
        verify.unpack(model, copy)
        locked = apply.read(copy)
        graph = onnx_export.build(copy, locked)
        images = onnx_export.images_to_compare(onnx_export.size_of(locked))
        found = onnx_check.accept(
            onnx_check.compare(graph.SerializeToString(), copy, locked, images)
        )
    onnx_export.write(graph, target)
    return found


def main() -> int:
    """Read the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    options.add_argument("model", type=Path, help="folder or zip archive of a locked model")
    options.add_argument("target", type=Path, help="file to write")
    given = options.parse_args()
    try:
        found = run(given.model, given.target)
    except InputError as fault:
        print(fault, file=sys.stderr)
        return 1
    print(
        f"{given.target}: largest difference from the model in 8 images: embeddings {found.embedding:.1e} of "
        f"their size, probabilities {found.probability:.1e}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
