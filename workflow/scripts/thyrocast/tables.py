"""Ground floor: words, tables, safe files, pseudonyms and seeds.

Standard library only: the launcher, which holds Snakemake and nothing else, reads the centers'
tables with it when the workflow is parsed, and the jobs read them with the same code.
"""

import contextlib
import csv
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# The columns of cohort.csv, by where they come from.
CLINICAL = (
    "sex",
    "age",
    "gland_mass",
    "uptake_24h",
    "activity",
    "trab",
    "ft4",
    "ft3",
    "antithyroid_drug",
    "withdrawal_days",
    "orbitopathy",
    "smoking",
)
ACQUISITION = (
    "vendor",
    "camera",
    "collimator",
    "matrix",
    "pixel_mm",
    "duration_s",
    "tc_activity_mbq",
    "delay_min",
    "view_by",
    "saturation",
    "centroid_x_mm",
    "centroid_y_mm",
    "simulated",
)
QUANTITIES = (
    "q_counts",
    "q_rate",
    "q_uptake",
    "q_area_right",
    "q_area_left",
    "q_mass",
    "q_asymmetry",
    "q_heterogeneity",
    "q_to_background",
    "q_to_salivary",
    "q_snr",
)


class InputError(ValueError):
    """Something that a user gave is wrong; the message is one sentence that says where and what to do."""


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its name only if the block succeeds."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def spreadsheet_safe(text: str) -> str:
    """Defuse text that a spreadsheet program would run as a formula (OWASP, CSV injection)."""
    return "'" + text if text[:1] in "=+-@\t\r" and text[:1] else text


def write_csv(
    path: str | Path, header: Sequence[str], rows: Iterable[Sequence[object] | Mapping[str, object]]
) -> None:
    """Write a comma-separated table at once or not at all; ``None`` becomes an empty cell."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            cells = [row.get(name) for name in header] if isinstance(row, Mapping) else row
            writer.writerow(["" if cell is None else cell for cell in cells])


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Rows of a table that this project wrote, every cell as text."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with sorted keys, at once or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(
            json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


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


def seed(base: int, *names: object) -> int:
    """A 32-bit seed of its own for each use: the same base and names always give the same one."""
    text = "\0".join([str(base), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
