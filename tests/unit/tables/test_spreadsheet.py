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

from thyrocast.config.center import HiddenRows
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


def workbook(path: Path, *rows: list[object], **formats: str) -> openpyxl.Workbook:
    """A workbook of one sheet; number formats by cell."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, code in formats.items():
        book.active[cell].number_format = code
    book.save(path)
    return book


def rewrite(source: Path, target: Path, *changes: tuple[bytes, bytes]) -> Path:
    """Replace bytes in every part of a workbook."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            for before, after in changes:
                data = data.replace(before, after)
            new.writestr(name, data)
    return target


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


def test_a_merged_column_has_its_value_in_each_row(tmp_path: Path) -> None:
    book = workbook(tmp_path / "t.xlsx", ["id", "n"], ["p", 1], ["", 2], ["q", 3])
    book.active.merge_cells("A2:A3")
    book.save(tmp_path / "t.xlsx")
    sheet = read_sheet(tmp_path / "t.xlsx")
    assert sheet.rows == [["p", "1"], ["p", "2"], ["q", "3"]]
    assert "merged cells" in sheet.notes[0]


def test_hidden_rows_are_read_or_left_out_as_configured(tmp_path: Path) -> None:
    book = workbook(tmp_path / "t.xlsx", ["id", "n"], ["p", 1], ["q", 2], ["r", 3])
    book.active.row_dimensions[3].hidden = True
    book.save(tmp_path / "t.xlsx")
    assert len(read_sheet(tmp_path / "t.xlsx", hidden_rows=HiddenRows.READ).rows) == 3
    left = read_sheet(tmp_path / "t.xlsx", hidden_rows=HiddenRows.SKIP)
    assert left.rows == [["p", "1"], ["r", "3"]]
    assert left.lines == [2, 4]
    with pytest.raises(InputError, match=r"1 hidden rows \(the first is row 3\).*`hidden_rows`"):
        read_sheet(tmp_path / "t.xlsx", hidden_rows=None)


def test_hidden_columns_are_read_and_told(tmp_path: Path) -> None:
    book = workbook(tmp_path / "t.xlsx", ["id", "n"], ["p", 1])
    book.active.column_dimensions["B"].hidden = True
    book.save(tmp_path / "t.xlsx")
    sheet = read_sheet(tmp_path / "t.xlsx")
    assert sheet.rows == [["p", "1"]]
    assert "1 hidden columns are read as well" in sheet.notes[0]


def test_the_header_is_found_below_titles(tmp_path: Path) -> None:
    rows = [["Cohort of the center"], ["exported", "2024-05-31"], ["id", "n"], ["p", 1]]
    workbook(tmp_path / "t.xlsx", *rows)
    lines = "Cohort, of the; center\n;\n;exported\nid;n\np;1,5\n"
    (tmp_path / "t.csv").write_text(lines)
    for name, value, row in (("t.xlsx", "1", 3), ("t.csv", "1,5", 4)):
        sheet = read_sheet(tmp_path / name, names={"id", "n"})
        assert (sheet.header, sheet.rows) == (["id", "n"], [["p", value]])
        assert f"the header is row {row}" in " ".join(sheet.notes)


def test_the_worksheet_with_the_columns_is_read(tmp_path: Path) -> None:
    book = workbook(tmp_path / "t.xlsx", ["legend"], ["w", "female"])
    data = book.create_sheet("data")
    data.append(["id", "n"])
    data.append(["p", 1])
    book.save(tmp_path / "t.xlsx")
    sheet = read_sheet(tmp_path / "t.xlsx", names={"id", "n"})
    assert sheet.rows == [["p", "1"]]
    assert "of 2 worksheets, 'data' is read" in sheet.notes[0]
    copy = book.copy_worksheet(data)
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(InputError, match="worksheets 'data', 'data Copy' have all columns"):
        read_sheet(tmp_path / "t.xlsx", names={"id", "n"})
    copy.sheet_state = "hidden"
    book.save(tmp_path / "t.xlsx")
    assert read_sheet(tmp_path / "t.xlsx", names={"id", "n"}).rows == [["p", "1"]]


