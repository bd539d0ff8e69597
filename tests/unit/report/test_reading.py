"""What the report reads."""

from thyrocast.report import reading


def test_no_two_tables_of_the_report_have_one_name() -> None:
    """Tables are found by their file name: two of one name would be taken for each other."""
    names = [table.name for table in (*reading.EVALUATION, *reading.OPTIONAL)]
    assert len(set(names)) == len(names)
