"""What was learned: training histories, LASSO paths, features, and where the network looks."""

import base64
import hashlib
import io
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from thyrocast.report import training_figures, words
from thyrocast.report.figures import Key, Panel
from thyrocast.report.parts import Cell, Grid, label
from thyrocast.report.reading import Split, Study

MOST_PANELS = 9
LOSSES = (Key("muted", "", "training loss"), Key("network", "", "validation loss"))
SIGNS = (
    Key("cured", "", "a higher value makes cure likelier", shape="square"),
    Key("failed", "", "a higher value makes cure less likely", shape="square"),
)
OVERLAYS = 48
# Overlays are shown small; a photograph's compression is enough for a soft map.
OVERLAY_PIXELS, OVERLAY_QUALITY = 320, 82


@dataclass(frozen=True)
class Overlay:
    """A Grad-CAM picture of the gallery."""

    patient: str
    center: str
    outcome: str
    probability: str
    inside: str
    order: float
    source: str


def _title(split: Split) -> str:
    return (
        f"{words.design(split.design)}, {split.name}"
        if split.name not in ("1", "all")
        else words.design(split.design)
    )


def _name(split: Split, kind: str) -> str:
    # Two split names may differ in nothing but signs that an id can't hold.
    return f"{kind}-{split.design}-{hashlib.sha256(split.name.encode()).hexdigest()[:8]}"


def _few(panels: Sequence[Any], found: int) -> str:
    if found <= len(panels):
        return ""
    return f"The first {len(panels)} of {found} splits are shown; the others lie in the results folder."


def histories(study: Study) -> dict[str, Any]:
    """Training curves of each split, and what came of every network."""
    splits = [split for split in study.splits if split.histories]
    panels = [
        Panel(_title(s), training_figures.history(_name(s, "history"), _title(s), s.histories))
        for s in splits[:MOST_PANELS]
    ]
    rows = []
    for split in splits[:MOST_PANELS]:
        for member, history in split.histories.items():
            best = history[history["best"].str.lower().isin(("1", "1.0", "true"))]
            last = best.iloc[-1] if not best.empty else history.iloc[-1]
            rows.append(
                [
                    label(_title(split)), label(member), Cell(words.count(len(history))),
                    Cell(words.count(last["epoch"])), Cell(words.number(last["train_loss"], 3)),
                    Cell(words.number(last["validation_loss"], 3)), Cell(words.number(last["validation_auc"])),
                    Cell(words.number(history["seconds"].sum(), 0)),
                ]
            )  # fmt: skip
    header = [
        "Split",
        "Network",
        "Epochs",
        "Kept",
        "Training loss",
        "Validation loss",
        "Validation AUC",
        "Seconds",
    ]
    grid = Grid("Networks: the epoch that was kept", header, rows) if rows else None
    watched = any(h["validation_loss"].notna().any() for s in splits for h in s.histories.values())
    return {
        "panels": panels,
        "grid": grid,
        "more": _few(panels, len(splits)),
        "watched": watched,
        "legend": LOSSES if watched else LOSSES[:1],
    }


def signatures(study: Study) -> dict[str, Any]:
    """LASSO path and importances of each split, and how many features were chosen."""
    splits = [split for split in study.splits if not (split.path.empty and split.features.empty)]
    shown = splits[:MOST_PANELS]
    paths = [
        Panel(_title(s), training_figures.lasso(_name(s, "lasso"), _title(s), s.path))
        for s in shown
        if not s.path.empty
    ]
    features = [
        Panel(_title(s), training_figures.importances(_name(s, "features"), _title(s), s.features))
        for s in shown
        if not s.features.empty
    ]
    rows = []
    for split in shown:
        chosen = split.path[split.path["chosen"].str.lower().isin(("1", "1.0", "true"))]
        strength = (
            words.significant(chosen["lambda"].iloc[0], 2) if not chosen.empty else words.MISSING
        )
        best = split.features.sort_values("importance", ascending=False)["feature"].head(5)
        rows.append(
            [label(_title(split)), Cell(strength), Cell(words.count(len(split.features))),
             label(", ".join(map(str, best)) or "none")]
        )  # fmt: skip
    grid = (
        Grid("Features of the signature", ["Split", "λ", "Features", "Most important"], rows)
        if rows
        else None
    )
    return {
        "paths": paths,
        "features": features,
        "grid": grid,
        "optimism": _optimism(shown),
        "more": _few(shown, len(splits)),
        "legend": SIGNS,
    }


def _optimism(splits: Sequence[Split]) -> Grid | None:
    body = [
        [
            label(_title(split)), label(words.metric(row["metric"])), Cell(words.number(row["apparent"])),
            Cell(words.number(row["optimism"])), Cell(words.number(row["corrected"])),
            Cell(words.count(row["resamples"])),
        ]
        for split in splits
        for row in split.optimism.to_dict("records")
    ]  # fmt: skip
    header = ["Split", "Metric", "Apparent", "Optimism", "Corrected", "Resamples"]
    note = (
        "In the training set: LASSO and forest fitted anew to every bootstrap sample (Harrell). The "
        "correction is too small for forests, which all but remember their patients; test results are "
        "the better answer."
    )
    return Grid("Optimism of the signature", header, body, note) if body else None


