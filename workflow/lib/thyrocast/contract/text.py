"""How codes of a table are compared; standard library only."""

import re
from collections.abc import Iterable

#: Cells that match an unquoted ``yes``/``true`` or ``no``/``false`` in YAML.
_TRUTH = {True: frozenset({"true", "yes", "1"}), False: frozenset({"false", "no", "0"})}


def fold(text: str) -> str:
    """Return a code in lower case, without surrounding spaces and without ``.0`` after a number.

    Dotted and dotless Turkish i become a plain i, since the lower case of a capital I depends on
    the language.

    Examples
    --------
    >>> fold(" Ja "), fold("1.0")
    ('ja', '1')
    """
    value = text.strip().casefold().replace("i\u0307", "i").replace("ı", "i")
    return re.sub(r"\.0+$", "", value) if re.fullmatch(r"-?\d+\.0+", value) else value


def code_texts(codes: Iterable[str | int | bool]) -> set[str]:
    """Return the folded cells that match the codes of a config.

    YAML reads an unquoted ``yes`` or ``no`` as true or false; such a code matches ``yes``,
    ``true`` and ``1``, or ``no``, ``false`` and ``0``.
    """
    texts: set[str] = set()
    for code in codes:
        texts |= _TRUTH[code] if isinstance(code, bool) else {fold(str(code))}
    return texts
