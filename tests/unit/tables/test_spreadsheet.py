"""A center's table is read as it is shown, whatever program, language or alphabet wrote it."""

import datetime
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from tests.unit.tables.books import rewrite, workbook
from thyrocast.errors import InputError
from thyrocast.tables import limits
from thyrocast.tables.spreadsheet import read_sheet

ROWS = [["Größe", "Name"], ["1,5", "Müller"], ["2,5", "Łoś; jr"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_in_any_delimiter_and_encoding(tmp_path: Path, delimiter: str, encoding: str) -> None:
    file = tmp_path / "t.csv"
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in ROWS)
    file.write_bytes(text.encode(encoding))
    sheet = read_sheet(file)
    assert [sheet.header, *sheet.rows] == ROWS
    assert sheet.column("Größe") == ["1,5", "2,5"]


def test_latin_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("Größe;x\n1,5;€\n".encode("cp1252"))
    assert read_sheet(tmp_path / "t.csv").rows == [["1,5", "€"]]


def test_empty_lines_do_not_shift_line_numbers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\na,b\n\n1,2\n,\n3\n")
    sheet = read_sheet(tmp_path / "t.csv")
    assert sheet.rows == [["1", "2"], ["3", ""]]
    assert sheet.lines == [4, 6]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a,a\n1,2\n", "two columns named 'a'"),
        ("a,b\n1,2,3\n", "row 2 has 3 cells, expected 2"),
        ("\0\1\2", "binary file"),
    ],
)
def test_unreadable_text_is_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read_sheet(tmp_path / "t.csv")


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ROWS", 10)
    (tmp_path / "t.csv").write_text("a\n" + "1\n" * 11)
    with pytest.raises(InputError, match="more than 10 rows"):
        read_sheet(tmp_path / "t.csv")


def test_workbook_cells_are_what_the_sheet_shows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    first.append(["id", "date", "moment", "number", "small", "flag", "formula", None])
    first.append(
        [
            "007",
            datetime.date(2020, 3, 4),
            datetime.datetime(2020, 3, 4, 5, 6, 7),
            12.0,
            0.1 + 0.2,
            True,
            "=1+1",
        ]
    )
    first["A4"] = 12
    second = book.create_sheet("other")
    second.append(["only"])
    second.append(["x"])
    book.save(tmp_path / "t.xlsx")
    sheet = read_sheet(tmp_path / "t.xlsx")
    assert sheet.header == ["id", "date", "moment", "number", "small", "flag", "formula"]
    # A formula without a stored value is empty; it is never run.
    assert sheet.rows[0] == ["007", "2020-03-04", "2020-03-04 05:06:07", "12", "0.3", "TRUE", ""]
    assert (sheet.rows[1][0], sheet.lines[1]) == ("12", 4)
    assert read_sheet(tmp_path / "t.xlsx", "other").rows == [["x"]]
    with pytest.raises(InputError, match="no worksheet 'third', only Sheet, other"):
        read_sheet(tmp_path / "t.xlsx", "third")


def test_broken_and_bloated_workbooks_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"PK not a zip")
    with pytest.raises(InputError, match="not a readable workbook"):
        read_sheet(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 100_000)
    monkeypatch.setattr(limits, "MAX_BYTES", 10_000)
    with pytest.raises(InputError, match="unpacks to 100,000 bytes"):
        read_sheet(tmp_path / "b.xlsx")


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("sep=;\r\nid;a,b\r\n1;2\r\n", ["id", "a,b"]),
        ('"Pat\nID";"Age, years";x\n1;2;3\n', ["Pat ID", "Age, years", "x"]),
        ("id;Gro\u0308\u00dfe\n1;2\n", ["id", "Gr\u00f6\u00dfe"]),
    ],
)
def test_headers_with_quirks(tmp_path: Path, content: str, header: list[str]) -> None:
    (tmp_path / "t.csv").write_bytes(content.encode())
    sheet = read_sheet(tmp_path / "t.csv")
    assert sheet.header == header
    assert sheet.rows[0][0] == "1"


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp1254", "Yaş"), ("cp932", "年齢"), ("gbk", "年龄")]
)
def test_encodings_that_must_be_configured(tmp_path: Path, encoding: str, name: str) -> None:
    (tmp_path / "t.csv").write_bytes(f"id,{name}\n1,2\n".encode(encoding))
    assert read_sheet(tmp_path / "t.csv", encoding=encoding).header == ["id", name]
    (tmp_path / "t.csv").write_text(f"id,{name}\n1,2\n", encoding="utf-8")
    assert read_sheet(tmp_path / "t.csv", encoding=encoding).header == ["id", name]


