"""Words for organs, views, tracers and energy windows in Greek, Cyrillic and East Asian scripts, and joined ones."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.unit.example_scans import (
    IODINE131,
    TC99M,
    detector,
    judged,
    neck,
    nm,
    window,
)
from thyrocast.contract.names import ScanFlag
from thyrocast.dicom import vocabulary
from thyrocast.dicom.text import words
from thyrocast.dicom.vocabulary import Facing

FRONT = [1, 0, 0, 0, 0, -1]
OTHER_TRACER = "another radionuclide or tracer"
OTHER_WINDOW = "an energy window that is not that of technetium"
OTHER_ENERGIES = "an energy window that also has counts of other energies"


def in_front(**elements: object) -> Dataset:
    """A scan whose orientation says that it is anterior."""
    return nm(neck(64, 4.0), [detector(ImageOrientationPatient=FRONT)], **elements)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("the parathyroid glands", "Παραθυρεοειδείς|Σπινθηρογράφημα παραθυρεοειδών"),
        ("the salivary glands", "Σιελογόνοι αδένες|唾腺|涎腺|耳下腺|顎下腺|腮腺|околоушные железы"),
        ("the lungs", "Πνεύμονες|Πνευμόνων"),
        ("the bones", "Οστά|Σπινθηρογράφημα οστών|Σκελετός|скелет|Остеосцинтиграфия"),
        ("the kidneys", "Νεφρά|Νεφροί|Нефросцинтиграфия|Ренография"),
        ("the testes", "Όρχεις"),
        ("the heart", "Καρδιά|Μυοκάρδιο καρδιάς"),
        ("the liver or the bile ducts", "Ήπαρ|Ήπατος|Гепатосцинтиграфия"),
        ("the brain", "Εγκέφαλος"),
        ("the stomach or the esophagus", "Στόμαχος"),
        ("the spleen", "Σπλήνα|Селезёнка"),
        ("the breast", "Μαστός|Молочная железа"),
        ("the adrenal glands", "Надпочечники|Επινεφρίδια"),
        ("the lacrimal ducts", "泪道|Слезные протоки|Δακρυϊκοί πόροι"),
        ("a Meckel's diverticulum", "梅克尔憩室"),
        ("a whole-body image", "Ολόσωμο|Всё тело|WBS|I-131 WBS|Body scan"),
        ("a phantom or a quality control", "体模"),
    ],
)
def test_other_organs(kind: str, texts: str) -> None:
    found = {text: vocabulary.excluded(words(text)) for text in texts.split("|")}
    assert found == dict.fromkeys(found, kind)


@pytest.mark.parametrize("text", ["Rate", "Os", "Reno", "Arm", "Kol"])
@pytest.mark.parametrize("study", ["NM", "Médecine nucléaire"])
def test_a_word_that_is_the_whole_description_of_a_series(
    tmp_path: Path, text: str, study: str
) -> None:
    dataset = in_front(SeriesDescription=text, StudyDescription=study)
    assert judged(tmp_path, dataset).reason.endswith("by its description")
    dataset.StudyDescription = "Thyroid"
    assert text in {"Arm", "Kol"} or judged(tmp_path, dataset).scans


@pytest.mark.parametrize(
    ("view", "texts"),
    [
        (
            Facing.ANTERIOR,
            "πρόσθια|передне-задняя|переднезадняя проекция|przednio-tylna|προσθοπίσθια|ANT post water|ANT post carbimazole"
            "|ANT post KClO4|ant left lobe|anterior lobe gauche|voorwaarts|anterior neck|ANT sin marcador",
        ),
        (Facing.POSTERIOR, "задне-передняя|tylno-przednia|οπισθοπρόσθια"),
        (
            Facing.OTHER,
            "левая передняя косая|передняя косая проекция|schräg vorne links|πρόσθια λοξή|αριστερή πρόσθια λοξή|przednia ukośna"
            "|LAO anterior neck|Anterior neck RAO|3/4 ant gauche|antero-lateral|anterolateral dx|semi-profil gauche",
        ),
        (None, "Ant LT|anterior left|ant links|anterior izquierda|ant gauche|anteriore sx|vorne links|sol anterior"),
    ],
)  # fmt: skip
def test_views(view: Facing | None, texts: str) -> None:
    named = {text: vocabulary.facing(words(text)) for text in texts.split("|")}
    assert named == dict.fromkeys(named, view)


def test_an_oblique_view_that_also_says_anterior_contradicts_the_orientation(
    tmp_path: Path,
) -> None:
    dataset = in_front(SeriesDescription="левая передняя косая")
    assert "contradict each other" in judged(tmp_path, dataset).reason


@pytest.mark.parametrize(("own", "known"), [("ANT", True), ("LAO", False)])
@pytest.mark.parametrize("oriented", [True, False])
def test_the_label_of_the_image_is_nearer_than_that_of_a_series_of_several_views(
    tmp_path: Path, own: str, known: bool, oriented: bool
) -> None:
    head = detector(ImageOrientationPatient=FRONT) if oriented else detector()
    dataset = nm(neck(64, 4.0), [head], SeriesDescription="THYROID ANT/LAO/RAO", ImageID=own)
    assert bool(judged(tmp_path, dataset).scans) == known


@pytest.mark.parametrize(
    "tracer", ["МИБИ", "Технетрил", "セスタミビ", "Stamicis", "Osteocis", "LyoMAA", "Sulfuro coloidal", "EHIDA", "L,L-EC"]
)  # fmt: skip
def test_other_tracers(tmp_path: Path, tracer: str) -> None:
    dataset = in_front()
    dataset.RadiopharmaceuticalInformationSequence[0].Radiopharmaceutical = tracer
    assert judged(tmp_path, dataset).reason == OTHER_TRACER


@pytest.mark.parametrize(
    ("tracer", "description", "flagged"),
    [
        ("Sodium pertechnetate", "Thyroid", False), ("Elumatic III", "Thyroid", False), ("-", "Thyroid", False),
        ("高锝酸钠", "Thyroid", False), ("Zyxlocin", "Thyroid", True), ("Pertechnetate", "I-123 thyroid", True),
        ("Pertechnetate", "Йод-131", True), ("Pertechnetate", "Thyroid before I-131 therapy", False),
        ("Pertechnetate", "Sestamibi thyroid", True),
    ],
)  # fmt: skip
def test_a_doubtful_tracer_is_flagged(
    tmp_path: Path, tracer: str, description: str, flagged: bool
) -> None:
    dataset = in_front(SeriesDescription=description)
    dataset.RadiopharmaceuticalInformationSequence[0].Radiopharmaceutical = tracer
    (scan,) = judged(tmp_path, dataset).scans
    assert (ScanFlag.TRACER_DOUBTFUL in scan.flags) == flagged


@pytest.mark.parametrize(
    ("nuclide", "tracer", "reason"),
    [
        (TC99M, "Sestamibi", "several tracers of technetium in one header"),
        (TC99M, "Pertechnetate", ""),
        (IODINE131, "Sodium iodide", ""),
    ],
)
def test_a_second_tracer_in_the_header(
    tmp_path: Path, nuclide: Dataset, tracer: str, reason: str
) -> None:
    dataset, drug = in_front(), Dataset()
    dataset.RadiopharmaceuticalInformationSequence[0].Radiopharmaceutical = "Pertechnetate"
    drug.RadionuclideCodeSequence, drug.Radiopharmaceutical = Sequence([nuclide]), tracer
    dataset.RadiopharmaceuticalInformationSequence.append(drug)
    assert judged(tmp_path, dataset).reason == reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [("I-123", OTHER_WINDOW), ("Co57", OTHER_WINDOW), ("Йод-123", OTHER_WINDOW), ("Tl201", OTHER_WINDOW),
     ("Tc99m", ""), ("WIN_1", ""), ("140keV", ""), ("Tc99m_SCT", "an energy window without the photopeak")],
)  # fmt: skip
@pytest.mark.parametrize("stated", [True, False])
def test_the_name_of_a_window_without_limits(
    tmp_path: Path, name: str, reason: str, stated: bool
) -> None:
    item = Dataset()
    item.EnergyWindowName = name
    dataset = nm(neck(64, 4.0), windows=[item], radionuclide=TC99M if stated else None)
    assert judged(tmp_path, dataset).reason == reason


@pytest.mark.parametrize(
    ("low", "high", "reason"),
    [(126, 154, ""), (100, 180, ""), (126_000, 154_000, ""), (0.126, 0.154, ""), (130, 9_999, OTHER_ENERGIES),
     (0, 300, OTHER_ENERGIES), (50, 250, OTHER_ENERGIES), (126, 65_535, OTHER_ENERGIES)],
)  # fmt: skip
def test_a_window_of_all_energies(tmp_path: Path, low: float, high: float, reason: str) -> None:
    dataset = nm(neck(64, 4.0), windows=[window(low, high)])
    assert judged(tmp_path, dataset).reason == reason


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("REPROJECTION", "a computed image by its type"), ("GEOMEAN", "a computed image by its type"), ("STATIC", ""), ("SPOT", "")],
)  # fmt: skip
def test_computed_images(tmp_path: Path, kind: str, reason: str) -> None:
    dataset = in_front(ImageType=["ORIGINAL", "PRIMARY", kind, "EMISSION"])
    assert judged(tmp_path, dataset).reason == reason


def test_a_derived_image_is_flagged(tmp_path: Path) -> None:
    dataset = in_front(ImageType=["DERIVED", "PRIMARY", "STATIC", "EMISSION"])
    (scan,) = judged(tmp_path, dataset).scans
    assert ScanFlag.DERIVED in scan.flags


def test_several_images_in_one_matrix(tmp_path: Path) -> None:
    dataset = nm(np.concatenate([neck(64, 4.0, seed=seed) for seed in (1, 2, 3)], axis=1))
    assert judged(tmp_path, dataset).reason == "several images in one, by its wide matrix"
