"""Tables as people make them: titles, hidden rows, quotes that are not closed, misleading names."""

import zipfile
from pathlib import Path

import pytest

from tests.unit.tables.books import workbook
from thyrocast.config.table import HiddenRows
from thyrocast.errors import InputError
from thyrocast.tables.spreadsheet import read_sheet


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
