"""How codes of a table are compared; standard library only."""

import re
from collections.abc import Iterable

#: Cells that a bare ``yes``/``true`` or ``no``/``false`` of YAML stands for.
_TRUTH = {True: frozenset({"true", "yes", "1"}), False: frozenset({"false", "no", "0"})}


def fold(text: str) -> str:
    """A code without regard to case, spaces around it, or how a spreadsheet shows a whole number.

    The Turkish i with or without its dot becomes a plain one: which of them a capital is depends
    on the language.

    Examples
    --------
    >>> fold(" Ja "), fold("1.0")
    ('ja', '1')
    """
    value = text.strip().casefold().replace("i\u0307", "i").replace("ı", "i")
    return re.sub(r"\.0+$", "", value) if re.fullmatch(r"-?\d+\.0+", value) else value


def code_texts(codes: Iterable[str | int | bool]) -> set[str]:
    """The folded cells that codes of a config stand for.

    YAML reads a bare ``yes`` or ``no`` as true or false; such a code stands for all three ways to
    write it.
    """
    texts: set[str] = set()
    for code in codes:
        texts |= _TRUTH[code] if isinstance(code, bool) else {fold(str(code))}
    return texts
