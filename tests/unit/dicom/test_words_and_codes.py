"""Words, codes and units as exports have them: joined, abbreviated, accented, of nine languages, contradictory."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.unit.example_scans import (
    ANTERIOR,
    IODINE131,
    code,
    confirmed,
    detector,
    neck,
    nm,
    save,
    window,
)
from thyrocast.contract.names import ScanFlag
from thyrocast.dicom import comparison, vocabulary
from thyrocast.dicom.elements import Elements
from thyrocast.dicom.orientation import letters
from thyrocast.dicom.pixels import PixelError, read_counts
from thyrocast.dicom.terms import collimator
from thyrocast.dicom.text import words
from thyrocast.dicom.vocabulary import Facing, Syringe


@pytest.mark.parametrize(
    ("view", "texts"),
    [
        (
            Facing.ANTERIOR,
            "ANTstatic|Thyroid AntStatic|Thyroidant|ANTVIEW|THY ANT_300S|on goruntu|ÖN GÖRÜNTÜ|FACE ANT|ANT LATE"
            "|ANT 20MIN POST INJ|Z PRZODU|v. vorne|collo anteriore|vista anterior|FACE5MIN|вид спереди|Antero-posterior|ANT 20' PI",
        ),
        (
            Facing.POSTERIOR,
            "POSTVIEW|thyroid POST 300s|THYROIDE DOS|Dos 5 min|vista de trás|сзади|von hinten|TYŁ|arkadan|FACE POST",
        ),
        (
            Facing.OTHER,
            "LL|RL|R45|левый бок|L.A.O.|OAD|skośna|sol ön oblik|Rt Ant Oblique|linksvoor",
        ),
        (
            None,
            "POST 20 MIN p.i.|Antithyroid|Antwerp|ANTON|Thyroid on table|Ant/Post|ANTPOST|Dosis|ANT LAO RAO"
            "|Posterior a la inyección",
        ),
    ],
)
def test_views(view: Facing | None, texts: str) -> None:
    named = {text: vocabulary.facing(words(text)) for text in texts.split("|")}
    assert named == dict.fromkeys(named, view)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("the lungs", "VQ|V/Q|Kr81m|POUMONS|perfuzja płuc|Perfusion"),
        ("the salivary glands", "przyuszne|GSP|Speicheldr.|Gl. parotis|scialoscintigrafia"),
        ("a Meckel's diverticulum", "Mekel|MECKELS|Divertikulum|uchyłek Meckela"),
        (vocabulary.PARATHYROID, "hyperparathyroid|Parath|parathormone|NSD|EK|HPT|iperparatiroidismo"),
        ("the bones", "Os|Scinti OS|osso|Skel|układ kostny"),
        ("the kidneys", "renoscyntygrafia|RENO|urinary|Diuretic|ISG|rim"),
        ("the heart", "Isotopenventrikulographie|miokard|RNV|Rest stress|hart|gated rest"),
        ("another part of the body", "Bauch|vientre|addome|karın|handen|mãos|dłonie|pies|ELBOW|stopy"),
        ("the spleen", "bazo|baço|milt|śledziona|rate"),
        ("the lacrimal ducts", "traanwegen|drogi łzowe|lagrimal"),
        ("a marker image", "ANT MKR|ANT MRKR|MRK|sternal notch|fúrcula|giugulo|thyroid cartilage|Xyphoid"),
        ("a whole-body image", "rastreo|scan corporal|totaal lichaam|PCI"),
        ("a phantom or a quality control", "Jaszczak|Intrinsic|CdQ|Konstanzprüfung|COR|std source"),
        ("a background or an injection site", "BG|site injection|right arm|braço|ramię"),
        ("blood cells", "Leuko|WBC"),
        ("another tracer", "gallium inflam|Thallium"),
        ("a sentinel node", "GS|Wächter"),
    ],
)  # fmt: skip
def test_other_organs(kind: str, texts: str) -> None:
    found = {}
    for text in texts.split("|"):
        plain = words(text)
        found[text] = vocabulary.excluded(plain) or vocabulary.hinted(plain)
    assert found == dict.fromkeys(found, kind)


@pytest.mark.parametrize(
    "text",
    ["Thyroid ant, injection left hand", "thyroïde inj bras gauche", "Cou", "Col", "Cuello", "Hals", "Szyja", "Boyun anterior", "Collo", "Pescoço", "Neck", "marker yok", "hands up",
     "ANT no marker", "işaretsiz", "inj left arm", "count rate", "Kol boyun", "Thorax inlet", "SD-Szinti", "Hals/borst thyroid",
     "Thyroid Dr. Hart", "thyroid perfusion and uptake", "thyroid os", "baş boyun", "cabeza y cuello"],
)  # fmt: skip
def test_necks_are_no_other_organ(tmp_path: Path, text: str) -> None:
    assert confirmed(tmp_path, nm(neck(64, 4.0), SeriesDescription=text)).scans


def test_a_short_word_is_overruled_by_the_thyroid_in_the_study(tmp_path: Path) -> None:
    dataset = nm(neck(64, 4.0), SeriesDescription="GS", StudyDescription="Schilddrüse")
    assert confirmed(tmp_path, dataset).scans
    del dataset.StudyDescription
    assert confirmed(tmp_path, dataset).reason == "a sentinel node by its description"


def test_an_injection_site_is_no_thyroid_scan() -> None:
    for text in (
        "Thyroid injection site left arm",
        "site d'injection bras thyroïde",
        "inj right elbow",
    ):
        assert vocabulary.excluded(words(text))


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (Syringe.FULL, "PREDOSE|preinj syr|Spritze VI|Enjektör önce|Pre-Inj Dose|Dose before|SERINGUE P|Spritzenmessung voll"),
        (Syringe.RESIDUAL, "Residual|RESIDU|SERINGUE V|Restaktivität|seringa após|resztka|enjektör sonra|kalan doz|Spritze NI"),
        (Syringe.UNKNOWN, "injekční stříkačka|Syringe|enjektör"),
        (None, "Thyroid pre dose I131|ANT 20 min post dose|Thyroid Rest|voor therapie|full field"),
    ],
)  # fmt: skip
def test_syringes(kind: Syringe | None, texts: str) -> None:
    named = {text: vocabulary.syringe(words(text)) for text in texts.split("|")}
    assert named == dict.fromkeys(named, kind)


@pytest.mark.parametrize(
    "modifier", [code("30730003", ""), code("G-A145", "", "SRT"), code("x", "oblique")]
)
def test_a_modifier_of_the_view_by_code_or_word(tmp_path: Path, modifier: Dataset) -> None:
    view = code("255549009", "")
    view.ViewModifierCodeSequence = Sequence([modifier])
    found = confirmed(tmp_path, nm(neck(64, 4.0), detectors=[detector(view)]))
    assert found.reason == "a view other than anterior"


@pytest.mark.parametrize(
    ("given", "known"),
    [(["L", "F"], True), (["L", "FP"], True), (["LP", "F"], False), (["RA", "F"], True)],
)
def test_letters_of_an_oblique_plane_do_not_say_anterior(given: list[str], known: bool) -> None:
    assert (letters(Elements({"PatientOrientation": [*given]})) is not None) is known


@pytest.mark.parametrize("kind", ["WHOLE BODY", "WHOLEBODY", "WHOLE_BODY"])
def test_whole_body_in_any_spelling(tmp_path: Path, kind: str) -> None:
    found = confirmed(
        tmp_path, nm(neck(64, 4.0), ImageType=["ORIGINAL", "PRIMARY", kind, "EMISSION"])
    )
    assert found.reason == "a whole-body image"


@pytest.mark.parametrize("unit", [1.0, 1e3, 1e-3])
def test_energies_in_other_units(tmp_path: Path, unit: float) -> None:
    assert confirmed(tmp_path, nm(neck(64, 4.0), windows=[window(126 * unit, 154 * unit)])).scans
    found = confirmed(tmp_path, nm(neck(64, 4.0), windows=[window(328 * unit, 400 * unit)]))
    assert found.reason == "an energy window without the photopeak"


def test_one_window_of_two_energies(tmp_path: Path) -> None:
    both = window(126, 154)
    both.EnergyWindowRangeSequence.append(window(328, 400).EnergyWindowRangeSequence[0])
    found = confirmed(tmp_path, nm(neck(64, 4.0), windows=[both]))
    assert found.reason == "an energy window that also has counts of other energies"
    parts = window(126, 141)
    parts.EnergyWindowRangeSequence.append(window(140, 154).EnergyWindowRangeSequence[0])
    assert confirmed(tmp_path, nm(neck(64, 4.0), windows=[parts])).scans


@pytest.mark.parametrize("name", ["Scatter", "Streustrahlung", "diffusé", "Sc1"])
def test_a_window_without_limits_that_is_called_scatter(tmp_path: Path, name: str) -> None:
    unlimited = Dataset()
    unlimited.EnergyWindowName = name
    found = confirmed(tmp_path, nm(neck(64, 4.0), windows=[unlimited]))
    assert found.reason == "an energy window without the photopeak"


def test_a_wide_window_of_iodine_next_to_that_of_technetium(tmp_path: Path) -> None:
    frames = np.stack([neck(64, 4.0, seed=2), neck(64, 4.0, seed=3)])
    windows = [window(135, 183), window(126, 154)]
    found = confirmed(
        tmp_path, nm(frames, windows=windows, EnergyWindowVector=[1, 2], DetectorVector=[1, 1])
    )
    assert [scan.frames for scan in found.scans] == [(1,)]


@pytest.mark.parametrize(
    "text",
    [
        "Thyroid pre I-131 therapy",
        "vor Radiojod 131I Therapie",
        "avant traitement I131",
        "antes de terapia I-131",
    ],
)
def test_the_therapy_that_a_scan_prepares_is_not_its_tracer(tmp_path: Path, text: str) -> None:
    found = confirmed(tmp_path, nm(neck(64, 4.0), radionuclide=None, SeriesDescription=text))
    assert [scan.flags for scan in found.scans] == [(ScanFlag.RADIONUCLIDE_BY_WINDOW,)]
    found = confirmed(
        tmp_path, nm(neck(64, 4.0), radionuclide=None, SeriesDescription="Thyroid I-131")
    )
    assert found.reason == "another radionuclide or tracer"


@pytest.mark.parametrize(
    "text",
    ["I-131 post therapy scan", "Thyroid 131I therapy scan", "Post therapy I-131", "Jod-131 nach Therapie"],
)  # fmt: skip
def test_after_a_therapy_the_isotope_is_the_tracer(tmp_path: Path, text: str) -> None:
    found = confirmed(tmp_path, nm(neck(64, 4.0), radionuclide=None, SeriesDescription=text))
    assert found.reason == "another radionuclide or tracer"


@pytest.mark.parametrize("name", ["Tc99m flow", "Tc99m low energy"])
def test_a_window_that_is_not_called_scatter(tmp_path: Path, name: str) -> None:
    unlimited = Dataset()
    unlimited.EnergyWindowName = name
    assert confirmed(tmp_path, nm(neck(64, 4.0), windows=[unlimited])).scans


@pytest.mark.parametrize("name", ["Klinikum Konstanz", "St. Gallen", "Herzberge", "Dr. Herzog"])
def test_a_town_or_a_surname_is_no_organ(tmp_path: Path, name: str) -> None:
    assert confirmed(tmp_path, nm(neck(64, 4.0), SeriesDescription=f"{name} SD ant")).scans


def test_a_code_that_contradicts_its_name_leaves_the_window(tmp_path: Path) -> None:
    named = code(IODINE131.CodeValue, "Technetium 99m")
    found = confirmed(tmp_path, nm(neck(64, 4.0), radionuclide=named))
    assert [scan.flags for scan in found.scans] == [(ScanFlag.RADIONUCLIDE_BY_WINDOW,)]
    found = confirmed(tmp_path, nm(neck(64, 4.0), radionuclide=named, windows=[]))
    assert not found.scans


@pytest.mark.parametrize(
    ("grid", "found"),
    [("PINOLE", "pinhole"), ("UHRPH", "pinhole"), ("LEPH", "pinhole"), ("PH 4mm", "pinhole"), ("PIN", "pinhole"),
     ("LEHR", "lehr"), ("ELEGP", "elegp"), ("E-LEGP", "elegp"), ("Extended LEGP", "elegp"), ("LE-HR", "lehr"), ("L.E.A.P.", "leap"),
     ("LE GP", "leap"), ("HE GP", "hegp"), ("LowEnHiRes", "lehr"), ("LE UHR", "leuhr"), ("Phantom", "parallel"), ("SPIN", "parallel")],
)  # fmt: skip
def test_abbreviated_collimators(grid: str, found: str) -> None:
    assert collimator(Elements({"CollimatorType": "PARA", "CollimatorGridName": grid})) == found


@pytest.mark.parametrize(
    "text", ["trou d'épingle", "trou d’épingle", "pinehole", "Pin-Hole", "sténopé", "iğne deliği"]
)
def test_described_pinholes(text: str) -> None:
    assert collimator(Elements(), words(text)) == "pinhole"


@pytest.mark.parametrize(
    "text",
    ["Viellochkollimator", "Parallellochkollimator", "orificios paralelos", "colimador furos paralelos"],
)  # fmt: skip
def test_many_holes_are_no_pinhole(text: str) -> None:
    named = Elements({"CollimatorType": "PARA", "CollimatorGridName": text})
    assert collimator(named, words(text)) == "parallel"


def test_a_frame_with_a_marker_is_not_a_part_of_the_scan(tmp_path: Path) -> None:
    plain, marked = neck(64, 4.0, seed=4), neck(64, 4.0, seed=5).copy()
    marked[54:56, 31:33] += 2_000
    for frames in ([plain, marked], [marked, plain]):
        dataset = nm(np.stack(frames), DetectorVector=[1, 1], detectors=[detector(ANTERIOR)])
        assert (
            confirmed(tmp_path, dataset).reason
            == "several frames of one detector, which are not parts of one view"
        )


@pytest.mark.parametrize("total", [40_000, 400_000])
@pytest.mark.parametrize("offset", [0.0, 1.5])
def test_a_marker_as_bright_as_the_gland_is_seen(total: float, offset: float) -> None:
    plain = neck(128, 2.4, total=total, seed=None).astype(float)
    y, x = np.mgrid[:128, :128]
    spot = np.exp(-((y - 96 - offset) ** 2 + (x - 64 - offset) ** 2) / 2 / 1.4**2)  # 8 mm wide
    rng = np.random.default_rng(8)
    marked = rng.poisson(plain + plain.max() * spot).astype(float)
    assert not comparison.are_one_view([rng.poisson(plain).astype(float), marked])


@pytest.mark.parametrize("total", [4_000, 40_000, 400_000])
@pytest.mark.parametrize("lobes", [(1.0, 1.0), (1.0, 0.2), (0.1, 0.1)])
def test_a_patient_who_moves_makes_no_marker(total: float, lobes: tuple[float, float]) -> None:
    first = neck(128, 2.4, lobes=lobes, total=total, seed=6)
    second = neck(128, 2.4, lobes=lobes, total=total, seed=7, shift=(4.0, 3.0))
    assert comparison.are_one_view([first.astype(float), second.astype(float)])


@pytest.mark.parametrize("stored", [8, 12])
def test_counts_that_do_not_fit_in_the_stored_bits(tmp_path: Path, stored: int) -> None:
    counts = neck(64, 4.0) * 20
    assert counts.max() > 4095
    dataset = nm(counts, BitsStored=stored, HighBit=stored - 1)
    with pytest.raises(PixelError, match="larger than the stored bits"):
        read_counts(save(dataset, tmp_path / "a"), [0])
    fitting = np.minimum(counts, 2**stored - 2)
    dataset = nm(fitting, BitsStored=stored, HighBit=stored - 1)
    assert (read_counts(save(dataset, tmp_path / "b"), [0]).image == fitting).all()
