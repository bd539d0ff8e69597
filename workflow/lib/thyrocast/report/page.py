"""The pages: all sections in one self-contained HTML file, with and without patients."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from thyrocast.pages import html
from thyrocast.report.grids.design_grids import sample_size
from thyrocast.report.methods import methods_section
from thyrocast.report.methods.checklist import checklist
from thyrocast.report.methods.equations import equations_section
from thyrocast.report.sections import published
from thyrocast.report.sections.activating import activating_grid
from thyrocast.report.sections.attention import attention_section
from thyrocast.report.sections.banners import banners, for_the_site
from thyrocast.report.sections.controls import SECTION as CONTROLS
from thyrocast.report.sections.controls import controls_section
from thyrocast.report.sections.design_section import design_section
from thyrocast.report.sections.first_screen import facts, main_result
from thyrocast.report.sections.follow_up import weighted_grid, without_outcome
from thyrocast.report.sections.importance import importance_section
from thyrocast.report.sections.learning_curve import learning_curve_section
from thyrocast.report.sections.multiverse import multiverse_section
from thyrocast.report.sections.participants import flow_section
from thyrocast.report.sections.patients import patients_grid
from thyrocast.report.sections.provenance import provenance_lists
from thyrocast.report.sections.signatures import signature_section
from thyrocast.report.sections.stability import SECTION as STABILITY
from thyrocast.report.sections.stability import stability_section
from thyrocast.report.sections.table_one import table_one
from thyrocast.report.sections.training import training_section
from thyrocast.report.sections.true_risk import truth_section
from thyrocast.report.sections.updating import updating_section
from thyrocast.report.study import StudyResults

HERE = Path(__file__).parent
#: Sections in the order of the page: (id, title).
SECTIONS = (
    ("main-result", "Main result"),
    ("participants", "Participants"),
    ("performance", "Performance"),
    ("published", "Comparison with the published study"),
    ("training", "Training of the networks"),
    ("signature", "Signature"),
    ("importance", "What the models rely on"),
    ("attention", "Where the network looks"),
    ("sample-size", "Sample size"),
    ("methods", "Methods"),
    ("limitations", "Limitations"),
    ("checklist", "TRIPOD+AI checklist"),
    ("provenance", "Versions and seeds"),
)


class Pages(NamedTuple):
    """The two versions of a study's report.

    Attributes
    ----------
    shareable
        Aggregate results only.
    internal
        The same, with Grad-CAM pictures, pseudonyms, outcomes and probabilities of patients.
    """

    shareable: str
    internal: str


def render(study: StudyResults) -> Pages:
    """Write a study's report as HTML pages that need no other file and no network.

    The same study gives the same bytes: a page contains no time and no name of a machine except
    those in the study's provenance. Tables and figures of both pages are the same: no small count is
    in either.
    """
    context = _context(study)
    extra = [
        section
        for section, found in ((STABILITY, context["stability"]), (CONTROLS, context["controls"]))
        if found
    ]
    shareable, internal = (
        html.render(HERE, "page.html.j2", internal=internal, **(context | more))
        for internal, more in (
            (False, {"sections": _sections(extra)}),
            (
                True,
                {
                    "sections": _sections(extra, patients=True),
                    "banners": [*context["banners"], *for_the_site(study)],
                    "patients": patients_grid(study),
                    "activating": activating_grid(study),
                },
            ),
        )
    )
    return Pages(shareable, internal)


def _sections(extra: Sequence[tuple[str, str]], *, patients: bool = False) -> list[tuple[str, str]]:
    """Sections of a page: patients come after the pictures, those of own targets before the sample size."""
    found: list[tuple[str, str]] = []
    for name, title in SECTIONS:
        if name == "sample-size":
            found += extra
        found.append((name, title))
        if name == "attention" and patients:
            found.append(("patients", "Patients"))
    return found


def _context(study: StudyResults) -> dict[str, Any]:
    """Variables of the templates."""
    texts, cited = methods_section.section(study)
    return {
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
        "importance": importance_section(study),
        "attention": attention_section(study),
        "multiverse": multiverse_section(study),
        "updating": updating_section(study),
        "without_outcome": without_outcome(study),
        "weighted": weighted_grid(study),
        "stability": stability_section(study),
        "controls": controls_section(study),
        "sample_size": sample_size(study),
        "learning_curve": learning_curve_section(study),
        "methods": texts,
        "references": cited,
        "equations": equations_section(study),
        "limitations": methods_section.limitations(study),
        "checklist": checklist(study),
        "provenance": provenance_lists(study.provenance),
    }