def test_a_faulty_workbook_is_not_quoted(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id", 2.5])
    book.save(tmp_path / "whole.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "whole.xlsx") as whole,
        zipfile.ZipFile(tmp_path / "t.xlsx", "w") as faulty,
    ):
        for name in whole.namelist():
            faulty.writestr(name, whole.read(name).replace(b"<v>2.5</v>", b"<v>Doe</v>"))
    with pytest.raises(InputError, match="not a readable workbook") as caught:
        read_sheet(tmp_path / "t.xlsx")
    assert "Doe" not in str(caught.value)


def test_a_percentage_is_read_as_shown_and_reported(tmp_path: Path) -> None:
    workbook(
        tmp_path / "t.xlsx",
        ["a", "b", "c", "d"],
        [0.62, 0.07, 0.625, 62],
        A2="0%", B2="0.0%", C2="[Red]0.00%", D2='0"%"',
    )  # fmt: skip
    sheet = read_sheet(tmp_path / "t.xlsx")
    assert sheet.rows == [["62%", "7%", "62.5%", "62"]]
    (note,) = sheet.notes
    assert "3 cells are formatted as percent: 0.62 is read as 62%" in note
    assert "the first in row 2" in note


def test_a_formula_counts_by_its_stored_value(tmp_path: Path) -> None:
    workbook(tmp_path / "unsaved.xlsx", ["a", "b"], ["x", "=1+1"], ["y", "=B2"])
    # openpyxl writes an empty element in one of two ways, depending on the XML library.
    stored = rewrite(
        tmp_path / "unsaved.xlsx",
        tmp_path / "t.xlsx",
        (b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>"),
        (b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>"),
    )
    sheet = read_sheet(stored)
    assert sheet.rows == [["x", "2"], ["y", ""]]
    (note,) = sheet.notes
    assert "1 cells contain a formula without a stored value and count as empty" in note
    assert "the first in row 3" in note


def test_an_error_is_empty_and_reported(tmp_path: Path) -> None:
    workbook(tmp_path / "t.xlsx", ["a", "b"], ["x", "#DIV/0!"])
    sheet = read_sheet(tmp_path / "t.xlsx")
    assert sheet.rows == [["x", ""]]
    assert "1 cells contain an error" in sheet.notes[0]


def test_declared_dimensions_do_not_count(tmp_path: Path) -> None:
    workbook(tmp_path / "whole.xlsx", ["a", "b"], [1, 2])
    wrong = rewrite(tmp_path / "whole.xlsx", tmp_path / "t.xlsx", (b'ref="A1:B2"', b'ref="A1"'))
    assert read_sheet(wrong).rows == [["1", "2"]]


def test_dates_since_1904(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["date"])
    book.active.append([datetime.date(2020, 3, 4)])
    book.save(tmp_path / "t.xlsx")
    assert read_sheet(tmp_path / "t.xlsx").rows == [["2020-03-04"]]


def strict(tmp_path: Path) -> Path:
    main = (
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    )
    workbook(tmp_path / "whole.xlsx", ["a"], [1])
    return rewrite(tmp_path / "whole.xlsx", tmp_path / "t.xlsx", main)


def encrypted(tmp_path: Path) -> Path:
    name = "EncryptedPackage".encode("utf-16-le")
    (tmp_path / "t.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + name)
    return tmp_path / "t.xlsx"


def old(tmp_path: Path) -> Path:
    (tmp_path / "t.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504))
    return tmp_path / "t.xlsx"


def other_archive(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("content.xml", "<x/>")
    return tmp_path / "t.xlsx"


def entities(tmp_path: Path) -> Path:
    workbook(tmp_path / "whole.xlsx", ["a"], [1])
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet'
    return rewrite(tmp_path / "whole.xlsx", tmp_path / "t.xlsx", (b"<worksheet", bomb))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (strict, "is a Strict Open XML workbook: save it as `Excel Workbook"),
        (encrypted, "is protected by a password: save it without one"),
        (old, r"is a workbook of Excel 97-2003 \(.xls\): save it as `Excel Workbook"),
        (other_archive, "is not an XLSX workbook"),
        (entities, "declares XML entities"),
    ],
)
def test_a_workbook_that_can_not_be_read_is_named_with_its_cause(
    tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_sheet(make(tmp_path))


def test_rows_of_a_hostile_workbook_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ROWS", 1_000)
    workbook(tmp_path / "whole.xlsx", ["a"], [1])
    far = rewrite(
        tmp_path / "whole.xlsx", tmp_path / "t.xlsx",
        (b'<row r="2"', b'<row r="99999999"'), (b'r="A2"', b'r="A99999999"'),
    )  # fmt: skip
    with pytest.raises(InputError, match="more than 1,000 rows"):
        read_sheet(far)
    wide = rewrite(tmp_path / "whole.xlsx", tmp_path / "t.xlsx", (b'r="A2"', b'r="ZZZ2"'))
    with pytest.raises(InputError, match="row 2 has a cell beyond column XFD"):
        read_sheet(wide)


def test_openpyxl_is_imported_only_for_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    code = (
        "import sys; from thyrocast.tables.spreadsheet import read_sheet;"
        "read_sheet(sys.argv[1]); assert 'openpyxl' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "t.csv")],
        env={**os.environ, "PYTHONPATH": "workflow/lib"},
        check=True,
    )


def test_a_launcher_without_openpyxl_is_the_reason_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "t.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.save(file)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match="has no package openpyxl: install requirements/launcher"):
        read_sheet(file)
