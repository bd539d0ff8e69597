"""What an image shows and which tracer it has, by descriptions and names in many languages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.sequence import Sequence

from tests.unit.example_scans import code, judged, neck, nm, window


@pytest.mark.parametrize(
    "name",
    [
        "Технеций-99м",
        "テクネチウム",
        "锝-99m",
        "Technétium 99m",
        "Tecnezio",
        "Teknesyum",
        "Tc-99m",
        "something",
    ],
)
@pytest.mark.parametrize("scheme", ["99LOCAL", "99SDM"])
def test_the_photopeak_decides_if_no_other_radionuclide_is_coded(
    tmp_path: Path, name: str, scheme: str
) -> None:
    value = "X-1" if scheme == "99LOCAL" else "C-163A8"
    dataset = nm(radionuclide=code(value, name, scheme))
    assert judged(tmp_path, dataset).scans
    dataset = nm(radionuclide=code(value, name, scheme), windows=[window(100, 200)])
    known = name != "something" or value == "C-163A8"
    assert bool(judged(tmp_path, dataset).scans) == known


@pytest.mark.parametrize(
    "name",
    [
        "Йод-123",
        "ヨウ素-123",
        "碘131",
        "Iode 123",
        "Yodo 131",
        "Jod-131",
        "Таллий-201",
        "Gal 67 Gallium",
    ],
)
def test_another_radionuclide_in_any_language_is_excluded(tmp_path: Path, name: str) -> None:
    dataset = nm(radionuclide=code("X-1", name, "99LOCAL"))
    assert judged(tmp_path, dataset).reason == "another radionuclide or tracer"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("POUMONS FACE", "the lungs"),
        ("Lungenperfusion ventral", "the lungs"),
        ("Akciğer perfüzyon ANT", "the lungs"),
        ("płuca", "the lungs"),
        ("Thyroïde poumons", "the lungs"),
        ("Speicheldrüsen", "the salivary glands"),
        ("glandes salivaires", "the salivary glands"),
        ("ślinianki", "the salivary glands"),
        ("Ghiandole salivari", "the salivary glands"),
        ("tükürük bezi", "the salivary glands"),
        ("Speekselklieren", "the salivary glands"),
        ("Meckel ANT", "a Meckel's diverticulum"),
        ("Hodenszintigraphie", "the testes"),
        ("testículo", "the testes"),
        ("Paratiroides MIBI", "the parathyroid glands"),
        ("Nebenschilddrüse ant", "the parathyroid glands"),
        ("Bijschildklieren", "the parathyroid glands"),
        ("przytarczyce", "the parathyroid glands"),
        ("thyroid/parathyroid ANT", "the parathyroid glands"),
        ("scintigraphie osseuse", "the bones"),
        ("gammagrafía ósea", "the bones"),
        ("kości", "the bones"),
        ("Kemik sintigrafisi", "the bones"),
        ("Skelettszintigraphie", "the bones"),
        ("riñones", "the kidneys"),
        ("böbrek", "the kidneys"),
        ("nerki", "the kidneys"),
        ("cœur", "the heart"),
        ("coração", "the heart"),
        ("kalp", "the heart"),
        ("Gehirn", "the brain"),
        ("mózg", "the brain"),
        ("Vidange gastrique", "the stomach or the esophagus"),
        ("Magenentleerung", "the stomach or the esophagus"),
        ("Ganglion sentinelle", "a sentinel node"),
        ("schildwachtklier", "a sentinel node"),
        ("węzeł wartowniczy", "a sentinel node"),
        ("Corps entier ANT", "a whole-body image"),
        ("tüm vücut", "a whole-body image"),
        ("Ganzkörper", "a whole-body image"),
        ("SSN marker", "a marker image"),
        ("ANT with marker", "a marker image"),
        ("Marqueur fourchette", "a marker image"),
        ("intrinsic flood", "a phantom or a quality control"),
        ("Uniformity", "a phantom or a quality control"),
        ("gammagrafía escrotal ant", "the testes"),
        ("Jądro przednia", "the testes"),
        ("testisler ön", "the testes"),
        ("crâne face", "another part of the body"),
        ("bacino anteriore", "another part of the body"),
        ("bekken anterior", "another part of the body"),
        ("Hüfte ventral", "another part of the body"),
        ("quadril anterior", "another part of the body"),
        ("vessie face", "another part of the body"),
        ("pęcherz przednia", "another part of the body"),
        ("mesane ön", "another part of the body"),
        ("Thorax osseux face", "the bones"),
        ("leğen kemiği ön", "the bones"),
        ("seno anteriore", "the breast"),
        ("Kalibrierung ventral", "a phantom or a quality control"),
        ("ANT markiert", "a marker image"),
        ("Schilddrüse mit Marke ventral", "a marker image"),
        ("face marquée", "a marker image"),
        ("anterior marcada", "a marker image"),
        ("gemarkeerd anterior", "a marker image"),
        ("ANT fourchette", "a marker image"),
        ("Sialoszintigraphie ventral", "the salivary glands"),
        ("Ohrspeicheldrüse", "the salivary glands"),
        ("gruczoły ślinowe przód", "the salivary glands"),
        ("glande sous-maxillaire face", "the salivary glands"),
        ("longventilatie", "the lungs"),
        ("Renogramm", "the kidneys"),
        ("néphrogramme", "the kidneys"),
        ("Schaedel ap", "another part of the body"),
        ("Hueften ventral", "another part of the body"),
        ("Waechterlymphknoten", "a sentinel node"),
        ("Epithelkoerperchen", "the parathyroid glands"),
        ("MDP 3h ANT", "another tracer"),
        ("Tc-99m DTPA ANT", "another tracer"),
        ("Blutungsszintigraphie", "blood cells"),
        ("hemorragia digestiva anterior", "blood cells"),
        ("colloid goitre ANT", ""),
        ("Thyroid screening ANT", ""),
        ("ANT no SSN", ""),
        ("ANT marker free", ""),
        ("sans marque ANT", ""),
        ("ANT no marker", ""),
        ("ANT sans marqueur", ""),
        ("ohne Marker ventral", ""),
        ("TEST ANT", ""),
        ("Thyroid bonus ANT", ""),
        ("Harting ANT", ""),
        ("Schildklier ANT", ""),
    ],
)  # fmt: skip
def test_other_organs_in_many_languages(tmp_path: Path, text: str, kind: str) -> None:
    found = judged(tmp_path, nm(SeriesDescription=text))
    assert found.reason == (f"{kind} by its description" if kind else "")
    assert bool(found.scans) == (not kind)


def test_the_thyroid_phase_of_a_parathyroid_study_is_used_if_its_tracer_is_pertechnetate(
    tmp_path: Path,
) -> None:
    dataset = nm(SeriesDescription="Thyroid - parathyroid ANT")
    assert not judged(tmp_path, dataset).scans
    dataset.RadiopharmaceuticalInformationSequence[0].Radiopharmaceutical = "Tc99m Pertechnetate"
    assert judged(tmp_path, dataset).scans


def test_a_center_can_keep_and_exclude_descriptions(tmp_path: Path) -> None:
    dataset = nm(SeriesDescription="Thyroid heart clinic ANT")
    assert not judged(tmp_path, dataset).scans
    assert judged(tmp_path, dataset, views={"kept": ["heart clinic"]}).scans
    dataset = nm(SeriesDescription="Dose")
    assert judged(tmp_path, dataset).syringe
    assert judged(tmp_path, dataset, views={"kept": ["^dose$"]}).scans
    assert not judged(tmp_path, nm(SeriesDescription="ANT B"), views={"excluded": [r"\bb\b"]}).scans


def test_the_coded_region_identifies_the_organ(tmp_path: Path) -> None:
    region = Sequence([code("39607008", "Lung")])
    assert not judged(tmp_path, nm(AnatomicRegionSequence=region)).scans
    region = Sequence([code("69748006", "Thyroid")])
    assert judged(tmp_path, nm(AnatomicRegionSequence=region)).scans


@pytest.mark.parametrize(
    "elements",
    [
        {"ImageType": ["DERIVED", "SECONDARY"]},
        {"ImageType": ["ORIGINAL", "SECONDARY", "STATIC", "EMISSION"]},
        {"ConversionType": "WSD"},
    ],
)
def test_a_screen_save_in_the_class_of_counts_is_no_count_image(
    tmp_path: Path, elements: dict[str, Any]
) -> None:
    dataset = nm(**elements)
    assert judged(tmp_path, dataset).reason == "a screen save in the class of counts"
    accept = {"accept": {"secondary_capture": True}, "fallbacks": {"pixel_mm": 2.0}}
    dataset.SeriesDescription = "ANT"
    assert [scan.kind for scan in judged(tmp_path, dataset, **accept).scans] == ["capture"]


def test_a_derived_image_of_8_bits_is_no_count_image(tmp_path: Path) -> None:
    pixels = np.minimum(neck(64, 4.0), 255).astype(np.uint8)
    derived = ["DERIVED", "PRIMARY", "STATIC", "EMISSION"]
    found = judged(tmp_path, nm(pixels, ImageType=derived))
    assert found.reason == "a screen save in the class of counts"
    assert judged(tmp_path, nm(pixels)).scans
    assert judged(tmp_path, nm(ImageType=derived)).scans


@pytest.mark.parametrize(
    ("study", "series", "taken"),
    [
        ("Herzzentrum Nuklearmedizin", "Schilddrüse ANT", True),
        ("Herzzentrum Nuklearmedizin", "ANT", False),
        ("Parathyroid", "Thyroid ANT", False),
        ("Nebenschilddrüse", "Schilddrüse ventral", False),
        ("Thyroid uptake", "Thigh ANT", False),
        ("Thyroid uptake", "Background", False),
        ("Thyroïde", "bruit de fond", False),
        ("Thyroid", "ABDOMEN ANT", False),
        ("Thyroid", "injection site", False),
        ("Thyroid", "marker off ANT", True),
        ("Thyroid", "Marker'sız ÖN", True),
    ],
)
def test_the_study_and_its_series(tmp_path: Path, study: str, series: str, taken: bool) -> None:
    dataset = nm(StudyDescription=study, SeriesDescription=series)
    assert bool(judged(tmp_path, dataset).scans) == taken


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("DOSE", "unknown"),
        ("injected dose", "unknown"),
        ("dose injectée", "unknown"),
        ("SP", "full"),
        ("SV2", "residual"),
        ("spuit vol", "full"),
        ("spuit leeg", "residual"),
        ("strzykawka przed podaniem", "full"),
        ("strzykawka po podaniu", "residual"),
        ("şırınga", "unknown"),
        ("vial full", "full"),
        ("fiala piena", "full"),
        ("fiolka pełna", "full"),
        ("ampoule vide", "residual"),
        ("frasco cheio", "full"),
        ("flakon dolu", "full"),
        ("Ser. pleine", "full"),
        ("Spr. leer", "residual"),
        ("sir. piena", "full"),
        ("jga vacía", "residual"),
        ("strzyk. pusta", "residual"),
        ("S.P.", "full"),
        ("VIDE", "residual"),
        ("Vol 1", "full"),
        ("SYR1", "unknown"),
        ("Enjekte edildikten 20 dk sonra ön", None),
        ("thyroid full field ANT", None),
        ("Thyroid rest ANT", None),
        ("ANT SP", None),
        ("SPOT", None),
        ("dose 2 ANT", None),
    ],
)
def test_syringes_and_their_state(tmp_path: Path, text: str, kind: str | None) -> None:
    assert judged(tmp_path, nm(SeriesDescription=text)).syringe == kind


@pytest.mark.parametrize(
    "text",
    [
        "SPECT ANT",
        "Recon ANT",
        "MIP",
        "Screen capture ANT",
        "Copie d'écran",
        "Résultats",
        "ROI ANT",
        "Ergebnisse",
        "Geometric mean",
        "moyenne géométrique",
    ],
)
def test_a_processed_image_is_not_used(tmp_path: Path, text: str) -> None:
    found = judged(tmp_path, nm(SeriesDescription=text))
    assert found.reason == "a processed or reconstructed image by its description"
    named = nm(SeriesDescription="ANT", StudyDescription=f"Thyroid + {text}")
    assert judged(tmp_path, named).scans


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ((126, 154), ""),
        ((133, 148), ""),
        ((119, 162), ""),
        ((135, 183), "an energy window that is not that of technetium"),
        ((90, 145), "an energy window that is not that of technetium"),
        ((143, 175), "an energy window without the photopeak"),
        ((110, 134), "an energy window without the photopeak"),
    ],
)
def test_an_energy_window_of_another_radionuclide(
    tmp_path: Path, limits: tuple[float, float], reason: str
) -> None:
    assert judged(tmp_path, nm(radionuclide=None, windows=[window(*limits)])).reason == reason
