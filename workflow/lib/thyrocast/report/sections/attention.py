"""The section on maps of the evidence: where the network looks."""

import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from thyrocast.config.explanation import LEAST_GRID
from thyrocast.contract.control_names import Randomized
from thyrocast.contract.evaluation import PREDICTIONS
from thyrocast.contract.names import STRONGEST_FIRST, GroupKind, MapStatus, Model, Set
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, Key, Panel, estimate, label
from thyrocast.report import words
from thyrocast.report.figures import training_figures
from thyrocast.report.sections import map_tests
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
    "Center", "Patients", "Map inside the gland", "Same maps at random places", "Maps of other patients",
    "Gland share of the image", "Empty maps",
)  # fmt: skip
#: Steps of the randomization in words.
RANDOM = {
    Randomized.NOTHING: "none",
    Randomized.CLASSIFIER: "classifier",
    Randomized.LAYER4: "and layer4",
    Randomized.LAYER3: "and layer3",
    Randomized.LAYER2: "and layer2",
    Randomized.LAYER1: "and layer1",
    Randomized.ALL: "all",
}


@dataclass(frozen=True)
class Overlay:
    """A picture of the gallery.

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
    """Maps of a design's test patients.

    Attributes
    ----------
    design, target, method
        The design, what the maps show evidence for, and how they were computed, in words.
    verdict
        How the share inside the gland compares with random places; empty if there is none.
    refusal
        Why no share inside the gland is shown; empty if it is.
    panel
        Share of each map inside the gland, one point per patient; None if there is none.
    grid
        The same by center; None if no share is shown.
    randomized, curves
        How maps change if weights become random, and whether what they mark matters; None if this was not tested.
    agreement
        How alike maps by other methods and other members are; empty if that was not tested.
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
    method: str
    verdict: str
    refusal: str
    panel: Panel | None
    grid: Grid | None
    randomized: Grid | None
    curves: Grid | None
    agreement: str
    overlays: Sequence[Overlay]
    pictures: Sequence[str]
    total: int
    centers: Sequence[str]
    outcomes: Sequence[str]


def attention_section(study: StudyResults) -> AttentionSection | None:
    """Maps in the design with the strongest evidence; None if nothing was explained."""
    found = (attention_of(study, design) for design in STRONGEST_FIRST)
    return next((section for section in found if section is not None), None)


def attention_of(study: StudyResults, design: str) -> AttentionSection | None:
    """Maps of a design's test patients; None if nothing was explained."""
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
        method=_method(study),
        verdict="" if refusal else map_tests.verdict(study, design),
        refusal=refusal,
        panel=None if refusal else _panel(rows[rows["visible"]]),
        grid=None if refusal else _by_center(study, design),
        randomized=_randomized(study, design),
        curves=map_tests.curves(study, design),
        agreement=map_tests.sentence(study, design),
        overlays=overlays,
        pictures=_anonymous(study, overlays),
        total=len(rows),
        centers=sorted({overlay.center for overlay in overlays}),
        outcomes=sorted({overlay.outcome for overlay in overlays}),
    )


def _method(study: StudyResults) -> str:
    settings = study.config.explanation
    seen = study.config.image.size, study.config.network.architecture
    side = settings.grid_at(*seen)
    return (
        f"{map_tests.METHODS[settings.method]} of {settings.layer_at(*seen)}, {side} × {side} cells"
    )


