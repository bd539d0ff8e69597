"""Find the header of a table among titles and remarks above it."""

import unicodedata
from collections.abc import Collection, Sequence

#: Rows among which the header is searched.
SEARCHED = 30


def tidy(name: str) -> str:
    """Return the name of a column with single spaces and composed letters.

    macOS writes letter and accent separately, a name may contain a line break or a no-break space,
    and some exports begin with a second byte order mark.
    """
    return unicodedata.normalize("NFC", " ".join(name.replace("\ufeff", "").split()))


def score(row: Sequence[str], names: Collection[str]) -> int:
    """Return how many of the names are in a row."""
    found = {tidy(str(cell)) for cell in row}
    return sum(tidy(name) in found for name in names)


def find(rows: Sequence[Sequence[str]], names: Collection[str]) -> int:
    """Return the position of the header: the first of the rows with most of the names."""
    if not names or not rows:
        return 0
    searched = range(min(len(rows), SEARCHED))
    return max(searched, key=lambda number: (score(rows[number], names), -number))
