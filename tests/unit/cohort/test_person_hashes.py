"""Two spellings of one name share a hash, those of two people do not."""

import pytest

from thyrocast.cohort import naming
from thyrocast.cohort.person_hashes import given_hashes, name_hashes, other_given

KEY = b"k" * 32


def hashes(name: str) -> tuple[str, str]:
    names = naming.parse(name).values()
    return name_hashes(KEY, names) or "", given_hashes(KEY, names) or ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DOE^JANE", "Doe Jane"), ("DOE^JANE", "Jane^Doe"), ("DOE^JANE", "DOE^JANE^MARIA"),
        ("MÜLLER^JÖRG", "MUELLER^JOERG"), ("MÜLLER^JÖRG", "MULLER^JORG"),
        ("GARCIA LOPEZ^ANA", "GARCIA^ANA"), ("Ivanov^Ivan=Иванов^Иван", "Иванов^Иван"),
    ],
)  # fmt: skip
def test_spellings_of_one_name_share_a_hash(one: str, other: str) -> None:
    assert set(hashes(one)[0].split()) & set(hashes(other)[0].split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DOE^JANE", "DOE^MARY"), ("DOE^JANE", "ROE^JANE"), ("DOE^JANE", "DOE^J"), ("DOE", "DOE"),
        ("GARCIA LOPEZ^ANA", "GARCIA LOPEZ^EVA"),
    ],
)  # fmt: skip
def test_other_names_and_single_words_share_none(one: str, other: str) -> None:
    assert not set(hashes(one)[0].split()) & set(hashes(other)[0].split())


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("DOE^JANE", "DOE^MARY", True), ("DOE^JANE", "DOE^JOAN", True), ("DOE^JANE", "DOE^M", True),
        ("DOE^JANE", "DOE^J", False), ("DOE^RENÉE", "DOE^RENEE", False),
        ("DOE^JÖRG", "DOE^JOERG", False), ("DOE^ELISABETH", "DOE^ELIZABETH", False),
        ("DOE^ELISABET", "DOE^ELISABETH", False), ("DOE^IVAN", "Доу^Иван", False),
        ("DOE^JANE", "DOE", False), ("Доу^Иван", "Доу^Пётр", True),
    ],
)  # fmt: skip
def test_given_names_differ_if_no_spelling_explains_it(one: str, other: str, differ: bool) -> None:
    assert other_given(hashes(one)[1], hashes(other)[1]) is differ


def test_without_the_key_no_hash_can_be_computed() -> None:
    names = naming.parse("DOE^JANE").values()
    assert name_hashes(KEY, names) != name_hashes(b"other" * 8, names)


@pytest.mark.parametrize("other", ["GM", "Garcia", "Garcia^Maria"])
def test_an_accent_without_its_letter_is_no_error(other: str) -> None:
    damaged = naming.parse("Garcia^\u0301")
    assert isinstance(naming.may_be_one(damaged, naming.parse(other), same_birth=False), bool)
