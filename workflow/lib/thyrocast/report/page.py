"""The page: all sections in one self-contained HTML file."""

from pathlib import Path
from typing import Any

from thyrocast.pages import html
from thyrocast.report import methods, published
from thyrocast.report.attention import attention_section
from thyrocast.report.banners import banners
from thyrocast.report.controls import SECTION as CONTROLS
from thyrocast.report.controls import controls_section
from thyrocast.report.design_section import design_section
from thyrocast.report.first_screen import facts, main_result
from thyrocast.report.follow_up import weighted_grid, without_outcome
from thyrocast.report.grids import sample_size
from thyrocast.report.multiverse import multiverse_section
from thyrocast.report.participants import flow_section, table_one
from thyrocast.report.provenance import provenance_lists
from thyrocast.report.signatures import signature_section
from thyrocast.report.study import StudyResults
from thyrocast.report.training import training_section
from thyrocast.report.true_risk import truth_section

HERE = Path(__file__).parent
#: Sections in the order of the page: (id, title).
SECTIONS = (
    ("main-result", "Main result"),
    ("participants", "Participants"),
    ("performance", "Performance"),
    ("published", "Comparison with the published study"),
    ("training", "Training of the networks"),
    ("signature", "Signature"),
    ("attention", "Where the network looks"),
    ("sample-size", "Sample size"),
    ("methods", "Methods in brief"),
    ("limitations", "Limitations"),
    ("checklist", "TRIPOD+AI checklist"),
    ("provenance", "Versions and seeds"),
)


def render(study: StudyResults) -> str:
    """Write a study's report as one HTML page that needs no other file and no network.

    The same study gives the same bytes: the page contains no time and no name of a machine except
    those in the study's provenance.
    """
    return html.render(HERE, "page.html.j2", **_context(study))


def _context(study: StudyResults) -> dict[str, Any]:
    """Variables of the templates."""
    controls = controls_section(study)
    return {
        "sections": _with_controls() if controls else SECTIONS,
        "title": study.config.study,
        "level": study.level,
        "in_sample": study.in_sample,
        "banners": banners(study),
        "main": main_result(study),
        "facts": facts(study),
        "flow": flow_section(study),
        "table_one": table_one(study),
        "designs": [design_section(study, design) for design in study.designs],
        "article": published.read(),
        "published": published.comparison(study),
        "truth": truth_section(study),
        "training": training_section(study),
        "signature": signature_section(study),
        "attention": attention_section(study),
        "multiverse": multiverse_section(study),
        "without_outcome": without_outcome(study),
        "weighted": weighted_grid(study),
        "controls": controls,
        "sample_size": sample_size(study),
        "methods": methods.paragraphs(study),
        "limitations": methods.limitations(study),
        "checklist": methods.checklist(study),
        "provenance": provenance_lists(study.provenance),
    }


def _with_controls() -> tuple[tuple[str, str], ...]:
    """The sections of a study with controls, which come before the sample size."""
    place = [name for name, _ in SECTIONS].index("sample-size")
    return (*SECTIONS[:place], CONTROLS, *SECTIONS[place:])
