"""Keyed hashes of facts about a person, by which one who is registered twice is recognized.

Names are written in many ways (`thyrocast.cohort.naming`), but hashes are the same or not. Therefore a name
is written as several hashes, of which those of two spellings have one in common.
"""

import hashlib
import hmac
import itertools
from collections.abc import Iterable

from thyrocast.cohort import naming
from thyrocast.cohort.naming import Name

# Longest name, in words, of which pairs are made: 15 hashes.
_MOST_WORDS = 6
# Umlauts that are spelled out and those that lost their dots are one letter.
_VOWELS = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a"))
#: What the hashes of a given name are of: its script, its first letter, and its word.
SCRIPT, INITIAL, WORD = "s", "i", "w"


def keyed(key: bytes, kind: str, *parts: str) -> str | None:
    """Return a keyed hash of facts about a person; None if they are not known."""
    if not any(parts):
        return None
    text = "\0".join(["person", kind, *parts])
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:24]


def name_hashes(key: bytes, names: Iterable[Name]) -> str | None:
    """Return the hashes of each family name with each given name, separated by spaces.

    Of a name without components, they are those of each two words. A single word may be a family name,
    which many people have, and has no hash.
    """
    found: dict[str | None, None] = {}
    for name in names:
        family, given = (list(map(_canonical, part)) for part in (name.family, name.given))
        pairs = itertools.product(family, given) if given else itertools.combinations(family, 2)
        if len(name.words) <= _MOST_WORDS:
            # An initial is of many names.
            long = (sorted(pair) for pair in pairs if min(map(len, pair)) > 1)
            found |= dict.fromkeys(keyed(key, "name", *pair) for pair in long)
    return " ".join(filter(None, found)) or None


def given_hashes(key: bytes, names: Iterable[Name]) -> str | None:
    """Return the hashes of the first given name in each script, separated by spaces.

    Each begins with `SCRIPT`, `INITIAL` or `WORD`; there is no word if only the initial is known. The words are the name
    itself and, for one of five letters or more, the name without each of its letters: two names that differ by
    one letter have one of these in common.
    """
    found: list[str] = []
    for name in names:
        if not name.given:
            continue
        given = _canonical(name.given[0])
        if not given:
            continue
        words = {given} if len(given) > 1 else set()
        if len(given) >= naming.MISSPELLED:
            words |= {given[:at] + given[at + 1 :] for at in range(len(given))}
        parts = [(SCRIPT, naming.script(given)), (INITIAL, given[0])]
        parts += [(WORD, word) for word in sorted(words)]
        found += [f"{kind}{keyed(key, f'given {kind}', part)}" for kind, part in parts]
    return " ".join(found) or None


def other_given(a: str, b: str) -> bool:
    """Return whether the given names with these hashes differ; False if they can't be compared."""
    shared = set(a.split()) & set(b.split())
    if not _of(SCRIPT, shared):
        return False
    whole = all(_of(WORD, set(one.split())) for one in (a, b))
    return not _of(WORD if whole else INITIAL, shared)


def _of(kind: str, hashes: set[str]) -> set[str]:
    return {one for one in hashes if one.startswith(kind)}


def _canonical(word: str) -> str:
    plain = naming.spellings(word)[0]
    for long, short in _VOWELS:
        plain = plain.replace(long, short)
    return plain
