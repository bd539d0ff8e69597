"""What the uptake depends on: implausible statements of the header are missing, with a flag."""

import datetime
from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests.unit.example_scans import nm
from thyrocast.dicom.acquisition import Injection, Stated, acquired, dates_differ, injection
from thyrocast.dicom.elements import Elements, Header
from thyrocast.dicom.header import read_elements
from thyrocast.tables.clock import parse_clock, parse_days


def injected(stated: Stated | None = None, **drug: Any) -> Injection:
    dataset: Dataset = nm()
    for keyword, value in drug.items():
        setattr(dataset.RadiopharmaceuticalInformationSequence[0], keyword, value)
    header = Elements(read_elements(dataset))
    return injection(header, acquired(header), stated)


@pytest.mark.parametrize(
    ("dose", "mbq", "flags"),
    [
        (74.0, 74.0, ()),
        (185, 185.0, ()),
        (0, None, ()),
        (2.16, None, ("activity_implausible",)),
        (5.0, None, ("activity_implausible",)),
        (10.0, None, ("activity_implausible",)),
        (80_000, None, ("activity_implausible",)),
        (0.074, None, ("activity_implausible",)),
        (74e6, 74.0, ("activity_in_bq",)),
        (74e9, None, ("activity_implausible",)),
    ],
)
def test_an_activity_that_is_no_plausible_number_of_mbq_is_missing(
    dose: float, mbq: float | None, flags: tuple[str, ...]
) -> None:
    found = injected(RadionuclideTotalDose=dose)
    assert found.activity_mbq == mbq
    assert found.flags == flags


@pytest.mark.parametrize(
    ("start", "minutes", "flags"),
    [
        ("100000", 15.0, ()),
        ("081500", 120.0, ()),
        ("000000", None, ("delay_implausible",)),
        ("000000.00", None, ("delay_implausible",)),
        ("104500", None, ("delay_implausible",)),
        ("101500", None, ("delay_implausible",)),
        ("023000", None, ("delay_implausible",)),
        ("", None, ()),
    ],
)
def test_a_delay_that_is_not_that_of_a_thyroid_scan_is_missing(
    start: str, minutes: float | None, flags: tuple[str, ...]
) -> None:
    found = injected(RadiopharmaceuticalStartTime=start)
    assert found.delay_min == minutes
    assert found.flags == flags


def test_a_dynamic_study_may_start_with_the_injection() -> None:
    dataset = nm()
    dataset.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime = "101500"
    header = Elements(read_elements(dataset))
    assert injection(header, acquired(header), Stated(), dynamic=True).delay_min == 0.0


def test_the_table_comes_before_the_header_and_a_contradiction_is_told() -> None:
    found = injected(Stated(80.0, datetime.time(9, 55)))
    assert (found.activity_mbq, found.activity_by) == (80.0, "table")
    assert (found.delay_min, found.delay_by) == (20.0, "table")
    assert found.flags == ()
    found = injected(Stated(150.0, datetime.time(9, 0)))
    assert (found.activity_mbq, found.delay_min) == (150.0, 75.0)
    assert found.flags == ("activity_differs", "delay_differs")


@pytest.mark.parametrize(
    ("start", "elements", "minutes"),
    [
        ("20200103080000+0000", {"TimezoneOffsetFromUTC": "+0200"}, 15.0),
        ("20200103080000+0000", {"AcquisitionDateTime": "20200103101500.0+0200"}, 15.0),
        ("20200103100000+0200", {"AcquisitionDateTime": "20200103101500+0200"}, 15.0),
        ("20200103100000", {"TimezoneOffsetFromUTC": "+0200"}, 15.0),
        ("20200103080000+0000", {}, None),
    ],
)
def test_times_in_different_zones(
    start: str, elements: dict[str, str], minutes: float | None
) -> None:
    dataset = nm(**elements)
    (drug,) = dataset.RadiopharmaceuticalInformationSequence
    drug.RadiopharmaceuticalStartDateTime = start
    del drug.RadiopharmaceuticalStartTime
    header = Elements(read_elements(dataset))
    found = injection(header, acquired(header))
    assert found.delay_min == minutes
    assert found.flags == (("delay_implausible",) if minutes is None else ())


def test_a_date_before_all_digital_cameras_gives_way_to_another_one() -> None:
    header = Elements(read_elements(nm(AcquisitionDate="19000101")))
    assert acquired(header) == datetime.datetime(2020, 1, 3, 10, 15)
    header = Elements(read_elements(nm(AcquisitionDate="19000101", StudyDate="19700101")))
    assert acquired(header) == datetime.datetime(1900, 1, 1, 10, 15)


