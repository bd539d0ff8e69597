"""Coded terms, defined terms and words of nuclear-medicine headers, and what they mean here."""

import re
import unicodedata
from typing import Any

# SOP classes (PS3.4 B.5; the second is retired).
NUCLEAR_MEDICINE = {"1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.5"}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

# Views: CID 26, Nuclear Medicine Projections (PS3.16), in SNOMED CT and its older SRT codes.
ANTERIOR_CODES = {"399321004", "G-5215", "255549009", "R-10206"}
POSTERIOR_CODES = {"399001007", "G-5216", "255551008", "R-10214"}
# Radionuclides: CID 18 (PS3.16).
TC99M_CODES = {"72454006", "C-163A8"}
TC99M_HALF_LIFE_S = 21_624.0

_TC99M = re.compile(r"tc ?99|99 ?m? ?tc|technet|tecnec|pertec|99m|tco4|\btc\b")
_OTHER_TRACER = re.compile(
    r"mibi|tetrofosmin|\bmdp\b|\bhdp\b|\bdpd\b|\bmaa\b|mag ?3|dmsa|dtpa|colloid|kolloid|exametazime"
    r"|hmpao|tektrotyd|octreo|medronate|oxidronate|pentetate|succimer|aggregated"
    r"|\biod|mibg|\bi ?1(23|24|25|31)\b|\b1(23|24|25|31) ?i\b|gallium|\bga ?67|thallium|\btl ?201"
    r"|indium|\bin ?111|\bf ?18\b|fdg|xenon|krypton|cobalt|\bco ?57"
)
# In descriptions only isotopes count: a therapy with iodine may stand in any of them.
_OTHER_ISOTOPE = re.compile(r"\b([ij]|jod|iodine?|iode) ?1(23|24|25|31)\b|\b1(23|24|25|31) ?[ij]\b")
_THYROID = re.compile(r"th?[iy]r[eo]o?[iyï]d|schild|tarczyc|pajzsm|甲状腺|щитов|갑상")
_ANTERIOR = re.compile(r"\bant\b|\bant[eé]ri|\bvorn|\bvorder|\bventral|\bön\b|正面|前|전면|передн")
_OTHER_VIEW = re.compile(
    r"post|lat|obl|\b[lr][ap]o\b|dorsal|medial|hint|arri[eè]re|schr[äa]g|seit|後|后|側|侧|斜|후면|задн|боков"
)

# Cameras by a word in Manufacturer or ManufacturerModelName. Names of hospitals and people can
# stand in either, so nothing of them is copied: a word that is not listed becomes "other".
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


def words(*texts: Any) -> str:
    """Texts of a header in lower case, joined, with every mark that joins words made a space.

    Full-width letters and accents written apart become the usual ones, the Turkish i with or
    without its dot a plain one.
    """
    joined = unicodedata.normalize("NFKC", " ".join(str(text) for text in texts if text))
    lower = joined.lower().replace("i\u0307", "i").replace("ı", "i")
    return re.sub(r"[\s_\-./^,;:()\[\]+&]+", " ", lower).strip()


def matches(patterns: list[str], text: str) -> bool:
    """Whether one of the config's regular expressions is found in a text, whatever its case."""
    return bool(text) and any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)


def view_of_code(item: dict[str, Any]) -> str | None:
    """View of a detector item's ViewCodeSequence (C.8.4.11): anterior, other, or None if unsaid."""
    for code in items(item, "ViewCodeSequence"):
        value = code.get("CodeValue") or code.get("LongCodeValue")
        meaning = words(code.get("CodeMeaning"))
        modifiers = items(code, "ViewModifierCodeSequence")
        if _OTHER_VIEW.search(words(*(m.get("CodeMeaning") for m in modifiers))):
            return "other"
        if value in ANTERIOR_CODES:
            return "anterior"
        if value in POSTERIOR_CODES or _OTHER_VIEW.search(meaning):
            return "other"
        if meaning:
            return "anterior" if _ANTERIOR.search(meaning) or meaning == "ap" else "other"
    return None


def names_thyroid(text: str) -> bool:
    """Whether a description (as `words` gives it) is of the thyroid, not the parathyroid alone."""
    return bool(_THYROID.search(re.sub(r"para ?th?[iy]r\w*|nebenschild\w*|副甲状腺", "", text)))


def names_photopeak(window: dict[str, Any]) -> bool:
    """Whether an energy window (C.8.4.10) without limits is technetium's photopeak by its name."""
    name = words(window.get("EnergyWindowName"))
    return bool(_TC99M.search(name) or re.search(r"peak|primary|\bmain\b|\b140\b", name)) and not (
        re.search(r"scat|streu|\bsc\d?\b|down|low|upper", name)
    )


def names_other_isotope(text: str) -> bool:
    """Whether a description names an isotope of iodine and not technetium."""
    return bool(_OTHER_ISOTOPE.search(text)) and not _TC99M.search(text)


def radionuclide_of(item: dict[str, Any]) -> str | None:
    """What a radiopharmaceutical item (C.8.4.10) is: tc99m, other, or None if it does not say."""
    tracer = words(
        item.get("Radiopharmaceutical"),
        *(c.get("CodeMeaning") for c in items(item, "RadiopharmaceuticalCodeSequence")),
    )
    if _OTHER_TRACER.search(tracer):
        return "other"
    codes = items(item, "RadionuclideCodeSequence")
    values = {c.get("CodeValue") for c in codes} - {None}
    meaning = words(*(c.get("CodeMeaning") for c in codes))
    # Some exporters write the name where the code belongs.
    if values & TC99M_CODES or _TC99M.search(meaning) or _TC99M.search(words(*values)):
        return "tc99m"
    if values or meaning:
        return "other"
    half_life = number(item.get("RadionuclideHalfLife"))
    if half_life:
        # Seconds, as the standard says, or minutes or hours, as some exporters write.
        near = (abs(half_life * unit / TC99M_HALF_LIFE_S - 1) < 0.05 for unit in (1, 60, 3600))
        return "tc99m" if any(near) else "other"
    return "tc99m" if _TC99M.search(tracer) else None


def vendor(record: dict[str, Any]) -> str | None:
    """The camera's maker, one of a fixed list of words."""
    text = f"{record.get('Manufacturer') or ''} {record.get('ManufacturerModelName') or ''}".lower()
    if not text.strip():
        return None
    return next((name for name, pattern in _VENDORS if re.search(pattern, text)), "other")


def camera(record: dict[str, Any]) -> str | None:
    """The camera's model, one of a fixed list of words."""
    text = str(record.get("ManufacturerModelName") or "").lower()
    if not text:
        return None
    return next((name.replace(" ", "_") for name in _CAMERAS if name in text), "other")


def collimator(item: dict[str, Any]) -> str | None:
    """The collimator of a detector item, one of a fixed list of words."""
    kind = str(item.get("CollimatorType") or "").upper()
    if kind == "PINH":
        return "pinhole"
    grid = words(item.get("CollimatorGridName"))
    named = next((name for name, pattern in _COLLIMATORS if re.search(pattern, grid)), None)
    return named or _COLLIMATOR_TYPES.get(kind)


def number(value: Any) -> float | None:
    """A positive number of a header; None where it is empty, zero or no number."""
    if isinstance(value, list):
        value = value[0] if value else None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if 0 < found < float("inf") else None


def items(item: dict[str, Any], keyword: str) -> list[dict[str, Any]]:
    """Items of a sequence; none where it is missing or no sequence."""
    value = item.get(keyword)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def as_list(value: Any) -> list[Any]:
    """A value, several or none of them, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
