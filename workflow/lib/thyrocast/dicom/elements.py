"""Elements of a DICOM header as plain values, read through typed accessors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

Scalar = str | int | float


@dataclass(frozen=True)
class Elements:
    """Elements of a data set, or of one item of a sequence.

    Attributes
    ----------
    values
        Keyword to value: a text or number, a list of them (None for one that is empty or faulty),
        or a tuple of items for a sequence. Empty and faulty elements are missing.
    """

    values: "Mapping[str, Scalar | list[Scalar | None] | tuple[Elements, ...]]" = field(
        default_factory=dict
    )

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.values

    def text(self, keyword: str) -> str:
        """Return an element with one value as text; "" if it is missing, zero, or has several."""
        value = self.values.get(keyword)
        return str(value) if value and isinstance(value, Scalar) else ""

    def number(self, keyword: str) -> float | None:
        """Return an element's first value as a positive, finite number; None if it is none."""
        return positive(next(iter(self.several(keyword)), None))

    def signed(self, keyword: str) -> float | None:
        """Return a number that may be negative or zero; None if the value is not a number."""
        value = self.values.get(keyword)
        return float(value) if isinstance(value, int | float) else None

    def several(self, keyword: str) -> tuple[Scalar | None, ...]:
        """Return all values of an element; none if it is missing or a sequence."""
        value = self.values.get(keyword)
        if value is None or isinstance(value, tuple):
            return ()
        return tuple(value) if isinstance(value, list) else (value,)

    def integers(self, keyword: str) -> list[int]:
        """Return the values of an element that are whole numbers."""
        return [value for value in self.several(keyword) if isinstance(value, int)]

    def items(self, keyword: str) -> "tuple[Elements, ...]":
        """Return the items of a sequence; none if it is missing or not a sequence."""
        value = self.values.get(keyword)
        return value if isinstance(value, tuple) else ()


@dataclass(frozen=True)
class Header(Elements):
    """The header of one file.

    Attributes
    ----------
    reason
        Why the file is not a readable DICOM image; empty for one that is.
    transfer_syntax
        UID of the encoding; "" if the file does not name it.
    pixel_bytes
        Bytes of uncompressed pixel data in the file, -1 for compressed data, None for no pixels.
    irreversible
        Whether a JPEG 2000 codestream was compressed with loss.
    """

    reason: str = ""
    transfer_syntax: str = ""
    pixel_bytes: int | None = None
    irreversible: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the header as plain data for JSON; `from_json` reverses it."""
        return {
            "values": _plain(self),
            "reason": self.reason,
            "transfer_syntax": self.transfer_syntax,
            "pixel_bytes": self.pixel_bytes,
            "irreversible": self.irreversible,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the header that `as_json` wrote; `data` must not be used again."""
        return cls(**{**data, "values": _elements(data["values"]).values})


def positive(value: Scalar | None) -> float | None:
    """Return a positive, finite number; None for a value that is empty, zero, or not a number."""
    try:
        found = float(value) if value is not None else 0.0
    except ValueError:
        return None
    return found if 0 < found < math.inf else None


def _plain(elements: Elements) -> dict[str, Any]:
    return {
        keyword: [_plain(item) for item in value] if isinstance(value, tuple) else value
        for keyword, value in elements.values.items()
    }


def _elements(data: dict[str, Any]) -> Elements:
    for keyword, value in data.items():
        if isinstance(value, list) and keyword.endswith("Sequence"):
            data[keyword] = tuple(map(_elements, value))
    return Elements(data)
