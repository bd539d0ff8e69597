"""Patient identifiers and the pseudonyms that replace them; standard library only."""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thyrocast.errors import InputError


def normalize_identifier(text: str, rules: Mapping[str, Any] | None = None) -> str:
    """Bring a patient identifier of a table or of a DICOM header to one form.

    Parameters
    ----------
    text
        The identifier as it stands.
    rules
        The center's ``identifiers`` block: ``strip_prefix`` (text taken off the front),
        ``zero_pad`` (digits are filled with zeros up to this length; 0 for none) and
        ``strip_zeros`` (leading zeros are dropped).
    """
    rules = rules or {}
    value = " ".join(str(text).split()).upper()
    prefix = str(rules.get("strip_prefix", "")).upper()
    if prefix and value.startswith(prefix):
        value = value[len(prefix) :].strip()
    if value.isdigit():
        if rules.get("strip_zeros"):
            value = value.lstrip("0") or "0"
        value = value.zfill(int(rules.get("zero_pad", 0) or 0))
    return value


def pseudonym(key: bytes, center: str, identifier: str) -> str:
    """Name of a patient under ``results/``: a keyed hash, so that nobody without the key can undo it.

    Parameters
    ----------
    key
        The study's secret (`load_key`).
    center, identifier
        The center's name and the normalized identifier; together they make one patient.
    """
    digest = hmac.new(key, f"{center}\0{identifier}".encode(), hashlib.sha256).hexdigest()
    return f"{center}-{digest[:12]}"


def load_key(path: str | Path) -> bytes:
    """The study's secret for pseudonyms; made with mode 0600 where the file does not exist yet.

    Raises
    ------
    InputError
        If the file holds fewer than 16 bytes.
    """
    file = Path(path).expanduser()
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Linked into place whole, so that of two processes that start at once, both read one key.
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".key.")
        with os.fdopen(handle, "w") as new:
            new.write(secrets.token_hex(32) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
        os.unlink(name)
    key = file.read_bytes().strip()
    if len(key) < 16:
        raise InputError(
            f"pseudonym key {file} holds {len(key)} bytes, expected at least 16: "
            "delete the file to have a new one made, or put the study's key there"
        )
    return key