def attention(study: Study, design: str) -> dict[str, Any] | None:
    """Grad-CAM of a design's test patients: figure, table by center, gallery."""
    splits = [split for split in study.splits if split.design == design and not split.gradcam.empty]
    if not splits:
        return None
    rows = pd.concat(
        [split.gradcam.assign(folder=str(split.overlays), split=split.name) for split in splits]
    ).drop_duplicates("patient")
    rows["probability"] = _evaluated(study, design, rows)
    rows["outcome_text"] = rows["outcome"].map(
        lambda value: words.count(value) if words.is_number(value) else ""
    )
    good = rows[(rows["status"] == "ok") & rows["inside"].notna()]
    body = []
    for name, part in [*rows.groupby("center", sort=False), ("All", rows)]:
        seen = part.loc[part["patient"].isin(good["patient"])]
        body.append(
            [
                label(name), Cell(words.count(len(part))), _spread(seen["inside"]), _spread(seen["area"]),
                Cell(words.number((seen["inside"] / seen["area"]).median(), 1)),
                Cell(words.count((part["status"] != "ok").sum())),
            ]
        )  # fmt: skip
    panel = None
    if not good.empty:
        kinds = {
            "1": ("cured", "circle"),
            "0": ("not cured", "triangle"),
            "": ("not known yet", "square"),
        }
        tones = {"1": "cured", "0": "failed", "": "muted"}
        legend = [
            Key(tones[code], "", name, shape=shape)
            for code, (name, shape) in kinds.items()
            if (good["outcome_text"] == code).any()
        ]
        panel = Panel("Map and gland", training_figures.attention("attention", good), legend)
    header = [
        "Center",
        "Patients",
        "Map inside the gland",
        "Image that is gland",
        "Ratio",
        "Empty maps",
    ]
    chosen = _choose(rows, int(study.setting("report", "overlays", default=OVERLAYS)))
    overlays = [
        overlay for row in chosen.to_dict("records") if (overlay := _overlay(row)) is not None
    ]
    targets = sorted(set(rows["target"].dropna().astype(str)) - {""})
    return {
        "design": words.design(design),
        "target": words.listing([words.plain(t).lower() for t in targets]),
        "panel": panel,
        "grid": Grid(
            "Attention by center",
            header,
            body,
            "Median (first to third quartile) of the maps that are not empty.",
        ),
        "overlays": overlays,
        "total": len(rows),
        "centers": sorted({o.center for o in overlays}),
        "outcomes": sorted({o.outcome for o in overlays}),
    }


def _evaluated(study: Study, design: str, rows: pd.DataFrame) -> list[float]:
    """The network's probability as it is evaluated: recalibrated, unlike that which the map explains."""
    found = study.select("predictions", design=design, model="network", set="test")
    by_key = found.set_index(["split", "patient"])["probability"].to_dict()
    return [
        float(by_key.get(key, "nan")) for key in zip(rows["split"], rows["patient"], strict=True)
    ]


def _spread(values: pd.Series) -> Cell:
    known = values.dropna()
    if known.empty:
        return Cell(words.MISSING)
    low, middle, high = known.quantile([0.25, 0.5, 0.75])
    return Cell(words.percent(middle), words.interval(100 * low, 100 * high, 0))


def _choose(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many patients, in turn from each center and outcome, at random within them.

    The order is that of a hash of the pseudonym: nobody picks the beautiful ones, and the same study
    shows the same patients.
    """
    shuffled = rows.assign(
        order=[hashlib.sha256(str(patient).encode()).hexdigest() for patient in rows["patient"]]
    ).sort_values("order")
    shuffled["turn"] = shuffled.groupby(["center", "outcome_text"]).cumcount()
    return (
        shuffled.sort_values(["turn", "order"])
        .head(most)
        .sort_values(["center", "outcome_text", "order"])
    )


def _overlay(row: Mapping[Hashable, Any]) -> Overlay | None:
    path = Path(row["folder"]) / f"{row['patient']}.png"
    if not path.is_file():
        return None
    outcome = {"1": "cured", "0": "not cured"}.get(row["outcome_text"], "not known yet")
    known = row["status"] == "ok" and words.is_number(row["inside"])
    return Overlay(
        patient=str(row["patient"]),
        center=str(row["center"]),
        outcome=outcome,
        probability=words.percent(row["probability"]),
        inside=f"{words.percent(row['inside'])} of the map inside" if known else "empty map",
        order=float(row["inside"]) if known else -1.0,
        source=_embed(path),
    )


def _embed(path: Path) -> str:
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((OVERLAY_PIXELS, OVERLAY_PIXELS))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=OVERLAY_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
