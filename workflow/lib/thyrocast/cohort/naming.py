"""Whether two spellings may be the name of one person; standard library only.

A PatientName (PS3.5 6.2.1.2) is written in many ways: components in another order, accents lost,
umlauts spelled out, titles, initials, a second or a married name. Only a difference that none of
these explains is one.
"""

import functools
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass

# Shortest word of which a shortened form, or one with another letter, is recognized.
_SHORTENED, MISSPELLED = 3, 5
# Initials of a name, written as one word, as pseudonymized exports have them.
_INITIALS = (2, 4)
_TITLES = re.compile(
    r"dr|prof|professor|med|dipl|ing|phd|md|mr|mrs|ms|miss|sir|frau|fr|herr|hr|mme|mlle|madame|"
    r"monsieur|sig|sigra|signora?|sra?|srta|senora?|dott|dottssa|pani?|bay|bayan|mw|mevr|dhr|jr|ii|"
    r"iii|iv|geb|geborene|n[eé]e|born|ep|[eé]pouse|vve|veuve|verh|verw"
)
_UNKNOWN = re.compile(
    r"\b(anon\w*|unknown|unbekannt|inconnue?|desconocid[oa]|desconhecid[oa]|sconosciut[oa]|"
    r"bilinmiyor|onbekend|nieznan[ya]|no ?name|patient\w*|paciente|paziente|pacjent|hasta|test\w*|"
    r"none|null|nn|n n|xx+|deidentif\w*|de identif\w*|removed|redacted|hidden|name|phantom|\w*patient|pseudo\w*|"
    r"niezidentyf\w*|rimoss[oa]|supprimee?|geloscht|entfernt|eliminad[oa]|deleted|erased|masked|scrubbed|unnamed|"
    r"confidential|not available|keine angabe|sin nombre|sans nom|senza nome|sem nome|geen naam|isimsiz|subj\w*|proband\w*|"
    r"volunteer\w*|voluntari[oa]|αγνωστ\w*)\b"
)
# These are surnames of people too: placeholders only where nothing but numbers and other placeholders is written.
_UNKNOWN_ALONE = re.compile(
    r"(?:(?:case|blank|empty|missing|nobody|private|brak|na|n a|abc|([^\W\d])\1{2,}|\d+)(?: |$))+|[^\W\d] \d+"
)
_PLAIN = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i",
                        "þ": "th", "ð": "d"})  # fmt: skip
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


@dataclass(frozen=True)
class Name:
    """The words of a name in one script, in lower case, without titles.

    Attributes
    ----------
    family, given
        Words before and after the first separator of components; `given` is empty if there is
        none, because the order of the words is then not known.
    """

    family: tuple[str, ...]
    given: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """All words."""
        return self.family + self.given


def parse(text: str, identifier: str = "") -> dict[str, Name]:
    """Return the names in a PatientName, by script; none if it is a placeholder or a pseudonym.

    Parameters
    ----------
    text
        The value, with components separated by ``^`` or a comma, and groups by ``=``.
    identifier
        The patient's identifier, which some exporters write in place of the name.
    """
    names: dict[str, Name] = {}
    for group in unicodedata.normalize("NFC", text).split("="):
        lower = group.casefold().replace("i\u0307", "i")
        plain = re.sub(r"[\W_]+", " ", spellings(lower)[0]).strip()
        if _UNKNOWN.search(plain) or _UNKNOWN_ALONE.fullmatch(plain):
            return {}
        separator = "^" if "^" in lower else ","
        family, *others = lower.split(separator)
        # The other components are given and middle names, prefix and suffix.
        name = Name(_words(family), _words(" ".join(others)))
        if name.words and "".join(name.words) != _letters(identifier.casefold()):
            names.setdefault(script(name.words[0]), name)
    return names


def _words(text: str) -> tuple[str, ...]:
    parts = re.split(r"[\s^,.;/\-\u2010-\u2015'\u2019`´()_]+", text)
    # A word with a digit is a number of the patient, not a name.
    letters = (_letters(part) for part in parts if not any(c.isdigit() for c in part))
    return tuple(word for word in letters if word and not _TITLES.fullmatch(word))


def _letters(text: str) -> str:
    # A question mark replaces a letter that was lost in a conversion of character sets. A raised letter marks an
    # abbreviation (Mª, Fco.), of which the first letter is left.
    plain = text[:1] if text.endswith(("ª", "º")) else text
    return "".join(c for c in plain if c.isalpha() or unicodedata.combining(c) or c in "?\ufffd")


def script(word: str) -> str:
    """Return the script of a word, by the name of its first letter."""
    return unicodedata.name(word[0], "LATIN").split()[0].split("-")[0]


def may_be_one(a: dict[str, Name], b: dict[str, Name], *, same_birth: bool) -> bool:
    """Return whether two names may be those of one person; names in different scripts may.

    Parameters
    ----------
    a, b
        What `parse` returned.
    same_birth
        Whether both are known to be born on the same day: then another family name with the same
        given name is that of a marriage.
    """
    shared = a.keys() & b.keys()
    return not shared or any(_alike(a[script], b[script], same_birth) for script in shared)


def _alike(a: Name, b: Name, same_birth: bool) -> bool:
    if _covers(b, a.words) or _covers(a, b.words) or _initials(a, b) or _initials(b, a):
        return True
    if not (a.given and b.given):
        return False
    given = _within(a.given, b.given) or _within(b.given, a.given)
    return given and same_birth


def _initials(short: Name, name: Name) -> bool:
    """Return whether a name is one word of the initials of another one, in any order."""
    letters = sorted("".join(short.words)) if len(short.words) == 1 else []
    # A word may be an accent alone, whose letter was lost.
    firsts = [spellings(word)[0][:1] for word in name.words]
    return _INITIALS[0] <= len(letters) <= _INITIALS[1] and letters == sorted(firsts)


def _covers(name: Name, words: Collection[str]) -> bool:
    """Return whether a name contains all words, also if it writes them as one or as several."""
    joined = ["".join(name.family), "".join(name.given)]
    joined += ["".join(joined), "".join(reversed(joined))]
    return _within(words, [*name.words, *filter(None, joined)])


def _within(words: Collection[str], others: Collection[str]) -> bool:
    return all(any(_match(word, other) for other in others) for word in words)


def _match(a: str, b: str) -> bool:
    if set(spellings(a)) & set(spellings(b)):
        return True
    short, long = sorted((spellings(a)[0], spellings(b)[0]), key=len)
    if long.startswith(short) and (len(short) == 1 or len(short) >= _SHORTENED):
        return True
    lost = sum(short.count(mark) + long.count(mark) for mark in "?\ufffd")
    return (len(long) >= MISSPELLED or bool(lost)) and _distance(short, long) <= max(lost, 1)


@functools.lru_cache(4096)
def spellings(word: str) -> tuple[str, ...]:
    """Return a word in lower-case letters without accents, and with umlauts spelled out."""
    return tuple(dict.fromkeys(_spellings(word)))


def _spellings(word: str) -> Iterator[str]:
    for text in (word, word.translate(_SPELLED_OUT)):
        parts = unicodedata.normalize("NFKD", text.translate(_PLAIN))
        yield "".join(c for c in parts if not unicodedata.combining(c))


def _distance(a: str, b: str) -> int:
    """Return the Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (left != right))
    return row[-1]
