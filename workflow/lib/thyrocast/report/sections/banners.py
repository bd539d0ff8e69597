"""Warnings above the first screen: facts that change the meaning of all numbers in the report."""

from collections.abc import Mapping
from dataclasses import dataclass

from thyrocast.contract.evaluation import SAMPLE_SIZE
from thyrocast.pages import numbers
from thyrocast.report import applied, eligibility, scores, words
from thyrocast.report.study import StudyResults

#: Purposes of the sample size calculation in words; `precision` is no criterion of its own.
PURPOSES: Mapping[str, str] = {"development": "developing", "validation": "validating"}


@dataclass(frozen=True)
class Banner:
    """A warning.

    Attributes
    ----------
    kind
        ``warning`` or ``danger``.
    title, text
        In words.
    """

    kind: str
    title: str
    text: str


def banners(study: StudyResults) -> list[Banner]:
    """Warnings of a study: simulated, shuffled, too small, or analyzed as published."""
    return [
        *_simulated(study),
        *_shuffled(study),
        *_applied(study),
        *(_too_small(study) if scores.evaluated(study) else ()),
        *_in_sample(study),
        *_eligibility(study),
    ]


def _applied(study: StudyResults) -> list[Banner]:
    found = study.applied
    if found is None:
        return []
    shown = [Banner("warning", "A locked model was applied", applied.model_text(found))]
    if found.manifest.outcomes == "shuffled":
        text = (
            "The outcomes of its training patients were permuted at random: it has learned nothing."
        )
        shown.append(Banner("danger", "The locked model is of a null run", text))
    if text := applied.looks_text(found):
        shown.append(Banner("danger", "These patients were looked at before", text))
    least = study.config.evaluation.minimum_count.patients
    cells = max(least, study.config.evaluation.minimum_count.cells)
    if text := applied.frozen_text(found, cells):
        shown.append(Banner("warning", "Predictions were made before the outcome", text))
    if text := applied.outside_text(found, least):
        shown.append(Banner("warning", "Patients outside of the training range", text))
    return shown


def for_the_site(study: StudyResults) -> list[Banner]:
    """Warnings of the internal page only, to the one who decides what is passed on."""
    if study.applied is None or study.applied.looks.empty:
        return []
    if not study.applied.looks["differs_little"].iloc[-1]:
        return []
    text = (
        "Since an earlier look at almost the same patients, only a few were added, removed or corrected. Whoever has the "
        "reports of both looks can compute the outcomes of these few by subtraction. Pass on one of the two "
        "(docs/disclosure.md)."
    )
    return [Banner("danger", "Do not pass on two reports of almost the same patients", text)]


def _simulated(study: StudyResults) -> list[Banner]:
    share = study.simulated
    if share == 0:
        return []
    if share == 1:
        text = (
            "Every patient in this report is simulated. The numbers say nothing about real patients."
            f"{_favored(study)}"
        )
        return [Banner("warning", "Simulated patients", text)]
    text = (
        f"{numbers.percent(share)} of the analyzed patients are simulated. The numbers below say "
        f"nothing reliable about real patients.{_favored(study)}"
    )
    return [Banner("warning", "Some patients are simulated", text)]


def _favored(study: StudyResults) -> str:
    """Which models the simulator's outcomes favor; empty if the simulator is not known."""
    if study.simulation is None:
        return ""
    return (
        " The cure of simulated patients was drawn from gland mass, uptake, heterogeneity and activity, which favors "
        "models that read these."
    )


def _shuffled(study: StudyResults) -> list[Banner]:
    if not study.shuffled:
        return []
    text = (
        "Outcomes were permuted at random within each center, so that nothing can be learned about "
        "a patient. Within centers, an AUC clearly above 0.5 would be a sign of leakage, not of a "
        "good model. (Each center keeps its cure rate. Over several centers together, knowing the "
        "center alone gives more than 0.5.)"
    )
    return [Banner("danger", "Null run: outcomes were shuffled", text)]


def _too_small(study: StudyResults) -> list[Banner]:
    rows = study.tables[SAMPLE_SIZE.name]
    short = rows[~rows["sufficient"] & (rows["required_n"] > rows["available_n"])]
    if study.applied:  # a locked model was developed elsewhere
        short = short[short["purpose"] != "development"]
    parts = []
    for purpose, group in short[short["criterion"] != "all"].groupby("purpose", sort=False):
        if str(purpose) in PURPOSES:
            worst = group.sort_values("required_n").iloc[-1]
            parts.append(
                f"{PURPOSES[str(purpose)]} a model requires {numbers.count(worst['required_n'])} "
                f"patients ({numbers.count(worst['available_n'])} are available)"
            )
    if not parts:
        return []
    text = f"By published criteria, {words.listing(parts)}. Expect wide intervals" + (
        "." if study.applied else "; other patients would give a different model."
    )
    return [Banner("warning", "The study is too small", text)]


def _in_sample(study: StudyResults) -> list[Banner]:
    if not study.in_sample:
        return []
    text = (
        "The signature was trained on embeddings of patients that its network had already seen, as in "
        "the published study. Training results are too good; only test results show how good the "
        "model is."
    )
    return [Banner("warning", "Published protocol: in-sample embeddings", text)]


def _eligibility(study: StudyResults) -> list[Banner]:
    centers = eligibility.not_stated(study.config.centers)
    if not centers:
        return []
    text = (
        f"The config of {words.listing(centers)} does not state which rows of the clinical table are "
        "eligible. All of them were included as first radioiodine therapies of Graves’ disease; "
        "patients with another diagnosis or an earlier treatment may be among them."
    )
    return [Banner("warning", "Eligibility is not stated", text)]
