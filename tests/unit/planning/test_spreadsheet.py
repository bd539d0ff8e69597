"""A center's table is read as what it says, whatever program, language or alphabet wrote it."""

import datetime
import zipfile
from pathlib import Path

import openpyxl
import pytest

from thyrocast.errors import InputError
from thyrocast.planning import spreadsheet
from thyrocast.planning.spreadsheet import read_table

ROWS = [["Größe", "Name"], ["1,5", "Müller"], ["2,5", "Łoś; jr"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_in_any_dress(tmp_path: Path, delimiter: str, encoding: str) -> None:
    file = tmp_path / "t.csv"
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in ROWS)
    file.write_bytes(text.encode(encoding))
    table = read_table(file)
    assert [table.header, *table.rows] == ROWS
    assert table.column("Größe") == ["1,5", "2,5"]


def test_latin_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("Größe;x\n1,5;€\n".encode("cp1252"))
    assert read_table(tmp_path / "t.csv").rows == [["1,5", "€"]]


def test_empty_lines_don_t_shift_line_numbers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\na,b\n\n1,2\n,\n3\n")
    table = read_table(tmp_path / "t.csv")
    assert table.rows == [["1", "2"], ["3", ""]]
    assert table.lines == [4, 6]


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
        read_table(tmp_path / "t.csv")


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 10)
    (tmp_path / "t.csv").write_text("a\n" + "1\n" * 11)
    with pytest.raises(InputError, match="more than 10 rows"):
        read_table(tmp_path / "t.csv")


def test_workbook_cells_are_what_the_sheet_shows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["id", "date", "moment", "number", "small", "flag", "formula", None])
    sheet.append(
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
    sheet["A4"] = 12
    second = book.create_sheet("other")
    second.append(["only"])
    second.append(["x"])
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert table.header == ["id", "date", "moment", "number", "small", "flag", "formula"]
    # A formula that no spreadsheet program has computed has no value, and is never run.
    assert table.rows[0] == ["007", "2020-03-04", "2020-03-04 05:06:07", "12", "0.3", "1", ""]
    assert (table.rows[1][0], table.lines[1]) == ("12", 4)
    assert read_table(tmp_path / "t.xlsx", "other").rows == [["x"]]
    with pytest.raises(InputError, match="no worksheet 'third', only Sheet, other"):
        read_table(tmp_path / "t.xlsx", "third")


def test_broken_and_bloated_workbooks_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"PK not a zip")
    with pytest.raises(InputError, match="not a readable workbook"):
        read_table(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 100_000)
    monkeypatch.setattr(spreadsheet, "MAX_BYTES", 10_000)
    with pytest.raises(InputError, match="unpacks to 100,000 bytes"):
        read_table(tmp_path / "b.xlsx")


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
    table = read_table(tmp_path / "t.csv")
    assert table.header == header
    assert table.rows[0][0] == "1"


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp1254", "Yaş"), ("cp932", "年齢"), ("gbk", "年龄")]
)
def test_encodings_that_must_be_told(tmp_path: Path, encoding: str, name: str) -> None:
    (tmp_path / "t.csv").write_bytes(f"id,{name}\n1,2\n".encode(encoding))
    assert read_table(tmp_path / "t.csv", encoding=encoding).header == ["id", name]
    (tmp_path / "t.csv").write_text(f"id,{name}\n1,2\n", encoding="utf-8")
    assert read_table(tmp_path / "t.csv", encoding=encoding).header == ["id", name]


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
        read_table(tmp_path / "t.xlsx")
    assert "Doe" not in str(caught.value)
