"""Patient identifiers and the pseudonyms that replace them; standard library only."""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
import unicodedata
from pathlib import Path
from typing import Protocol

from thyrocast.errors import InputError


class IdentifierForm(Protocol):
    """How a center's identifiers are normalized: the block ``identifiers`` of its config."""

    @property
    def strip_prefix(self) -> str:
        """Prefix that is removed."""

    @property
    def zero_pad(self) -> int:
        """Length to which numeric identifiers are padded with zeros; 0 for no padding."""

    @property
    def strip_zeros(self) -> bool:
        """Whether leading zeros of numeric identifiers are removed."""


def normalize_identifier(text: str, form: IdentifierForm) -> str:
    """Return the normalized form of a patient identifier from a table or a DICOM header.

    Parameters
    ----------
    text
        The identifier as it is written.
    form
        The center's ``identifiers`` block.
    """
    value = unicodedata.normalize("NFC", " ".join(str(text).split())).upper()
    if re.fullmatch(r"\d+\.0+", value):  # a number that a program stored with decimals
        value = value.partition(".")[0]
    prefix = form.strip_prefix.upper()
    if prefix and value.startswith(prefix):
        value = value[len(prefix) :].strip()
    if value.isdigit():
        if form.strip_zeros:
            value = value.lstrip("0") or "0"
        value = value.zfill(form.zero_pad)
    return value


def pseudonym(key: bytes, center: str, identifier: str) -> str:
    """Return a patient's pseudonym: a keyed hash that can be reproduced only with the key.

    Parameters
    ----------
    key
        The study's secret (`read_key`).
    center, identifier
        The center's name and the normalized identifier, which together identify one patient.
    """
    digest = hmac.new(key, f"{center}\0{identifier}".encode(), hashlib.sha256).hexdigest()
    return f"{center}-{digest[:12]}"


def read_key(path: str | Path) -> bytes:
    """Return the secret of the pseudonyms.

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, or it contains fewer than 16 bytes.
    """
    file = Path(path).expanduser()
    try:
        key = file.read_bytes().strip()
    except FileNotFoundError:
        raise InputError(
            f"there is no pseudonym key {file} on this machine: set pseudonym_key to a file that all "
            "users and nodes of the study share"
        ) from None
    except OSError as fault:
        raise InputError(f"pseudonym key {file} cannot be read: {fault.strerror}") from None
    if len(key) < 16:
        raise InputError(
            f"pseudonym key {file} has {len(key)} bytes, expected at least 16: "
            "delete the file to create a new key, or put the study's key there"
        )
    return key


def new_key() -> bytes:
    """Return a new secret, as text of 64 hexadecimal digits."""
    return secrets.token_hex(32).encode()


def write_key(path: str | Path, key: bytes) -> None:
    """Write a new secret with mode 0600; another process may do so at the same time.

    Raises
    ------
    InputError
        If the file cannot be written, or there is another secret in it.
    """
    file = Path(path).expanduser()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The complete file is linked, so that nobody reads a part of it.
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".key.")
    except OSError as fault:
        raise InputError(
            f"pseudonym key {file} cannot be written ({fault.strerror}): set pseudonym_key to a file "
            "in a folder where you may write"
        ) from None
    with os.fdopen(handle, "wb") as new:
        new.write(key + b"\n")
    with contextlib.suppress(FileExistsError):
        os.link(name, file)
    os.unlink(name)
    if read_key(file) != key:
        raise InputError(f"another run has just created pseudonym key {file}: start again")


def fingerprint(key: bytes) -> str:
    """Return 16 digits that identify a secret and do not reveal it."""
    return hmac.new(key, b"thyrocast fingerprint", hashlib.sha256).hexdigest()[:16]
