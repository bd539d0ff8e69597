"""Methods, limitations and the TRIPOD+AI checklist in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from thyrocast.config.center import CenterConfig
from thyrocast.config.image import Intensity
from thyrocast.config.network import RANDOM, Imbalance
from thyrocast.contract.names import OutcomeRule, Role
from thyrocast.pages import numbers
from thyrocast.report import definitions, eligibility, words
from thyrocast.report.study import StudyResults

#: With fewer centers, the variance between centers is estimated badly.
FEW_CENTERS = 5


@dataclass(frozen=True)
class ChecklistItem:
    """An item of TRIPOD+AI.

    Attributes
    ----------
    number, asks
        The item and what it asks for.
    section
        Id of the section that answers it; None if the authors must.
    quote
        Text of the config that answers it; empty if there is none.
    """

    number: str
    asks: str
    section: str | None
    quote: str = ""


#: TRIPOD+AI (Collins et al., BMJ 2024;385:e078378).
CHECKLIST: Sequence[ChecklistItem] = tuple(
    ChecklistItem(*item)
    for item in (
        ("1–2", "Title and abstract", "main-result"),
        ("3–4", "Background and objectives", "main-result"),
        ("5", "Sources of data; dates of recruitment (authors add dates)", "participants"),
        ("6", "Participants: setting, eligibility, exclusions", "participants"),
        ("7", "Data preparation and quality checks", "methods"),
        ("8", "Outcome and how it is decided", "methods"),
        ("9", "Predictors", "participants"),
        ("10", "Sample size", "sample-size"),
        ("11", "Missing data", "participants"),
        ("12", "Analytical methods, validation, measures of performance", "methods"),
        ("13", "Class imbalance", "methods"),
        ("14", "Fairness: performance in subgroups", "performance"),
        ("15", "Model output: probability of cure, and its threshold", "performance"),
        ("16", "Differences between training and evaluation data", "participants"),
        ("17", "Ethical approval", None),
        (
            "18",
            "Open science: funding, conflicts, protocol, registration, data, code",
            "provenance",
        ),
        ("19", "Patient and public involvement", None),
        ("20", "Flow and characteristics of participants", "participants"),
        ("21", "Participants and events in each analysis", "performance"),
        ("22", "Full model", "signature"),
        ("23", "Performance with intervals; heterogeneity between centers", "performance"),
        ("24", "Model updating (none: a locked model is not fitted again)", "methods"),
        ("25–26", "Interpretation and limitations", "limitations"),
        ("27", "Usability in current care", "limitations"),
    )
)


def checklist(study: StudyResults) -> list[ChecklistItem]:
    """The checklist, with what the config states about eligibility and outcome."""
    quotes = {
        "6": eligibility.paragraph(study.config.centers),
        "8": _outcome(study.config.centers),
    }
    return [replace(item, quote=quotes.get(item.number, "")) for item in CHECKLIST]


def paragraphs(study: StudyResults) -> list[tuple[str, str]]:
    """Methods in brief as (heading, text), from the config of the study."""
    return [
        (
            "Question",
            "Will the first iodine-131 therapy of Graves’ disease cure this patient? The prediction is "
            "made from the pretreatment Tc-99m pertechnetate scintigram. Every probability on this page "
            "is a probability of cure.",
        ),
        ("Eligibility", eligibility.paragraph(study.config.centers)),
        ("Outcome", _outcome(study.config.centers)),
        ("Images", _images(study)),
        ("Network", _network(study)),
        ("Signature", _signature(study)),
        (
            "Designs",
            " ".join(
                f"{words.design(design)}: {words.DESIGN_NOTES[design]}" for design in study.designs
            ),
        ),
        ("Evaluation", _evaluation(study)),
        (
            "Attention",
            "Grad-CAM of the network’s last block is computed for every test patient. The share of the "
            "map’s energy inside the gland is compared with the share of the image that is gland; a map "
            "without preference would have equal shares.",
        ),
    ]


def _outcome(centers: Sequence[CenterConfig]) -> str:
    """The outcome rule of each center; centers with the same rule together."""
    rules: dict[str, list[str]] = {}
    for center in centers:
        rule = center.outcome
        if center.role is Role.PROSPECTIVE or rule is None:
            continue
        text = "as stated in the center’s own table"
        if rule.rule is OutcomeRule.FOLLOWUP:
            text = f"derived from follow-up: {definitions.sentence(rule.definitions()[0])}"
        rules.setdefault(text, []).append(center.name)
    return "; ".join(f"{words.listing(names)}: {text}" for text, names in rules.items()) + "."


def _images(study: StudyResults) -> str:
    image = study.config.image
    scale = (
        "the count rate relative to the gland’s mean"
        if image.intensity is Intensity.RELATIVE
        else "the count rate per injected activity and area"
    )
    return (
        f"The anterior frame is resampled to {image.size} × {image.size} pixels of a square field of "
        f"{image.field_mm:g} mm around the gland; counts are preserved. Intensity is {scale} and is "
        "never clipped."
    )


def _network(study: StudyResults) -> str:
    network = study.config.network
    start = (
        "random weights"
        if network.weights == RANDOM
        else "weights from a local file, checked by its hash"
    )
    stop = f"for {network.epochs} epochs"
    if network.early_stopping.fraction:
        share = numbers.percent(network.early_stopping.fraction)
        stop = (
            f"for at most {network.epochs} epochs; {share} of the training patients are held out "
            "to decide when to stop"
        )
    balance = (
        " Both outcomes have the same weight in the loss; the shift that this causes is removed from "
        "the probabilities."
        if network.imbalance is Imbalance.WEIGHTED
        else ""
    )
    return f"ResNet50, trained end to end from {start} {stop}.{balance}"


def _signature(study: StudyResults) -> str:
    embeddings = (
        "Its training embeddings are in-sample, as published: the network had seen those patients."
        if study.in_sample
        else f"Network and signature are cross-fitted over {study.config.folds} folds: each training "
        "patient is predicted by the network and signature that were fitted without the patient’s fold, and "
        f"each test patient by the mean of all {study.config.folds}, whose log-odds are standardized."
    )
    return (
        "The LASSO selects from the 2,048 features of the network’s global pooling layer; a random "
        f"forest predicts from the selected features. {embeddings}"
    )


def _evaluation(study: StudyResults) -> str:
    return (
        "Everything that is learned from data (normalization, network, selection, forest, threshold) is "
        f"learned inside the training set. Intervals are {study.level} intervals; their kind is given in "
        "evaluation/performance.csv. Discrimination is the area under the ROC curve (AUC). Results of "
        "centers are pooled by a random-effects model; if the models did not see the centers in "
        "training, its prediction interval is what a new center can expect. In decision curves, "
        "“treat” means to give radioiodine as planned because cure is expected. Net benefit weighs "
        "patients who are correctly expected to be cured against those who are wrongly expected to be "
        "cured."
    )


def limitations(study: StudyResults) -> list[str]:
    """What the study cannot show, general limitations first."""
    simulated = "Simulated patients follow a model of the gland and of the camera that is simpler than reality."
    few = (
        "With fewer than five centers, differences between centers cannot be estimated well, and "
        "prediction intervals are uncertain."
    )
    return [
        "This is research, not a medical device. No result on this page may decide the treatment of a "
        "patient.",
        *([simulated] if study.simulated else []),
        "Only patients with a scintigram and a known outcome were analyzed. Excluded patients are listed "
        "above and may differ. Outcomes are decided by each center’s own rule and follow-up.",
        "The model was trained on patients who received the activity that their center chose. It predicts "
        "the outcome of such a therapy, not of another activity.",
        "Grad-CAM shows which parts of the image influenced the network, at the resolution of its last "
        "block. It does not explain the biology.",
        *([few] if study.cohort["center"].nunique() < FEW_CENTERS else []),
    ]
