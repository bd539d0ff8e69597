"""Times of day as the tables of several countries write them."""

import datetime

import pytest

from thyrocast.tables.clock import parse_clock


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:30", (10, 30, 0)),
        ("9:05:30", (9, 5, 30)),
        ("2020-01-03 10:30", (10, 30, 0)),
        ("2020-01-03T10:30:00", (10, 30, 0)),
        ("03.01.2020 10:30", (10, 30, 0)),
        ("1:05 PM", (13, 5, 0)),
        ("12:10 am", (0, 10, 0)),
        ("10.30 Uhr", (10, 30, 0)),
        ("10h30", (10, 30, 0)),
        ("1030", (10, 30, 0)),
        ("00:00:00", None),
        ("25:00", None),
        ("03.01.2020", None),
        ("morning", None),
        ("", None),
    ],
)
def test_times_of_day(text: str, expected: tuple[int, int, int] | None) -> None:
    assert parse_clock(text) == (datetime.time(*expected) if expected else None)
