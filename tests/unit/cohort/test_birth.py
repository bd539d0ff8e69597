"""Birth dates and ages in the forms in which headers have them."""

import pytest

from thyrocast.cohort.birth import Born, born, header_age, year_of_birth
from thyrocast.dicom.elements import Header


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("19500304", Born(1950, "0304")), ("1950-03-04", Born(1950, "0304")),
        ("1950.03.04", Born(1950, "0304")), ("19500101", Born(1950)), ("1950", Born(1950)),
        ("04.03.1950", Born(1950)), ("3/4/1950", Born(1950)), ("19500300", Born(1950)),
        ("00000000", None), ("19000101", None), ("99991231", None), ("unknown", None),
    ],
)  # fmt: skip
def test_a_birth_date_is_read_as_far_as_it_is_known(text: str, expected: Born | None) -> None:
    assert born(text) == expected


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("034Y", 34), ("34Y", 34), ("34", 34), ("408M", 34), ("0408M", 34), ("000Y", None),
        ("091Y", None), ("999Y", None), ("1100M", None), ("003D", None), ("adult", None), ("034M", None), ("119M", None),
        ("144M", 12),
    ],
)  # fmt: skip
def test_an_age_is_read_with_its_unit(text: str, years: float | None) -> None:
    assert header_age(Header({"PatientAge": text})) == years


@pytest.mark.parametrize(("date", "known"), [("20200701", True), ("19700101", False), ("", False)])
def test_an_age_at_a_placeholder_date_is_no_year_of_birth(date: str, known: bool) -> None:
    header = Header({"PatientAge": "045Y", "AcquisitionDate": date})
    assert (year_of_birth(header) is not None) == known