def test_a_formula_without_a_value_in_a_needed_column_stops(tmp_path: Path) -> None:
    workbook(tmp_path / "t.xlsx", ["id", "dose"], ["p", "=370*1.5"], ["q", "=2*370"])
    with pytest.raises(
        InputError, match=r"column 'dose': 2 cells \(the first in row 2\) are formulas"
    ):
        read_sheet(tmp_path / "t.xlsx", names={"id", "dose"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('id,note,n\n1,"large goiter,5\n2,small,6\n3,none,7\n', "line 2: a quote that opens there"),
        ('id,note,n\n1,"goiter,5\n2,"small",6\n3,none,7\n', "line 2: text follows a closing quote"),
        ('id,note,n\n1,"goiter,5\n2,none,6\n3,x",7\n4,y,8\n', "line 2: a quoted cell ends in line 4"),
        ("id,note,n\n1,large\ngoiter,5\n2,none,6\n", "line 2: a line break divides the row"),
        ("id,note\n" + "1,x\n" * 2000 + "2,\0\n", "line 2002 contains a NUL byte"),
        ("<html><body><table><tr><td>id</td></tr></table></html>", "is a web page"),
        ('<?xml version="1.0"?><Workbook/>', "is an XML file"),
        ("%PDF-1.4", "is a PDF file"),
        ("$FL2@(#) SPSS DATA FILE", "is an SPSS file"),
    ],
)  # fmt: skip
def test_rows_that_a_quote_or_a_line_break_hides_are_named(
    tmp_path: Path, text: str, message: str
) -> None:
    for name in ("t.csv", "t.xls"):
        (tmp_path / name).write_bytes(text.encode())
        with pytest.raises(InputError, match=message):
            read_sheet(tmp_path / name, names={"id", "note"})


def test_a_cell_of_several_lines_is_one_cell(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('id,note,n\n1,"first, small\nthen, large",5\n2,x,6\n')
    assert len(read_sheet(tmp_path / "t.csv").rows) == 2


def test_utf_16_without_byte_order_mark(tmp_path: Path) -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "t.csv").write_bytes("id;n\np;1\n".encode(encoding))
        assert read_sheet(tmp_path / "t.csv").rows == [["p", "1"]]


def test_an_encoding_that_is_guessed_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("id;Größe\np;1\n".encode("cp1252"))
    assert "is read as Windows-1252" in read_sheet(tmp_path / "t.csv").notes[0]
    (tmp_path / "t.csv").write_bytes(b"id;x\np;\x81\n")
    with pytest.raises(InputError, match="line 2 is neither UTF-8 nor cp1252: set `encoding`"):
        read_sheet(tmp_path / "t.csv")


def test_a_file_is_what_it_contains_whatever_its_name(tmp_path: Path) -> None:
    workbook(tmp_path / "t.xlsx", ["id"], ["p"])
    (tmp_path / "t.xlsx").rename(tmp_path / "t.csv")
    assert read_sheet(tmp_path / "t.csv").rows == [["p"]]
    (tmp_path / "u.xlsx").write_text("id;n\np;1\n")
    assert read_sheet(tmp_path / "u.xlsx").rows == [["p", "1"]]
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
        archive.writestr("xl/workbook.bin", b"")
    with pytest.raises(InputError, match=r"binary workbook \(.xlsb\)"):
        read_sheet(tmp_path / "b.xlsx")
    with zipfile.ZipFile(tmp_path / "o.csv", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with pytest.raises(InputError, match=r"OpenDocument file \(.ods\)"):
        read_sheet(tmp_path / "o.csv")


def test_two_columns_of_one_name_stop_only_if_they_are_needed(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,note,note\n1,a,b\n")
    assert (
        "several columns are named 'note'" in read_sheet(tmp_path / "t.csv", names={"id"}).notes[0]
    )
    with pytest.raises(InputError, match="two columns named 'note'"):
        read_sheet(tmp_path / "t.csv", names={"id", "note"})


def test_the_delimiter_is_the_one_that_gives_the_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id;dose, MBq, given;age, years\n1;5;6\n")
    names = {"id", "dose, MBq, given"}
    assert read_sheet(tmp_path / "t.csv", names=names).rows == [["1", "5", "6"]]


def test_short_rows_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,a,b\n1,2,3\n2\n3,1,2\n")
    assert (
        "1 rows have fewer cells than the header (the first in line 3)"
        in (read_sheet(tmp_path / "t.csv").notes[0])
    )


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