def _refusal(study: StudyResults) -> str:
    """Why no share inside the gland is shown; empty if maps are fine enough."""
    settings, size = study.config.explanation, study.config.image.size
    architecture = study.config.network.architecture
    side = settings.grid_at(size, architecture)
    if side >= LEAST_GRID:
        return ""
    return (
        f"No share inside the gland is shown: the maps have {side} × {side} cells ({settings.layer_at(size, architecture)}, "
        f"images of {size} pixels), and a share needs at least {LEAST_GRID} × {LEAST_GRID}. In a coarser map "
        "the gland is in a few cells, so that its share depends mostly on where their borders are."
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

    Columns of gradcam.csv and shares.csv; ``file``, ``shown`` (the outcome in words) and ``visible`` (whether the
    map is not empty). ``probability`` is the network's as it is evaluated: recalibrated, unlike the
    one that the map explains.
    """
    found = study.maps.get(design)
    if found is None:
        return pd.DataFrame()
    parts = [
        split.gradcam.assign(
            split=split.name,
            file=[
                str(found.pictures / split.name / f"{patient}.png")
                for patient in split.gradcam["patient"]
            ],
        )
        for split in study.splits
        if split.design == design and not split.gradcam.empty
    ]
    if not parts:
        return pd.DataFrame()
    rows = pd.concat(parts, ignore_index=True).drop_duplicates("patient")
    rows = rows.merge(found.shares, how="left", on=["split", "patient"])
    predictions = study.select(PREDICTIONS, design=design, model=Model.NETWORK, set=Set.TEST)[
        ["split", "patient", "probability"]
    ]
    rows = rows.drop(columns="probability").merge(predictions, how="left", on=["split", "patient"])
    return rows.assign(
        shown=rows["outcome"].astype(object).map(OUTCOMES).fillna(UNKNOWN),
        visible=rows["status"] == MapStatus.OK,
    )


def _by_center(study: StudyResults, design: str) -> Grid:
    least = study.config.evaluation.minimum_count.patients
    found = study.maps[design].attention
    # All patients last, as in other tables by center.
    rows = sorted(found.to_dict("records"), key=lambda row: row["group_kind"] == GroupKind.POOLED)
    note = (
        "Medians. Below a map’s share: first to third quartile. Random places: all maps of the group, moved "
        "alike over their grid and turned; 5 % to 95 % of these places. Maps of other patients: their share "
        "inside a patient’s gland; if it is as large, the maps do not follow the gland of the patient. "
        f"Not shown: groups of fewer than {least} patients."
    )
    return Grid("Attention by center", _HEADER, [_row(row) for row in rows], note)


def _row(row: dict[Any, Any]) -> list[Cell]:
    name = label(row["group"] or "All")
    if pd.isna(row["n"]):
        return [name, *([Cell(numbers.MISSING, "not shown", number=False)] * 6)]
    shares = [Cell(numbers.MISSING)] * 3
    if not pd.isna(row["inside"]):
        band = numbers.interval(100 * row["random_low"], 100 * row["random_high"], 0)
        quartiles = numbers.interval(100 * row["inside_low"], 100 * row["inside_high"], 0)
        shares = [
            Cell(numbers.percent(row["inside"]), quartiles),
            Cell(f"{band} %"),
            Cell(numbers.percent(row["others"])),
        ]
    area = Cell(numbers.percent(row["area"]))
    return [name, Cell(numbers.count(row["n"])), *shares, area, Cell(numbers.count(row["empty"]))]


def _randomized(study: StudyResults, design: str) -> Grid | None:
    least = study.config.evaluation.minimum_count.patients
    rows = study.maps[design].randomization
    body = [
        [
            label(row["split"]),
            label(RANDOM[Randomized(row["randomized"])]),
            Cell(numbers.count(row["n"])),
            estimate(row["correlation"], row["correlation_low"], row["correlation_high"]),
            Cell(numbers.percent(row["inside"])),
        ]
        for row in rows[rows["n"] >= least].to_dict("records")
    ]
    header = [
        "Split",
        "Random weights",
        "Patients",
        "Correlation with the true map",
        "Map inside the gland",
    ]
    note = (
        "Medians over test patients (first to third quartile), network of the first member. If a map "
        "stays the same although the weights are random, it does not show what the network learned; if "
        "the share inside the gland does, the image explains the share."
    )
    return Grid("Maps of networks with random weights", header, body, note) if body else None


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
    note = "Diagonal: a map without preference. Vertical lines: the same map at random places, 5 % to 95 % of these."
    return Panel("Map and gland", svg, legend, note)


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
        inside = ""
        if with_share:
            band = numbers.interval(100 * row["random_low"], 100 * row["random_high"], 0)
            share = numbers.percent(row["inside"])
            inside = f"{share} of the map inside the gland (random places: {band} %)"
    return Overlay(
        patient=row["patient"],
        center=row["center"],
        outcome=row["shown"],
        probability=numbers.percent(row["probability"]),
        inside=inside,
        order=float(row["inside"]) if row["visible"] and with_share else -1.0,
        source=_embed(Path(row["file"])),
    )


def _embed(path: Path) -> str:
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((OVERLAY_PIXELS, OVERLAY_PIXELS))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=OVERLAY_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
