"""Free text of headers in a form in which words of many languages can be compared."""

import re
import unicodedata
from collections.abc import Sequence

from thyrocast.dicom.elements import Scalar

# Letters without a decomposition in Unicode.
_LETTERS = str.maketrans({"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
_ACCENTS = re.compile(r"[\u0300-\u036f]")


def words(*texts: Scalar | None) -> str:
    """Join texts of a header in lower case, with a space for punctuation between words.

    Full-width letters and combining accents become ordinary letters; dotted and dotless Turkish i
    become a plain i.
    """
    joined = unicodedata.normalize("NFKC", " ".join(str(text) for text in texts if text))
    lower = joined.lower().replace("i\u0307", "i").replace("ı", "i")
    return re.sub(r"[\s_\-./^,;:()\[\]+&|\\]+", " ", lower).strip()


def fold(text: str) -> str:
    """Return a text (from `words`) without accents; other scripts than Latin are unchanged."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFD", text.translate(_LETTERS)))
    return unicodedata.normalize("NFC", plain)


def matches(patterns: Sequence[str], text: str) -> bool:
    """Return whether a regular expression matches in a text, with or without its accents."""
    return bool(text) and any(
        re.search(pattern, form, re.IGNORECASE)
        for pattern in patterns
        for form in {text, fold(text)}
    )
