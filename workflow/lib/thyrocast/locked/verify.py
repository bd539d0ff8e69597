"""Verification of a locked model: what is used later is a copy of exactly the bytes that were hashed."""

import hashlib
import shutil
from pathlib import Path

from thyrocast import fileio
from thyrocast.contract.deployment import MANIFEST
from thyrocast.contract.manifest import Manifest
from thyrocast.errors import InputError
from thyrocast.locked import contents
from thyrocast.planning import bundles
from thyrocast.planning.bundles import Bundle

#: Most bytes of one file, and of all files together.
LARGEST_FILE, LARGEST_MODEL = 1_000_000_000, 20_000_000_000


def unpack(path: str | Path, folder: Path) -> Manifest:
    """Verify a locked model and copy it.

    Each file is hashed while it is copied, and its copy is used: a file that is replaced after its
    verification changes nothing. The contents are then checked without running anything in them.

    Parameters
    ----------
    path
        Folder or zip archive of the locked model.
    folder
        Where the copy is written; its previous content is deleted.

    Returns
    -------
    Manifest

    Raises
    ------
    InputError
        If a file was changed, is missing or was added, or contains what no locked model contains.
        The copy is deleted.
    """
    shutil.rmtree(folder, ignore_errors=True)
    bundle = bundles.find(path)
    manifest = bundles.read_manifest(bundle)
    total = sum(file.bytes for file in manifest.files.values())
    if total > LARGEST_MODEL or any(f.bytes > LARGEST_FILE for f in manifest.files.values()):
        raise InputError(
            f"locked model {path}: its manifest lists {total} bytes, expected far fewer"
        )
    try:
        for name in sorted(manifest.files):
            _copy(bundle, manifest, name, folder / name)
        with fileio.atomic(folder / MANIFEST) as temporary:
            temporary.write_bytes(bundle.read(MANIFEST, bundles.LONGEST_MANIFEST))
        contents.check(folder, manifest)
    # Also if it is interrupted: no part of a model remains that was not verified.
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return manifest


def _copy(bundle: Bundle, manifest: Manifest, name: str, target: Path) -> None:
    """Copy a file of the bundle if its content is that of the manifest."""
    listed = manifest.files[name]
    digest, size = hashlib.sha256(), 0
    with fileio.atomic(target) as temporary, temporary.open("wb") as file:
        for part in bundle.chunks(name, listed.bytes):
            digest.update(part)
            size += len(part)
            file.write(part)
        if size != listed.bytes or digest.hexdigest() != listed.sha256:
            raise InputError(
                f"locked model {bundle.path}: {name} does not have the content that the manifest lists: it "
                "was changed or damaged; get the model again"
            )
