"""Coded terms, defined terms and words of nuclear-medicine headers, and their meaning."""

import re
import unicodedata
from collections.abc import Sequence

from thyrocast import physics
from thyrocast.dicom.elements import Elements, Scalar

# SOP classes (PS3.4 B.5; the second is retired).
NUCLEAR_MEDICINE = {"1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.5"}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

# Views: CID 26, Nuclear Medicine Projections (PS3.16), in SNOMED CT and its older SRT codes.
ANTERIOR_CODES = {"399321004", "G-5215", "255549009", "R-10206"}
POSTERIOR_CODES = {"399001007", "G-5216", "255551008", "R-10214"}
# Radionuclides: CID 18 (PS3.16).
TC99M_CODES = {"72454006", "C-163A8"}

_TC99M = re.compile(r"tc ?99|99 ?m? ?tc|technet|tecnec|pertec|99m|tco4|\btc\b")
_OTHER_TRACER = re.compile(
    r"mibi|tetrofosmin|\bmdp\b|\bhdp\b|\bdpd\b|\bmaa\b|mag ?3|dmsa|dtpa|colloid|kolloid|exametazime"
    r"|hmpao|tektrotyd|octreo|medronate|oxidronate|pentetate|succimer|aggregated"
    r"|\biod|mibg|\bi ?1(23|24|25|31)\b|\b1(23|24|25|31) ?i\b|gallium|\bga ?67|thallium|\btl ?201"
    r"|indium|\bin ?111|\bf ?18\b|fdg|xenon|krypton|cobalt|\bco ?57"
)
# In descriptions only isotopes are searched, since any description may mention a therapy with
# iodine.
_OTHER_ISOTOPE = re.compile(r"\b([ij]|jod|iodine?|iode) ?1(23|24|25|31)\b|\b1(23|24|25|31) ?[ij]\b")
_THYROID = re.compile(r"th?[iy]r[eo]o?[iyï]d|schild|tarczyc|pajzsm|甲状腺|щитов|갑상")
_ANTERIOR = re.compile(r"\bant\b|\bant[eé]ri|\bvorn|\bvorder|\bventral|\bön\b|正面|前|전면|передн")
_OTHER_VIEW = re.compile(
    r"post|lat|obl|\b[lr][ap]o\b|dorsal|medial|hint|arri[eè]re|schr[äa]g|seit|後|后|側|侧|斜|후면|задн|боков"
)

# Cameras by a word in Manufacturer or ManufacturerModelName. Both may contain names of hospitals or
# people, so nothing is copied from them: without a listed word, the camera is "other".
_VENDORS = (
    ("ge", r"\bge\b|general electric|\bgems\b|elscint|elgems"),
    ("siemens", r"siemens"),
    ("philips", r"philips|\badac\b|picker|marconi"),
    ("mediso", r"mediso"),
    ("spectrum_dynamics", r"spectrum dynamics"),
    ("canon", r"canon|toshiba"),
    ("hitachi", r"hitachi"),
    ("mie", r"\bmie\b"),
    ("sopha", r"sopha|\bsmv\b"),
    ("digirad", r"digirad"),
    ("ddd", r"ddd-?diagnostic"),
)
_CAMERAS = (
    "infinia", "discovery", "nm 630", "nm630", "nm 830", "nm 870", "millennium", "varicam",
    "starcam", "maxxus", "hawkeye", "optima", "symbia intevo", "symbia evo", "symbia pro", "symbia",
    "e.cam", "ecam", "diacam", "orbiter", "multispect", "brightview", "precedence", "skylight",
    "forte", "cardiomd", "vertex", "axis", "prism", "irix", "meridian", "anyscan", "nucline",
    "veriton", "d-spect", "gca", "dst", "camstar",
)  # fmt: skip
_COLLIMATORS = (
    ("pinhole", r"pinh"),
    ("lehrs", r"lehrs"),
    ("leuhr", r"leuhr|ultra ?high res.*low energy|low energy ultra"),
    ("lehr", r"lehr|low energy.*high res|high res.*low energy"),
    ("leap", r"leap|legp|low energy.*(all|general) purpose"),
    ("lehs", r"lehs|low energy.*high sens"),
    ("vxgp", r"vxgp|vxhr|vpc"),
    ("elegp", r"elegp"),
    ("megp", r"megp|meap|medium energy|\bme\b"),
    ("hegp", r"hegp|heap|high energy"),
)
# Collimator Type, defined terms of C.8.4.11.1.2.
_COLLIMATOR_TYPES = {
    "PINH": "pinhole", "PARA": "parallel", "FANB": "fan_beam", "CONE": "cone_beam",
    "SLNT": "slant", "ASTG": "astigmatic", "DIVG": "diverging", "NONE": "none",
}  # fmt: skip


