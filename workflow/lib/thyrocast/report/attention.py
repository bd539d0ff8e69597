"""The section on Grad-CAM: where the network looks."""

import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from thyrocast.config.explanation import CamLayer
from thyrocast.contract.evaluation import PREDICTIONS
from thyrocast.contract.names import STRONGEST_FIRST, Model, Set
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, Key, Panel, label
from thyrocast.report import training_figures, words
from thyrocast.report.study import StudyResults

#: Size (pixels) and JPEG quality of the pictures: they are shown small, and the maps are smooth.
OVERLAY_PIXELS, OVERLAY_QUALITY = 320, 82
OUTCOMES = {1: "cured", 0: "not cured"}
UNKNOWN = "not known yet"
_SHAPES = {
    OUTCOMES[1]: ("cured", "circle"),
    OUTCOMES[0]: ("failed", "triangle"),
    UNKNOWN: ("muted", "square"),
}
_HEADER = (
    "Center", "Patients", "Map inside the gland", "Gland share of the image", "Ratio", "Empty maps",
)  # fmt: skip
#: Cells along one side of the smallest map from which a share inside the gland is computed. A gland
#: covers a few cells of a coarser one, so that its share depends on where their borders are.
LEAST_GRID = 7
#: Pixels of the image for one cell of a map, along one side.
_STRIDES = {CamLayer.LAYER3: 16, CamLayer.LAYER4: 32}


@dataclass(frozen=True)
class Overlay:
    """A Grad-CAM picture of the gallery.

    Attributes
    ----------
    patient, center, outcome, probability, inside
        Values as text.
    order
        Share of the map inside the gland; -1 for an empty map.
    source
        The picture as a data URL.
    """

    patient: str
    center: str
    outcome: str
    probability: str
    inside: str
    order: float
    source: str


@dataclass(frozen=True)
class AttentionSection:
    """Grad-CAM of a design's test patients.

    Attributes
    ----------
    design, target
        The design, and what the maps show evidence for, in words.
    refusal
        Why no share inside the gland is shown; empty if it is.
    panel
        Share of each map inside the gland, one point per patient; None if there is none.
    grid
        The same by center; None if no share is shown.
    overlays
        Pictures with their values, for the internal page.
    pictures
        Pictures without any value, for the page that is shared.
    total
        Number of test patients.
    centers, outcomes
        Values of the gallery's filters.
    """

    design: str
    target: str
    refusal: str
    panel: Panel | None
    grid: Grid | None
    overlays: Sequence[Overlay]
    pictures: Sequence[str]
    total: int
    centers: Sequence[str]
    outcomes: Sequence[str]


def attention_section(study: StudyResults) -> AttentionSection | None:
    """Grad-CAM in the design with the strongest evidence; None if nothing was explained."""
    found = (attention_of(study, design) for design in STRONGEST_FIRST)
    return next((section for section in found if section is not None), None)


def attention_of(study: StudyResults, design: str) -> AttentionSection | None:
    """Grad-CAM of a design's test patients; None if nothing was explained."""
    rows = _maps(study, design)
    if rows.empty:
        return None
    refusal = _refusal(study)
    chosen = _choose(rows, study.config.report.overlays)
    overlays = [_overlay(row, with_share=not refusal) for row in chosen.to_dict("records")]
    targets = sorted({*rows["target"]})
    return AttentionSection(
        design=words.design(design),
        target=words.listing([words.plain(target).lower() for target in targets]),
        refusal=refusal,
        panel=None if refusal else _panel(rows[rows["visible"]]),
        grid=None if refusal else _by_center(rows, study.config.evaluation.minimum_count.patients),
        overlays=overlays,
        pictures=_anonymous(study, overlays),
        total=len(rows),
        centers=sorted({overlay.center for overlay in overlays}),
        outcomes=sorted({overlay.outcome for overlay in overlays}),
    )


def _refusal(study: StudyResults) -> str:
    """Why no share inside the gland is shown; empty if maps are fine enough."""
    layer, size = study.config.explanation.layer, study.config.image.size
    side = size // _STRIDES[layer]
    if side >= LEAST_GRID:
        return ""
    return (
        f"No share inside the gland is shown: the maps have {side} × {side} cells ({layer}, images of "
        f"{size} pixels), and a share needs at least {LEAST_GRID} × {LEAST_GRID}. In a coarser map the "
        "gland is in a few cells, so that its share depends mostly on where their borders are."
    )


