"""Elements of a header are read through typed accessors, whatever a file contains."""

import datetime
import json

import pytest

from thyrocast.dicom.acquisition import Injection, acquired, injection
from thyrocast.dicom.elements import Elements, Header
from thyrocast.dicom.names import quote_name, unquote_name

HEADER = Header(
    {
        "Rows": 64,
        "RescaleSlope": 0.0,
        "PatientID": "17",
        "ImageType": ["ORIGINAL", None, "STATIC"],
        "PixelSpacing": [2.5, 2.5],
        "DetectorInformationSequence": (
            Elements({"StartAngle": -90.0, "ViewCodeSequence": (Elements({"CodeValue": "x"}),)}),
            Elements(),
        ),
        "PhaseInformationSequence": (),
    },
    transfer_syntax="1.2.840.10008.1.2",
    pixel_bytes=8192,
)


def test_accessors_return_one_type() -> None:
    assert (HEADER.text("PatientID"), HEADER.text("Rows"), HEADER.text("ImageType")) == (
        "17",
        "64",
        "",
    )
    assert (HEADER.number("Rows"), HEADER.number("RescaleSlope"), HEADER.number("PatientID")) == (
        64,
        None,
        17,
    )
    assert HEADER.number("PixelSpacing") == 2.5
    assert HEADER.number("DetectorInformationSequence") is None
    assert HEADER.several("ImageType") == ("ORIGINAL", None, "STATIC")
    assert HEADER.several("Rows") == (64,)
    assert HEADER.several("Columns") == ()
    assert HEADER.items("Rows") == ()
    first, second = HEADER.items("DetectorInformationSequence")
    assert (first.signed("StartAngle"), second.signed("StartAngle")) == (-90.0, None)


def test_a_header_survives_json() -> None:
    for header in (HEADER, Header(reason="empty file")):
        assert Header.from_json(json.loads(json.dumps(header.as_json()))) == header


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"AcquisitionDateTime": "20200103101500.5"}, datetime.datetime(2020, 1, 3, 10, 15)),
        ({"StudyDate": "2020.01.03", "StudyTime": "9999"}, datetime.datetime(2020, 1, 3)),
        ({"AcquisitionDate": "20201399", "SeriesDate": "20200103"}, datetime.datetime(2020, 1, 3)),
        ({"StudyTime": "101500"}, None),
    ],
)
def test_the_most_specific_date_counts(
    values: dict[str, str], expected: datetime.datetime | None
) -> None:
    assert acquired(Elements(values)) == expected


@pytest.mark.parametrize(
    ("start", "delay"), [("101000", 5.0), ("103000", None), ("", None), ("99", None)]
)
def test_the_delay_is_from_injection_to_image(start: str, delay: float | None) -> None:
    drug = Elements({"RadionuclideTotalDose": 74e6, "RadiopharmaceuticalStartTime": start})
    header = Elements({"RadiopharmaceuticalInformationSequence": (drug,)})
    moment = datetime.datetime(2020, 1, 3, 10, 15)
    found = injection(header, moment)
    assert (found.activity_mbq, found.delay_min) == (74.0, delay)
    assert injection(Elements(), moment) == Injection()


@pytest.mark.parametrize("name", ["a/b c", "=cmd()", "Schilddr\udcfcse", "100%,\n'x'"])
def test_a_quoted_file_name_is_plain_text(name: str) -> None:
    quoted = quote_name(name)
    assert quoted.isascii()
    assert quoted.isprintable()
    assert unquote_name(quoted) == name