def words(*texts: Scalar | None) -> str:
    """Join texts of a header in lower case, with a space for punctuation between words.

    Full-width letters and combining accents become ordinary letters; dotted and dotless Turkish i
    become a plain i.
    """
    joined = unicodedata.normalize("NFKC", " ".join(str(text) for text in texts if text))
    lower = joined.lower().replace("i\u0307", "i").replace("ı", "i")
    return re.sub(r"[\s_\-./^,;:()\[\]+&]+", " ", lower).strip()


def matches(patterns: Sequence[str], text: str) -> bool:
    """Return whether one of the config's regular expressions matches in a text, ignoring case."""
    return bool(text) and any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)


def coded_anterior(detector: Elements) -> bool | None:
    """Return whether the ViewCodeSequence (C.8.4.11) is anterior; None if there is no code."""
    for code in detector.items("ViewCodeSequence"):
        value = code.text("CodeValue") or code.text("LongCodeValue")
        meaning = words(code.text("CodeMeaning"))
        modifiers = code.items("ViewModifierCodeSequence")
        if _OTHER_VIEW.search(words(*(item.text("CodeMeaning") for item in modifiers))):
            return False
        if value in ANTERIOR_CODES:
            return True
        if value in POSTERIOR_CODES or _OTHER_VIEW.search(meaning):
            return False
        if meaning:
            return bool(_ANTERIOR.search(meaning)) or meaning == "ap"
    return None


def names_thyroid(text: str) -> bool:
    """Return whether a description (from `words`) names the thyroid, not only the parathyroid."""
    return bool(_THYROID.search(re.sub(r"para ?th?[iy]r\w*|nebenschild\w*|副甲状腺", "", text)))


def names_photopeak(window: Elements) -> bool:
    """Return whether the name of an energy window (C.8.4.10) names technetium's photopeak."""
    name = words(window.text("EnergyWindowName"))
    return bool(_TC99M.search(name) or re.search(r"peak|primary|\bmain\b|\b140\b", name)) and not (
        re.search(r"scat|streu|\bsc\d?\b|down|low|upper", name)
    )


def names_other_isotope(text: str) -> bool:
    """Return whether a description names an isotope of iodine and not technetium."""
    return bool(_OTHER_ISOTOPE.search(text)) and not _TC99M.search(text)


def is_technetium(drug: Elements) -> bool | None:
    """Return whether a radiopharmaceutical item (C.8.4.10) is technetium-99m pertechnetate.

    Returns
    -------
    bool or None
        False for another radionuclide or tracer; None if the item does not name one.
    """
    tracer = words(
        drug.text("Radiopharmaceutical"),
        *(code.text("CodeMeaning") for code in drug.items("RadiopharmaceuticalCodeSequence")),
    )
    if _OTHER_TRACER.search(tracer):
        return False
    codes = drug.items("RadionuclideCodeSequence")
    values = {code.text("CodeValue") for code in codes} - {""}
    meaning = words(*(code.text("CodeMeaning") for code in codes))
    # Some exporters write the name in place of the code.
    if values & TC99M_CODES or _TC99M.search(meaning) or _TC99M.search(words(*values)):
        return True
    if values or meaning:
        return False
    half_life = drug.number("RadionuclideHalfLife")
    if half_life:
        # Seconds, as the standard says, or minutes or hours, as some exporters write.
        seconds = 60 * physics.TC99M_HALF_LIFE_MIN
        return any(abs(half_life * unit / seconds - 1) < 0.05 for unit in (1, 60, 3600))
    return True if _TC99M.search(tracer) else None


def vendor(header: Elements) -> str | None:
    """Return the camera's manufacturer from a fixed list; None if it is not stated."""
    text = f"{header.text('Manufacturer')} {header.text('ManufacturerModelName')}".lower()
    if not text.strip():
        return None
    return next((name for name, pattern in _VENDORS if re.search(pattern, text)), "other")


def camera(header: Elements) -> str | None:
    """Return the camera's model from a fixed list; None if it is not stated."""
    text = header.text("ManufacturerModelName").lower()
    if not text:
        return None
    return next((name.replace(" ", "_") for name in _CAMERAS if name in text), "other")


def collimator(detector: Elements) -> str | None:
    """Return the collimator of a detector item from a fixed list; None if unknown."""
    kind = detector.text("CollimatorType").upper()
    if kind == "PINH":
        return "pinhole"
    grid = words(detector.text("CollimatorGridName"))
    named = next((name for name, pattern in _COLLIMATORS if re.search(pattern, grid)), None)
    return named or _COLLIMATOR_TYPES.get(kind)
