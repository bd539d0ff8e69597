"""The page: sections put together, one HTML file that needs nothing but itself."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from thyrocast.report import (
    grids,
    learning,
    methods,
    palette,
    participants,
    results,
    scores,
    verdict,
    words,
)
from thyrocast.report.parts import Cell, Grid, label
from thyrocast.report.reading import YES, Study

HERE = Path(__file__).parent
SECTIONS = (
    ("verdict", "The verdict"),
    ("participants", "Participants"),
    ("performance", "Performance"),
    ("published", "Beside the published study"),
    ("training", "Training of the networks"),
    ("signature", "The signature"),
    ("attention", "Where the network looks"),
    ("sample-size", "Sample size"),
    ("methods", "Methods in brief"),
    ("limitations", "Limitations"),
    ("checklist", "TRIPOD+AI checklist"),
    ("provenance", "Versions and seeds"),
)


def render(study: Study) -> str:
    """Write a study's report as one HTML page.

    The same study gives the same bytes: nothing of the moment or the machine stands on the page
    but what its provenance says.
    """
    script = (HERE / "script.js").read_text(encoding="utf-8")
    style = palette.stylesheet() + (HERE / "style.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # For the page's own style and script, and for drawings, whose text drawing.py escaped.
    environment.filters["as_it_is"] = Markup
    return environment.get_template("page.html.j2").render(
        style=style,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        **_context(study),
    )


def _context(study: Study) -> dict[str, Any]:
    seen = [
        design for design in words.DESIGN_ORDER if any(s.design == design for s in study.splits)
    ]
    attention = next(
        (found for design in seen if (found := learning.attention(study, design))), None
    )
    truth = verdict.truth(study)
    return {
        "sections": SECTIONS,
        "title": study.title,
        "level": study.level,
        "banners": verdict.banners(study),
        "verdict": verdict.verdict(study),
        "facts": verdict.facts(study),
        "flow": participants.flow(study),
        "table_one": participants.table_one(study),
        "designs": [results.block(study, design) for design in study.designs],
        "published": grids.published(study),
        "truth": truth,
        "truth_grid": _truth(study, truth),
        "training": learning.histories(study),
        "signature": learning.signatures(study),
        "in_sample": study.in_sample,
        "attention": attention,
        "sample_size": _sample_size(study),
        "methods": methods.paragraphs(study),
        "limitations": methods.limitations(study),
        "checklist": methods.CHECKLIST,
        "provenance": _provenance(study.provenance),
    }


def _truth(study: Study, truth: Mapping[str, Any] | None) -> Grid | None:
    """The true risk's AUC beside the models', by center, in every design that left centers out."""
    designs = [design for design in scores.evaluated(study) if design in words.UNSEEN_CENTERS]
    if truth is None or not designs:
        return None
    models = [name for name in words.MODELS if any(name in study.models(d) for d in designs)]
    body = []
    for design in designs:
        found = {model: scores.center_rows(study, design, model) for model in models}
        for name in dict.fromkeys(name for rows in found.values() for name in rows["center"]):
            cells = [
                label(name, words.design(design)),
                Cell(truth["centers"].get(name, words.MISSING)),
            ]
            for rows in found.values():
                mine = rows.loc[rows["center"] == name, "estimate"]
                cells.append(Cell(words.number(None if mine.empty else mine.iloc[0])))
            body.append(cells)
    header = ["Center", "True risk", *(words.model(model) for model in models)]
    return Grid("AUC of the true risk beside the models, by center", header, body)


def _sample_size(study: Study) -> Grid | None:
    rows = study.table("sample_size")
    if rows.empty:
        return None
    body = [
        [
            label(words.plain(row["purpose"])), label(words.CRITERIA.get(row["criterion"], row["criterion"]), row["detail"]),
            Cell(words.count(row["required_n"]), f"{words.count(row['required_events'])} cured" if words.is_number(row["required_events"]) else ""),
            Cell(words.count(row["available_n"]), f"{words.count(row['available_events'])} cured" if words.is_number(row["available_events"]) else ""),
            label("yes" if str(row["sufficient"]).lower() in YES else "no"),
        ]
        for row in rows.to_dict("records")
    ]  # fmt: skip
    return Grid(
        "Patients needed and available",
        ["Purpose", "Criterion", "Needed", "Available", "Enough"],
        body,
    )


def _provenance(provenance: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Provenance as titled lists; the configuration, which is long, comes last."""
    single = [(k, v) for k, v in sorted(provenance.items()) if not isinstance(v, Mapping | list)]
    listed = (
        [("Study", [(words.plain(key), _shown(value)) for key, value in single])] if single else []
    )
    order = ["versions", "inputs", "seeds"]
    blocks = [k for k, v in provenance.items() if isinstance(v, Mapping | list) and v]
    for key in sorted(
        blocks, key=lambda k: (k == "config", order.index(k) if k in order else 9, k)
    ):
        listed.append((words.plain(key), _flat(provenance[key])))
    return listed


def _flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [
            pair
            for key in value
            for pair in _flat(value[key], f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [
            pair
            for place, item in enumerate(value)
            for pair in _flat(
                item,
                f"{prefix}.{item.get('name', place) if isinstance(item, Mapping) else place}".strip(
                    "."
                ),
            )
        ]
    return [(prefix, _shown(value))]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return words.MISSING if value in (None, "") else str(value)