@pytest.mark.parametrize(
    ("study", "differ"),
    [
        ("20200103", False),
        ("20200104", False),
        ("20200301", True),
        ("19000101", False),
        ("", False),
    ],
)
def test_dates_of_acquisition_and_study(study: str, *, differ: bool) -> None:
    assert dates_differ(Elements(read_elements(nm(StudyDate=study)))) is differ


def test_an_injection_after_the_image_by_the_table_is_missing() -> None:
    found = injected(Stated(None, datetime.time(11, 0)))
    assert (found.delay_min, found.delay_by) == (None, None)
    assert "delay_implausible" in found.flags


def test_two_statements_of_the_injection_that_contradict_each_other() -> None:
    found = injected(
        RadiopharmaceuticalStartDateTime="20200103094500", RadiopharmaceuticalStartTime="100000"
    )
    assert (found.delay_min, found.flags) == (None, ("delay_differs",))
    found = injected(
        RadiopharmaceuticalStartDateTime="20200103095800", RadiopharmaceuticalStartTime="100000"
    )
    assert (found.delay_min, found.flags) == (17.0, ())


@pytest.mark.parametrize("stamp", ["20200103", "20200103000000"])
def test_a_time_of_acquisition_is_used_before_that_of_the_content(stamp: str) -> None:
    values = {"AcquisitionDateTime": stamp, "ContentDate": "20200103", "ContentTime": "180000"}
    values |= {"AcquisitionDate": "20200103", "AcquisitionTime": "101500"}
    assert acquired(Elements(values)) == datetime.datetime(2020, 1, 3, 10, 15)


def test_a_time_of_acquisition_without_a_date_is_on_the_day_of_the_series() -> None:
    values = {"AcquisitionTime": "101500", "ContentDate": "20200104", "ContentTime": "180000"}
    values |= {"SeriesDate": "20200103", "StudyDate": "20200101"}
    assert acquired(Elements(values)) == datetime.datetime(2020, 1, 3, 10, 15)


@pytest.mark.parametrize("clock", ["", "000000"])
def test_a_missing_time_of_acquisition_is_that_of_the_content_or_series_of_the_day(
    clock: str,
) -> None:
    values: dict[str, Any] = {"AcquisitionDate": "20200103", "AcquisitionTime": clock}
    values |= {"StudyDate": "20200103", "StudyTime": "080000"}
    known = datetime.datetime(2020, 1, 3, 10, 15)
    day = datetime.datetime(2020, 1, 3)
    assert acquired(Elements(values)) == day
    other = {"SeriesDate": "20200102", "SeriesTime": "101500"}
    assert acquired(Elements(values | other)) == day
    for kind in ("Series", "Content"):
        same = {f"{kind}Date": "20200103", f"{kind}Time": "101500"}
        assert acquired(Elements(values | same)) == known


def test_an_injection_before_midnight_is_of_the_day_before() -> None:
    header = Header(read_elements(nm(AcquisitionTime="001000")))
    drug = Elements({"RadiopharmaceuticalStartTime": "235000"})
    values = dict(header.values) | {"RadiopharmaceuticalInformationSequence": (drug,)}
    found = injection(Header(values), acquired(header))
    assert (found.delay_min, found.flags) == (20.0, ())


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("2020-01-03 10:00", 15.0),
        ("03.01.2020 10:00", 15.0),
        ("1/3/2020 10:00", 15.0),
        ("03.01.20 10:00", 15.0),
        ("20-01-03 10:00", 15.0),
        ("1899-12-30 10:00", 15.0),
        ("12/30/99 10:00", 15.0),
        ("02.01.20 10:00", None),
        ("2020-01-02 10:00", None),
        ("2020-01-04 10:00", None),
    ],
)
def test_an_injection_of_another_day_by_the_table_gives_no_delay(
    cell: str, minutes: float | None
) -> None:
    found = injected(Stated(None, parse_clock(cell), parse_days(cell)))
    assert found.delay_min == minutes
    assert ("delay_implausible" in found.flags) == (minutes is None)


def test_an_injection_of_the_day_before_by_the_table() -> None:
    header = Header(read_elements(nm(AcquisitionTime="001000")))
    cell = "2020-01-02 23:50"
    found = injection(header, acquired(header), Stated(None, parse_clock(cell), parse_days(cell)))
    assert found.delay_min == 20.0
