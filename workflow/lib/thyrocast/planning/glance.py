"""What the first bytes of a file tell: DICOM or an archive, and whose; standard library only."""

import re
from pathlib import PurePath

#: Bytes that are looked at: to the mark of an ISO image (ECMA-119 8.4.2), which is the last one.
GLANCE = 32_774
# PatientID (0010,0020), little endian: tag, then `LO` and two bytes of length (explicit) or four
# bytes of length (implicit); PS3.5 section 7.1.
_PATIENT_ID = re.compile(rb"\x10\x00\x20\x00(?:LO(..)|(.\x00\x00\x00))", re.DOTALL)
# Where an archive has which bytes, by the ending that is usual for it.
_MARKS = (
    (0, b"PK\x03\x04", ".zip"), (0, b"PK\x05\x06", ".zip"), (0, b"\x1f\x8b\x08", ".gz"),
    (0, b"7z\xbc\xaf\x27\x1c", ".7z"), (0, b"Rar!\x1a\x07", ".rar"), (0, b"BZh", ".bz2"),
    (0, b"\xfd7zXZ\x00", ".xz"), (0, b"\x28\xb5\x2f\xfd", ".zst"), (257, b"ustar", ".tar"),
    (32_769, b"CD001", ".iso"),
)  # fmt: skip
_ENDINGS = re.compile(
    r"\.(zip|z\d\d|zipx|gz|tgz|7z|7z\.\d{3}|rar|r\d\d|bz2|xz|zst|tar|iso|img\.gz)$", re.IGNORECASE
)
# Documents that are zip files inside.
_DOCUMENTS = {".xlsx", ".xlsm", ".docx", ".pptx", ".ods", ".odt", ".jar"}


def looks_like_dicom(head: bytes) -> bool:
    """Return whether the first bytes may be of DICOM: a preamble, or a first tag of group 2 or 8.

    PS3.10 7.1 requires a preamble; many exports have none.
    """
    if head[128:132] == b"DICM":
        return True
    return head[:4] == b"DICM" or head[:2] in {b"\x02\x00", b"\x08\x00", b"\x00\x08"}


def archive(name: str, start: bytes) -> str:
    """Return the usual ending of an archive, a disk image or a compressed file; "" for others.

    Parameters
    ----------
    name
        The file's name; it decides if the first bytes are of no known format.
    start
        The first `GLANCE` bytes.
    """
    if looks_like_dicom(start) or PurePath(name).suffix.lower() in _DOCUMENTS:
        return ""
    for at, mark, ending in _MARKS:
        if start[at : at + len(mark)] == mark:
            return ending
    named = _ENDINGS.search(name)
    return f".{named[1].lower()}" if named else ""


def patient_ids(start: bytes) -> list[str]:
    """Return the patient identifiers in the first bytes of a DICOM file.

    An identifier that is not ASCII depends on the character set, which is not read here. A file
    with such an identifier counts as a file without one, as does one that ends within it.
    """
    names = []
    for match in _PATIENT_ID.finditer(start):
        length = int.from_bytes(match[1] or match[2], "little")
        value = start[match.end() : match.end() + length]
        if len(value) < length or not value.isascii() or b"\x1b" in value:
            return []
        names.append(value.decode("ascii").strip(" \0"))
    return sorted(set(filter(None, names)))
