"""Texts that exporters write in place of a name, and names of people that look like them."""

import pytest

from thyrocast.cohort.naming import parse


@pytest.mark.parametrize(
    "text",
    ["anónimo", "Pseudonym", "N.N.", "NN", "Niezidentyfikowany", "RIMOSSO", "SUPPRIMÉ", "gelöscht", "Entfernt",
     "ELIMINADO", "ZZZ", "AAA^BBB", "ABC^ABC", "Subject 01", "SUBJ^A", "Case^12", "CASE 7", "Volunteer", "Proband 3",
     "Blank", "Deleted", "MISSING", "PRIVATE", "NOT AVAILABLE", "N/A", "NA^NA", "Keine Angabe", "Sin nombre", "Sans nom",
     "Senza nome", "Sem nome", "Geen naam", "İsimsiz", "Brak", "P^12", "Unnamed", "StudyPatient^A", "ΑΓΝΩΣΤΟΣ"],
)  # fmt: skip
def test_a_placeholder_is_no_name(text: str) -> None:
    assert parse(text) == {}


@pytest.mark.parametrize(
    "text",
    ["Case^Mary", "Blank^Eva", "Na^Ji Woo", "Brak^Jan", "Private^Ann", "Missing^Petra", "Na^Kim 2", "Subotic^Ana", "Probst^Uta", "Nana^Abc", "P^Anna"],
)  # fmt: skip
def test_a_surname_is_a_name(text: str) -> None:
    assert parse(text)
