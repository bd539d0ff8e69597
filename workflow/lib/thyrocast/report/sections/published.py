"""The published study that this project repeats: its results, compared with those of this study."""

import functools
from pathlib import Path

from thyrocast.config.choices import Architecture
from thyrocast.contract import documents
from thyrocast.contract.documents import Document
from thyrocast.contract.names import Design, Model, Set
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label
from thyrocast.report import scores, words
from thyrocast.report.study import StudyResults

#: Designs in the order in which they resemble the published one.
DESIGNS = (Design.HOLDOUT, Design.KFOLD, Design.LOCO, Design.EXTERNAL)
_NOTE = (
    "Results of this study are test results unless the row says training. No interval of the published AUCs is known "
    "here; a fifth of 121 patients is about 24, so that results in them are uncertain."
)
_CROSS_FITTED = "Training results of this study are cross-fitted: no patient was predicted by a model that had seen the patient."
_FILE = Path(__file__).with_name("published.json")


class PublishedStudy(Document):
    """Numbers that the published study reports.

    Attributes
    ----------
    title, journal, year
        The article.
    patients, centers
        Numbers of patients and centers.
    division
        Training and test patients, as a ratio.
    embeddings
        Which patients the network had seen when it embedded the signature's training patients.
    network_auc_training, network_auc_validation, signature_auc
        Areas under the ROC curve of the ResNet50, and of the random forest.
    decision_range
        First and last threshold probability of its decision curves.
    """

    title: str
    journal: str
    year: int
    patients: int
    centers: int
    division: str
    embeddings: str
    network_auc_training: float
    network_auc_validation: float
    signature_auc: float
    decision_range: list[float]


@functools.cache
def read() -> PublishedStudy:
    """Read the published study's numbers (``published.json``)."""
    return documents.read(PublishedStudy, _FILE)


def comparison(study: StudyResults) -> Grid:
    """The published results and this study's, in one table."""
    scored = scores.evaluated(study)
    designs = [design for design in DESIGNS if design in scored]
    theirs = read()
    embeddings = Cell("in-sample" if study.in_sample else "cross-fitted")
    compact = study.config.network.architecture is Architecture.COMPACT
    ours_is = "here the compact network" if compact else ""
    curves = Cell(_range(*study.config.evaluation.decision.range), "and the clinical range")

    def auc(model: str, set_name: str) -> list[Cell]:
        return [_auc(study, design, model, set_name) for design in designs]

    rows: tuple[tuple[str, str, list[Cell]], ...] = (
        ("Patients", str(theirs.patients), [_patients(study, design) for design in designs]),
        (
            "Centers",
            str(theirs.centers),
            [Cell(str(study.centers_of(design))) for design in designs],
        ),
        ("Training : test", theirs.division, [_division(study, design) for design in designs]),
        (
            "Embeddings for training the signature",
            theirs.embeddings,
            [embeddings] * len(designs),
        ),
        (
            "ResNet50, AUC in training",
            f"{theirs.network_auc_training:.3f}",
            auc(Model.NETWORK, Set.TRAIN),
        ),
        (
            "ResNet50, AUC in validation",
            f"{theirs.network_auc_validation:.3f}",
            auc(Model.NETWORK, Set.TEST),
        ),
        (
            "Signature (random forest), AUC",
            f"{theirs.signature_auc:.3f}",
            auc(Model.SIGNATURE, Set.TEST),
        ),
        ("Decision curves", _range(*theirs.decision_range), [curves] * len(designs)),
    )
    return Grid(
        "Published study and this study",
        ["", "Published", *(f"Here: {words.design(design).lower()}" for design in designs)],
        [
            [label(title, ours_is if title.startswith("ResNet50") else ""), Cell(number), *ours]
            for title, number, ours in rows
        ],
        _NOTE if study.in_sample else f"{_NOTE} {_CROSS_FITTED}",
    )


def _range(low: float, high: float) -> str:
    return f"{100 * low:g}–{100 * high:g} %"


def _patients(study: StudyResults, design: str) -> Cell:
    rows = study.division
    everyone = rows.loc[rows["design"] == design, "patient"].nunique()
    tested = scores.headlines(study, design)["n"].max()
    return Cell(numbers.count(everyone), f"{numbers.count(tested)} tested")


def _division(study: StudyResults, design: str) -> Cell:
    if design == Design.HOLDOUT:
        part = study.config.holdout.test_fraction
        return Cell(f"{10 * (1 - part):.2g}:{10 * part:.2g}")
    return Cell("repeated" if design == Design.KFOLD else "by center")


def _auc(study: StudyResults, design: str, model: str, set_name: str) -> Cell:
    if model not in study.models(design):
        return Cell("not run")
    head, _, within = scores.auc_text(study, design, model, set_name).partition(" (")
    return Cell(head or numbers.MISSING, within.removesuffix(")"))