def _anonymous(study: StudyResults, overlays: Sequence[Overlay]) -> list[str]:
    """Pictures that may be shared, in an order that says nothing about center or outcome."""
    simulated = study.cohort.set_index("patient")["simulated"].fillna(False)
    shared = [
        one
        for one in overlays
        if study.config.report.share_pictures or bool(simulated.get(one.patient, False))
    ]
    return [one.source for one in sorted(shared, key=lambda one: _hash(one.source))]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _maps(study: StudyResults, design: str) -> pd.DataFrame:
    """The maps of a design's test patients, one row per patient.

    Columns of gradcam.csv; ``file``, ``shown`` (the outcome in words) and ``visible`` (whether the
    map is not empty). ``probability`` is the network's as it is evaluated: recalibrated, unlike the
    one that the map explains.
    """
    parts = [
        split.gradcam.assign(
            split=split.name,
            file=[str(split.overlays / f"{patient}.png") for patient in split.gradcam["patient"]],
        )
        for split in study.splits
        if split.design == design and not split.gradcam.empty
    ]
    if not parts:
        return pd.DataFrame()
    rows = pd.concat(parts, ignore_index=True).drop_duplicates("patient")
    predictions = study.select(PREDICTIONS, design=design, model=Model.NETWORK, set=Set.TEST)[
        ["split", "patient", "probability"]
    ]
    rows = rows.drop(columns="probability").merge(predictions, how="left", on=["split", "patient"])
    return rows.assign(
        shown=rows["outcome"].astype(object).map(OUTCOMES).fillna(UNKNOWN),
        visible=(rows["status"] == "ok") & rows["inside"].notna(),
    )


def _by_center(rows: pd.DataFrame, least: int) -> Grid:
    body = []
    for name, part in [*rows.groupby("center", sort=False), ("All", rows)]:
        seen = part[part["visible"]]
        shares = [
            _spread(seen["inside"]),
            _spread(seen["area"]),
            Cell(numbers.number((seen["inside"] / seen["area"]).median(), 1)),
        ]
        if len(seen) < least:
            shares = [Cell(numbers.MISSING, "not shown", number=False)] * 3
        empty = Cell(numbers.count((part["status"] != "ok").sum()))
        body.append([label(str(name)), Cell(numbers.count(len(part))), *shares, empty])
    note = (
        "Median (first to third quartile) of the maps that are not empty. Not shown: fewer than "
        f"{least} of them."
    )
    return Grid("Attention by center", _HEADER, body, note)


def _spread(values: "pd.Series[Any]") -> Cell:
    if values.empty:
        return Cell(numbers.MISSING)
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return Cell(numbers.percent(middle), numbers.interval(100 * low, 100 * high, 0))


def _panel(rows: pd.DataFrame) -> Panel | None:
    if rows.empty:
        return None
    legend = [
        Key(tone, "", name, shape=shape)
        for name, (tone, shape) in _SHAPES.items()
        if (rows["shown"] == name).any()
    ]
    groups = {
        name: (rows[rows["shown"] == name], tone, shape) for name, (tone, shape) in _SHAPES.items()
    }
    svg = training_figures.attention("attention", rows, [*groups.values()])
    return Panel("Map and gland", svg, legend)


def _choose(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Select at most `most` patients: in turn from each center and outcome, at random within these.

    The order is that of a hash of the pseudonym: the choice does not depend on how a picture looks,
    and the same study shows the same patients.
    """
    shuffled = rows.assign(order=[_hash(patient) for patient in rows["patient"]]).sort_values(
        "order"
    )
    shuffled["turn"] = shuffled.groupby(["center", "shown"]).cumcount()
    chosen = shuffled.sort_values(["turn", "order"]).head(most)
    return chosen.sort_values(["center", "shown", "order"])


def _overlay(row: dict[Any, Any], *, with_share: bool) -> Overlay:
    inside = "empty map"
    if row["visible"]:
        inside = f"{numbers.percent(row['inside'])} of the map inside" if with_share else ""
    return Overlay(
        patient=row["patient"],
        center=row["center"],
        outcome=row["shown"],
        probability=numbers.percent(row["probability"]),
        inside=inside,
        order=float(row["inside"]) if row["visible"] else -1.0,
        source=_embed(Path(row["file"])),
    )


def _embed(path: Path) -> str:
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((OVERLAY_PIXELS, OVERLAY_PIXELS))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=OVERLAY_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
