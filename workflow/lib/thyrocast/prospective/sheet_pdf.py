"""The one-page sheet of a prospective patient as a PDF (A4), by ReportLab."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path

import matplotlib
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    Frame,
    Image,
    KeepInFrame,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from thyrocast.prospective.sheet import INTENDED_USE, RESEARCH, Sheet

#: Fonts that contain more letters than those of every PDF reader; matplotlib brings them.
_FONTS = {"Sheet": "DejaVuSans.ttf", "SheetBold": "DejaVuSans-Bold.ttf"}
_MARGIN, _BAND, _PICTURE = 14 * mm, 9 * mm, 68 * mm
_RED = colors.HexColor("#a40000")
_TEXT = ParagraphStyle("text", fontName="Sheet", fontSize=9.5, leading=13, spaceAfter=3)
_BOLD = ParagraphStyle("bold", parent=_TEXT, fontName="SheetBold")
_TITLE = ParagraphStyle("title", parent=_BOLD, fontSize=14, leading=18, spaceAfter=6)
_HEAD = ParagraphStyle("head", parent=_BOLD, fontSize=10.5, leading=14, spaceBefore=8)
_BIG = ParagraphStyle("big", parent=_BOLD, fontSize=20, leading=26)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7.5, leading=10)


def draw(sheet: Sheet) -> bytes:
    """Return the sheet as a PDF of one page; equal sheets give equal bytes."""
    _register()
    output = io.BytesIO()
    canvas = Canvas(output, pagesize=A4, invariant=1)
    canvas.setTitle(sheet.patient)
    canvas.setSubject(RESEARCH)
    width, height = A4
    for bottom in (_MARGIN / 2, height - _MARGIN / 2 - _BAND):
        _band(canvas, bottom, width)
    room = width - 2 * _MARGIN, height - _MARGIN - 2 * _BAND - 8 * mm
    frame = Frame(_MARGIN, _MARGIN / 2 + _BAND + 4 * mm, *room, 0, 0, 0, 0, showBoundary=0)
    # What would not fit on the page is made smaller, never left out.
    frame.addFromList([KeepInFrame(*room, _content(sheet, room[0]), mode="shrink")], canvas)
    canvas.showPage()
    canvas.save()
    return output.getvalue()


def _register() -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, file in _FONTS.items():
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, folder / file))


def _band(canvas: Canvas, bottom: float, width: float) -> None:
    canvas.setStrokeColor(_RED)
    canvas.setFillColor(_RED)
    canvas.rect(_MARGIN, bottom, width - 2 * _MARGIN, _BAND)
    canvas.setFont("SheetBold", 10)
    canvas.drawCentredString(width / 2, bottom + 3 * mm, RESEARCH)


def _content(sheet: Sheet, width: float) -> list[Flowable]:
    found: list[Flowable] = [
        _says("Predicted outcome of the first radioiodine therapy", _TITLE),
        _facts(sheet, width),
    ]
    if sheet.simulated:
        text = "The model learned from simulated patients: its numbers say nothing about real ones."
        found.append(_says(text, _BOLD))
    left = width - _PICTURE - 6 * mm
    sides = Table([[_numbers(sheet), _picture(sheet)]], colWidths=[left, _PICTURE + 6 * mm])
    sides.setStyle(_plain())
    found += [Spacer(1, 2 * mm), sides, _says("Flags", _HEAD)]
    found += [_says(f"• {flag}", _TEXT) for flag in sheet.flags] or [_says("None.", _TEXT)]
    if sheet.others:
        found += [_says("Other models", _HEAD), _others(sheet, width)]
    return [*found, Spacer(1, 3 * mm), _says(INTENDED_USE, _SMALL)]


def _says(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(text, quote=False), style)


def _plain() -> TableStyle:
    return TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ]
    )


def _facts(sheet: Sheet, width: float) -> Table:
    rows = [
        ("Patient (pseudonym)", sheet.patient),
        ("Center", sheet.center),
        ("Date of the scan", sheet.scanned),
        ("Predicted", sheet.predicted),
        ("Model", f"{sheet.model} of the locked model {sheet.bundle}"),
    ]
    cells = [[_says(name, _TEXT), _says(value, _TEXT)] for name, value in rows]
    table = Table(cells, colWidths=[45 * mm, width - 45 * mm])
    table.setStyle(_plain())
    return table


def _numbers(sheet: Sheet) -> list[Flowable]:
    return [
        _says("Probability of cure", _HEAD),
        _says(sheet.probability, _BIG),
        _says(sheet.meaning, _TEXT),
        _says(sheet.decision, _TEXT),
        _says(sheet.prediction, _BOLD),
    ]


def _picture(sheet: Sheet) -> list[Flowable]:
    title = _says("Scintigram with the network’s map", _HEAD)
    if sheet.picture is None:
        return [title, _says("There is no picture of this patient.", _TEXT)]
    note = "Grad-CAM: where the network’s evidence is, not why. White line: gland."
    image = Image(io.BytesIO(sheet.picture), width=_PICTURE, height=_PICTURE, hAlign="LEFT")
    return [title, image, _says(note, _SMALL)]


def _others(sheet: Sheet, width: float) -> Table:
    head = [_says(text, _BOLD) for text in ("Model", "Probability of cure", "Decision", "Set")]
    rows = [
        [_says(text, _TEXT) for text in (one.model, one.probability, one.decision, one.prediction)]
        for one in sheet.others
    ]
    table = Table([head, *rows], colWidths=[width * share for share in (0.34, 0.24, 0.14, 0.28)])
    table.setStyle(_plain())
    return table
