"""How codes of a table are compared; standard library only."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TypeVar

Value = TypeVar("Value")
#: Cells that match an unquoted ``yes``/``true`` or ``no``/``false`` in YAML.
_TRUTH = {True: frozenset({"true", "yes", "1"}), False: frozenset({"false", "no", "0"})}
# What a spreadsheet program shows for a truth value, by the language of the program.
_SHOWN = {
    "true": "wahr vrai verdadero vero verdadeiro waar prawda doğru sant sand tosi igaz pravda истина "
    "真",
    "false": "falsch faux falso onwaar fałsz yanliş falskt falsk epätosi hamis nepravda ложь 假",
}
_CANONICAL = {word: truth for truth, words in _SHOWN.items() for word in words.split()}
_AS_NUMBER = {"true": "1", "false": "0"}
# Soft hyphen, zero-width spaces and joiners, marks of direction, byte order mark.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


def fold(text: str) -> str:
    """Return a code in the form in which codes are compared.

    Lower case, composed letters, single spaces and no surrounding ones; without ``.0`` after a
    number; a truth value as ``true`` or ``false`` in any language. Dotted and dotless Turkish i
    become a plain i, since the lower case of a capital I depends on the language.

    Examples
    --------
    >>> fold(" Ja "), fold("1.0"), fold("WAHR")
    ('ja', '1', 'true')
    """
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    value = " ".join(text.split()).casefold().replace("i\u0307", "i").replace("ı", "i")
    if re.fullmatch(r"-?\d+\.0+", value):
        value = value.partition(".")[0]
    return _CANONICAL.get(value, value)


def look_up(codes: Mapping[str, Value], folded: str) -> Value:
    """Return the meaning of a folded cell; a truth value is also found as 1 or 0.

    Raises
    ------
    KeyError
        If the cell is not one of the folded codes.
    """
    return codes[folded if folded in codes else _AS_NUMBER.get(folded, folded)]


def code_texts(codes: Iterable[str | int | bool]) -> set[str]:
    """Return the folded cells that match the codes of a config.

    YAML reads an unquoted ``yes`` or ``no`` as true or false; such a code matches ``yes``,
    ``true`` and ``1``, or ``no``, ``false`` and ``0``. A spreadsheet may store 1 and 0 as truth
    values.
    """
    texts: set[str] = set()
    for code in codes:
        texts |= _TRUTH[code] if isinstance(code, bool) else {fold(str(code))}
    return texts | {truth for truth, number in _AS_NUMBER.items() if number in texts}
