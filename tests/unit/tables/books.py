"""Workbooks of one sheet, and changes of their parts."""

import zipfile
from pathlib import Path

import openpyxl


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
