"""The contact sheet: the chosen images with the outline of the gland, the worst first.

All images of a sheet are one picture, of which the page shows parts: 200 separate pictures would be
larger and slower.
"""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from thyrocast.check import flags, quality
from thyrocast.check.center import Center
from thyrocast.check.people import file_name
from thyrocast.contract.check import Severity
from thyrocast.contract.cohort import RECORDS
from thyrocast.contract.names import ScanKind, ViewSource
from thyrocast.pages import numbers

#: Images of one sheet, images of a row, and pixels of an image's side.
PER_SHEET, ACROSS, SIDE = 200, 10, 112
#: The gray scale ends at this percentile of an image, so that a hot spot does not darken the gland.
WHITE = 99.5
#: Color of the outline (red, green, blue): visible on gray for color-blind readers.
OUTLINE = (255, 159, 28)
QUALITY = 82
#: Columns by which images are ordered, the worst first: the finder's certainty, then noise.
QUALITIES = tuple(name for name in ("q_score", "q_snr") if name in RECORDS.names)
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Tile:
    """One image of a sheet.

    Attributes
    ----------
    patient, identifier, file
        Pseudonym, identifier and file.
    x, y
        Place on the sheet, in images.
    why
        Why this image was chosen.
    concerns
        What may be wrong with it.
    facts
        Counts, contrast and size in words.
    """

    patient: str
    identifier: str
    file: str
    x: int
    y: int
    why: str
    concerns: Sequence[str]
    facts: str


@dataclass(frozen=True)
class Sheet:
    """Up to 200 images: the picture as a data URL, its size in images, and the tiles."""

    source: str
    across: int
    down: int
    tiles: Sequence[Tile]


_KINDS = {
    ScanKind.STATIC: "static",
    ScanKind.DYNAMIC: "sum of a dynamic study",
    ScanKind.CAPTURE: "captured picture",
}


def sheets(center: Center) -> Iterator[Sheet]:
    """Yield the contact sheets, the images with most concerns and lowest quality first."""
    used = center.used
    if used.empty:
        return
    concerns = {row["patient"]: concerns_of(row, center) for row in used.to_dict("records")}
    weight = used["patient"].map(lambda patient: -len(concerns[patient]))
    ordered = used.assign(_concerns=weight).sort_values(
        ["_concerns", *QUALITIES, "patient"], na_position="first", kind="stable"
    )
    candidates = center.scans["patient"].value_counts()
    pictures = _pictures(center.images)
    for start in range(0, len(ordered), PER_SHEET):
        rows = ordered.iloc[start : start + PER_SHEET].to_dict("records")
        across = min(ACROSS, len(rows))
        down = -(-len(rows) // across)
        picture = np.zeros((down * SIDE, across * SIDE, 3), np.uint8)
        tiles = []
        for place, row in enumerate(rows):
            y, x = divmod(place, across)
            picture[y * SIDE : (y + 1) * SIDE, x * SIDE : (x + 1) * SIDE] = pictures[row["patient"]]
            patient = row["patient"]
            tiles.append(
                Tile(
                    patient=patient,
                    identifier=row["identifier"],
                    file=file_name(row["file"]),
                    x=x,
                    y=y,
                    why=_why(row, int(candidates[patient])),
                    concerns=concerns[patient],
                    facts=_facts(row),
                )
            )
        yield Sheet(data_url(picture), across, down, tiles)


def _why(row: Mapping[Any, Any], candidates: int) -> str:
    words = [_KINDS.get(row["kind"], str(row["kind"])), flags.view(row)]
    if pd.notna(row["days_before"]):
        words.append(f"{int(row['days_before'])} days before therapy")
    else:
        words.append("date of scan or therapy not known")
    if candidates > 1:
        rank = int(row["rank"])
        words.append(
            f"best of {candidates} candidates"
            if not rank
            else f"number {rank + 1} of {candidates} candidates: better ones could not be used"
        )
    return ", ".join(words)


def concerns_of(row: Mapping[Any, Any], center: Center) -> list[str]:
    """Return what may be wrong with an image, in words."""
    found = [
        meaning.brief
        for meaning in flags.of_scan(row["flags"])
        if meaning.severity is not Severity.NOTE
    ]
    if row["view_by"] == ViewSource.FALLBACK:
        found.append("view is assumed")
    if row["rank"] > 0:
        found.append("not the best candidate")
    if quality.doubtful(row):
        found.append(f"thyroid with a probability of {numbers.percent(row['q_score'])}")
    counts = row["q_counts"]
    if pd.notna(counts) and counts < 10 * center.settings.image.min_counts:
        found.append("few counts")
    if quality.undated(row):
        found.append("no date")
    return found


def _facts(row: Mapping[Any, Any]) -> str:
    parts = []
    if pd.notna(row["q_counts"]):
        parts.append(f"{numbers.significant(row['q_counts'])} counts")
    if pd.notna(row["q_to_background"]):
        parts.append(f"gland/background {numbers.significant(row['q_to_background'], 2)}")
    area = row["q_area_right"] + row["q_area_left"]
    if pd.notna(area):
        parts.append(f"{numbers.significant(area, 2)} cm²")
    return ", ".join(parts)


def _pictures(images: Sequence[Path]) -> dict[str, Picture]:
    """Return a small picture (SIDE, SIDE, 3) of every standardized image."""
    found: dict[str, Picture] = {}
    for path in images:
        with np.load(path) as arrays:
            patients, stack, masks = arrays["patient"].tolist(), arrays["image"], arrays["mask"]
        for patient, image, mask in zip(patients, stack, masks, strict=True):
            found[patient] = picture(image, mask)
    return found


def picture(image: NDArray[Any], mask: NDArray[Any] | None = None) -> Picture:
    """Return a picture (SIDE, SIDE, 3) of counts, as their square root, with a mask's outline.

    Parameters
    ----------
    image
        (H, W) counts or another intensity.
    mask
        (H, W), 1 in the gland.
    """
    roots = np.sqrt(np.maximum(image.astype(np.float32), 0.0))
    white = float(np.percentile(roots, WHITE)) or float(roots.max()) or 1.0
    gray = np.clip(roots / white, 0, 1) * 255
    drawn = _resized(gray.astype(np.uint8), Image.Resampling.BILINEAR)
    colored = np.repeat(drawn[..., None], 3, axis=2)
    if mask is not None:
        inside = _resized(mask.astype(np.uint8) * 255, Image.Resampling.BILINEAR) >= 128
        padded = np.pad(inside, 1)
        core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        colored[inside & ~core] = OUTLINE
    return colored


def _resized(values: Picture, resampling: Image.Resampling) -> Picture:
    """Fit an image into (SIDE, SIDE); its shape is kept, and the rest is black."""
    tall, wide = values.shape
    scale = SIDE / max(tall, wide)
    size = max(round(wide * scale), 1), max(round(tall * scale), 1)
    small = np.asarray(Image.fromarray(values).resize(size, resampling))
    fitted = np.zeros((SIDE, SIDE), np.uint8)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    fitted[top : top + size[1], left : left + size[0]] = small
    return fitted


def data_url(picture: Picture) -> str:
    """Return a picture (H, W, 3) as a JPEG in a data URL."""
    buffer = io.BytesIO()
    # Without subsampling of colors, so that the outline stays sharp.
    Image.fromarray(picture).save(buffer, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
