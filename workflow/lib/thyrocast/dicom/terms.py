"""Coded terms, defined terms and words of nuclear-medicine headers, and their meaning."""

import re
from collections.abc import Sequence

from thyrocast import physics
from thyrocast.dicom import vocabulary
from thyrocast.dicom.elements import Elements
from thyrocast.dicom.text import fold, words
from thyrocast.dicom.vocabulary import Facing

# SOP classes (PS3.4 B.5; the second is retired).
NUCLEAR_MEDICINE = {"1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.5"}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

# Views: CID 26, Nuclear Medicine Projections, and CID 501 (PS3.16), in SNOMED CT and its older SRT
# codes; 99SDM and SNM3 are earlier names of SRT. Anterior, its projection, and antero-posterior.
_ANTERIOR_CODES = {"399321004", "G-5215", "255549009", "G-A105", "399348003", "R-10206"}
_POSTERIOR_CODES = {"399001007", "G-5216", "255551008", "G-A106", "272479007", "R-40888", "R-10214"}
_OTHER_CODES = {
    "399074003", "G-5207", "399108003", "G-5206", "399136008", "G-5209", "399075002", "G-5208",
    "399118008", "G-5223", "399297009", "G-5222", "49370004", "G-A104", "399012007", "G-5220",
    "399300004", "G-5221", "399268006", "G-5224", "399159002", "G-5225", "30730003", "G-A145",
    "399089007", "G-5210", "399273000", "G-5212", "24422004", "G-A147", "62824007", "G-A117",
    "21114003", "G-A472", "399135007", "R-10220", "399356000", "R-40985", "399067008", "R-102CD",
}  # fmt: skip
# Radionuclides: CID 18; radiopharmaceuticals: CID 25 (PS3.16).
_TC99M_CODES = {"72454006", "C-163A8"}
# Iodine-123, -125 and -131, thallium-201, gallium-67, indium-111, fluorine-18, cobalt-57, krypton-81m,
# xenon-133 (CID 18).
_OTHER_NUCLIDE_CODES = {
    "21572004", "C-114A4", "68630002", "C-114A6", "1368003", "C-114B1", "60057003", "C-138A9", "2008008",
    "C-131A2", "56609000", "C-145A4", "77004003", "C-111A1", "27054007", "C-144A3", "61716009", "C-173A5",
    "80751004", "C-172A8",
}  # fmt: skip
_PERTECHNETATE_CODES = {"19495007", "C-B1206"}
_STANDARD_SCHEMES = {"SCT", "SRT", "SNM3", "99SDM", "DCM", "NCIT", "MSH"}

_TC99M = re.compile(
    r"tc ?99|99 ?m? ?tc|t[ec]?[ck]h?ne[ct]|tec?knet|tecnez|teknes|pertec|99 ?m\b|\btco4|\btc\b|технец"
    r"|テクネ|锝|鍀|鎝|테크네|τεχνητ|パーテク|\b140 ?kev"
)
_OTHER_TRACER = re.compile(
    r"mibi|cardiolite|tetrofosmin|myoview|\bmdp\b|\bhdp\b|\bhmdp\b|\bdpd\b|\bpyp\b|pyrophos|\bmaa\b|mag ?3"
    r"|mertiatid|dmsa|dtpa|colloid|kolloid|nanocol|phytat|exametazim|hmpao|bicisat|\becd\b|disida|\bhida\b"
    r"|mebrofenin|technegas|tektrotyd|octreo|edotreotid|hynic|medronat|oxidronat|pentetat|succimer|aggregat"
    r"|albumin|\brbc\b|red cell|erythro|leu[ck]o[ck]|psma|mibg|\b[ij]o[dt]|\bjood|\biyot|\byod|йод|иод|ヨウ素|ヨード|碘"
    r"|요오드|\b[ij] ?1(23|24|25|31)\b|\b1(23|24|25|31) ?[ij]\b|gal+ium|\bga ?6[78]|thal+ium|\btal+io|талли"
    r"|миби|технетрил|технефор|технефит|макротех|пирфотех|бромезид|бутилида|пентатех|нанотех|セスタミビ|テトロホスミン|异腈"
    r"|stamicis|neurolite|ceretec|\w+ocis\b|hepatate|lymphoseek|tilmanocept|sulesomab|besilesomab|scintimun|maraciclat"
    r"|depreotid|cardiotec|teboroxim|pentat|choletec|ehida|\bhedp\b|\bppi\b|\bec\b|ethylenedicyst|glucohept|gluceptat|\bgha\b"
    r"|micro ?(?:sph|esf)|mikrosph|f[iy]tat|[ck]oloid|\bestano\b|stannous|nephromag|leu[ck]os|\w+maa\b|ιωδι|θαλλι|γαλλι"
    r"|галли|\btl ?201|タリウム|ガリウム|indium|\bинди|\bin ?111|\bf ?18\b|fluor|фтор|\bfdg\b|xenon|ксенон"
    r"|\bxe ?133|krypton|криптон|\bkr ?81|[ck]obalt|кобальт|\bco ?57|samari|\bsm ?153|lutet|\blu ?177"
    r"|\b[ck]aesium|\bcs ?137|\bge ?68|\bba ?133|\bam ?241|strontium|\bsr ?89|selen|rhenium|\bre ?18[68]|radium|\bra ?223|\by ?90\b|yttrium"
)
_PERTECHNETATE = re.compile(r"per ?tec|tco4|パーテク|[过高]锝|過テクネ|пертехн|υπερτεχν")
# What a tracer's text may be without naming pertechnetate: a generator, or nothing that is known.
_GENERATOR = re.compile(
    r"generator|eluat|elumatic|ultra ?tec|tekcis|drytec|poltech|technelite|tec[hk]ne|\bnone\b|unknown|unbekannt|inconnu"
    r"|desconocid|sconosciut|bilinmiy|\bother\b|\bna\b|th?[iy]r[eo]"
)
# In descriptions only isotopes are searched, since any description may mention a therapy with
# iodine.
_OTHER_ISOTOPE = re.compile(
    r"\b([ij]|jod|iodine?|iode|iodio|yodo|iodo|jood|jodu?|iyot) ?1(23|24|25|31)\b|\b1(23|24|25|31) ?[ij]\b"
    r"|(?:йод|иод|ιωδιο|ヨウ素|ヨード|碘|요오드) ?1(23|24|25|31)|mibi\b|\bcardiolite\b"
)
# "pre I-131 therapy", "vor Radiojodtherapie I-131", "before RAI 131I": what the scan prepares. After the therapy, and
# in "I-131 therapy scan", the isotope is the tracer.
_ISOTOPE = r"(?:(?:[ij]|jod|iodine?|iode|iodio|yodo|iodo|jood|jodu?|iyot) ?131|131 ?[ij])"
_THERAPY = re.compile(
    r"\b(?:pre|before|avant|vor|antes|prima|voor|przed|oncesi|once) (?:d \w+ |de |del |di |do |the |la |a )?"
    rf"(?:th?era[pf]\w* )?{_ISOTOPE}\b|\b{_ISOTOPE}(?: \w+)? (?:th?era[pf]|tedav|treatm|trait|trat|behand|oncesi)\w*"
    rf"|\b(?:th?era[pf]|tedav|treatm|trait|trat|behand)\w* (?:\w+ )?{_ISOTOPE}\b"
)
_AFTER_THERAPY = re.compile(
    r"\b(?:post|after|nach|apres|dopo|despues|depois|pos|apos|na|po|sonrasi|whole|wb|kontrolle)\b|\bpost(?:th?era[pf]|trat)\w*"
    r"|(?:th?era[pf]\w*|treatment) (?:\w+ )?(?:scan\w*|imag\w*|s[czy]+i?nti\w*|szinti\w*)"
)
# Energy windows of technetium-99m contain 140.5 keV and are at most 30 % wide; those of cobalt-57
# (122 keV) and iodine-123 (159 keV) do not contain it.
_WINDOW_KEV = (119.0, 162.0)

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
_CODED_VIEWS = (
    dict.fromkeys(_ANTERIOR_CODES, Facing.ANTERIOR)
    | dict.fromkeys(_POSTERIOR_CODES, Facing.POSTERIOR)
    | dict.fromkeys(_OTHER_CODES, Facing.OTHER)
)
_CAMERAS = (
    "infinia", "discovery", "nm 630", "nm630", "nm 830", "nm 870", "millennium", "varicam",
    "starcam", "maxxus", "hawkeye", "optima", "symbia intevo", "symbia evo", "symbia pro", "symbia",
    "e.cam", "ecam", "diacam", "orbiter", "multispect", "brightview", "precedence", "skylight",
    "forte", "cardiomd", "vertex", "axis", "prism", "irix", "meridian", "anyscan", "nucline",
    "veriton", "d-spect", "gca", "dst", "camstar",
)  # fmt: skip
# Abbreviations that mean a pinhole in the name of a collimator, but nothing in a description.
_PINHOLE_GRID = re.compile(
    r"\bpin(?!\w)|\bpinol|\bpineh|\bpnhl\b|\b(?:uhr|le|he|me)ph\b|^ph ?\d+ ?(?:mm)?\b"
)
_COLLIMATORS = (
    (
        "pinhole",
        r"pine? ?hol|\bpinh|stenope|(?<!viel)(?<!mehr)(?<!parallel)loch(?:blend|kol|kam)|\botworkow|trou d ?['’]? ?epingle|speldenprik|\bigne del|agujero de alfiler|orificio(?!s)|nadelloch|\bp ?hole|\bmono ?trou|\bcol+ima\w* (?:a )?(?:foro|furo)\b|buraco de agulha|\bpin deli|\bgaatjes|пин ?хол|핀홀|ピンホール|针孔|針孔",
    ),
    ("elegp", r"\belegp|extended (?:low energy|legp|leap)"),
    ("lehrs", r"lehrs"),
    ("leuhr", r"leuhr|ultra ?high res.*low energy|low energy ultra"),
    (
        "lehr",
        r"lehr|low ?en\w* ?(?:.* )?hi\w* ?res|high res.*low energy|\ble hi\w* res|\bhr le\b|\bbehr\b"
        r"|basse energie haute res|niederenerg\w* hochaufl|alta res\w* baja energia",
    ),
    ("leap", r"\bleap|\blega?p|low energy.*(all|general) purpose"),
    ("lehs", r"lehs|low energy.*high sens"),
    ("vxgp", r"vxgp|vxhr|vpc"),
    ("megp", r"megp|meap|medium energy|\bme\b"),
    ("hegp", r"hegp|heap|high energy"),
)
# Abbreviations that are written in parts: LE-HR, L.E.A.P., E-LEGP.
_SPLIT = re.compile(r"\b(?:e ?)?[lmh] ?e ?(?:(?:u ?)?h ?r(?: ?s)?|h ?s|g ?(?:a ?)?p|a ?p)\b")
# Collimator Type, defined terms of C.8.4.11.
_COLLIMATOR_TYPES = {
    "PINH": "pinhole", "PARA": "parallel", "FANB": "fan_beam", "CONE": "cone_beam",
    "SLNT": "slant", "ASTG": "astigmatic", "DIVG": "diverging", "NONE": "none",
}  # fmt: skip


def coded_view(detector: Elements) -> Facing | None:
    """Return the view of a ViewCodeSequence (C.8.4.11), by its code, otherwise by its meaning.

    Many cameras write free text as the meaning. A text that names no view, a code that its meaning
    contradicts, and several codes of different views state nothing.
    """
    found = {
        _coded(code) for code in detector.items("ViewCodeSequence") if not _contradicts_itself(code)
    } - {None}
    return found.pop() if len(found) == 1 else None


def has_contradictory_views(detector: Elements) -> bool:
    """Return whether the items of a ViewCodeSequence name several views, or one does by its code and its meaning."""
    codes = detector.items("ViewCodeSequence")
    found = {_coded(code) for code in codes} - {None}
    return len(found) > 1 or any(map(_contradicts_itself, codes))


def _value(code: Elements) -> str:
    return (code.text("CodeValue") or code.text("LongCodeValue")).upper()


def _contradicts_itself(code: Elements) -> bool:
    coded = _CODED_VIEWS.get(_value(code))
    named = vocabulary.facing(words(code.text("CodeMeaning")))
    return bool(coded and named and coded is not named)


def _coded(code: Elements) -> Facing | None:
    value = _value(code)
    named = vocabulary.facing(words(code.text("CodeMeaning")))
    modifiers = code.items("ViewModifierCodeSequence")
    modified = vocabulary.facing(words(*(item.text("CodeMeaning") for item in modifiers)))
    by_code = {_CODED_VIEWS.get(item.text("CodeValue").upper()) for item in modifiers}
    for other in (Facing.OTHER, Facing.POSTERIOR):
        if other is modified or other in by_code:
            return other
    coded = _CODED_VIEWS.get(value)
    return coded or named or vocabulary.facing(words(value))


def names_photopeak(window: Elements) -> bool:
    """Return whether the name of an energy window (C.8.4.10) names technetium's photopeak."""
    name = words(window.text("EnergyWindowName"))
    return bool(
        _TC99M.search(name) or re.search(r"peak|primary|\bmain\b|\b140\b", name)
    ) and not names_scatter(window)


def names_scatter(window: Elements) -> bool:
    """Return whether the name of an energy window (C.8.4.10) names scattered photons."""
    name = fold(words(window.text("EnergyWindowName")))
    return bool(
        re.search(
            r"scat|streu|diffus|dispers|strooi|rozprosz|sacil|\bsct?\d?\b|down|(?<![fsl])low(?! en)|upper",
            name,
        )
    )


def names_other_nuclide(window: Elements) -> bool:
    """Return whether the name of an energy window (C.8.4.10) names another nuclide than technetium."""
    name = fold(words(window.text("EnergyWindowName")))
    return bool(_OTHER_TRACER.search(name)) and not _TC99M.search(name)


def names_other_isotope(text: str) -> bool:
    """Return whether a description names an isotope of iodine, or sestamibi, and not technetium."""
    plain = fold(text)
    if not _AFTER_THERAPY.search(plain):
        plain = _THERAPY.sub(" ", plain)
    return bool(_OTHER_ISOTOPE.search(plain)) and not _TC99M.search(plain)


def is_technetium(drug: Elements) -> bool | None:
    """Return whether a radiopharmaceutical item (C.8.4.10) is technetium-99m pertechnetate.

    Returns
    -------
    bool or None
        False for another radionuclide or tracer; None if the item names none, or one by a text
        that is not known.
    """
    drugs = drug.items("RadiopharmaceuticalCodeSequence")
    tracer = words(drug.text("Radiopharmaceutical"), *(code.text("CodeMeaning") for code in drugs))
    if _OTHER_TRACER.search(fold(tracer)) or any(map(_is_other_tracer, drugs)):
        return False
    codes = drug.items("RadionuclideCodeSequence")
    values = [code.text("CodeValue") for code in codes if code.text("CodeValue")]
    # Some exporters write the name in place of the code.
    names = fold(words(*(code.text("CodeMeaning") for code in codes), *values))
    if set(values) & _TC99M_CODES:
        return True
    if _TC99M.search(names):
        # A code of another radionuclide contradicts the name: the energy window decides.
        return None if set(values) & _OTHER_NUCLIDE_CODES else True
    if _OTHER_TRACER.search(names) or any(map(_is_standard, codes)):
        return False
    half_life = drug.number("RadionuclideHalfLife")
    if half_life:
        # Seconds, as the standard says, or minutes or hours, as some exporters write.
        seconds = 60 * physics.TC99M_HALF_LIFE_MIN
        return any(abs(half_life * unit / seconds - 1) < 0.05 for unit in (1, 60, 3600))
    return True if _TC99M.search(fold(tracer)) else None


def is_other_technetium(drug: Elements) -> bool:
    """Return whether a radiopharmaceutical item is another tracer of technetium-99m, as sestamibi."""
    codes = drug.items("RadionuclideCodeSequence")
    names = fold(words(*(code.text("CodeMeaning") for code in codes)))
    ours = {code.text("CodeValue") for code in codes} & _TC99M_CODES or _TC99M.search(names)
    return is_technetium(drug) is False and bool(ours)


def is_tracer_unknown(drug: Elements) -> bool:
    """Return whether the tracer is named by a text that neither means pertechnetate nor is left open."""
    tracer = fold(words(drug.text("Radiopharmaceutical")))
    known = _PERTECHNETATE.search(tracer) or _TC99M.search(tracer) or _GENERATOR.search(tracer)
    named = sum(character.isalpha() for character in tracer) > 1
    return named and not known and not is_pertechnetate(drug)


def is_pertechnetate(drug: Elements) -> bool:
    """Return whether a radiopharmaceutical item names pertechnetate, not only technetium."""
    drugs = drug.items("RadiopharmaceuticalCodeSequence")
    tracer = words(drug.text("Radiopharmaceutical"), *(code.text("CodeMeaning") for code in drugs))
    coded = any(code.text("CodeValue") in _PERTECHNETATE_CODES for code in drugs)
    return coded or bool(_PERTECHNETATE.search(fold(tracer)))


def _is_other_tracer(code: Elements) -> bool:
    ours = code.text("CodeValue") in _PERTECHNETATE_CODES | _TC99M_CODES
    named = _PERTECHNETATE.search(fold(words(code.text("CodeMeaning"))))
    return _is_standard(code) and not ours and not named


def _is_standard(code: Elements) -> bool:
    """Return whether a code is of a standard scheme, where each radionuclide has one code."""
    scheme = code.text("CodingSchemeDesignator").upper()
    return bool(code.text("CodeValue")) and scheme in _STANDARD_SCHEMES


def is_photopeak(limits: Sequence[tuple[float, float]]) -> bool:
    """Return whether an energy window (keV) is one of technetium-99m's photopeak, 140.5 keV."""
    low, high = _WINDOW_KEV
    return any(low <= lower <= 140.5 <= upper <= high for lower, upper in limits)


def is_centered(limits: tuple[float, float]) -> bool:
    """Return whether the middle of an energy window (keV) is within 7 % of 140.5 keV.

    A wide window of iodine-123 (159 keV) or cobalt-57 (122 keV) may contain 140.5 keV, but is
    centered elsewhere.
    """
    return abs(sum(limits) / 2 - 140.5) <= 0.07 * 140.5


def is_simulated(header: Elements) -> bool:
    """Return whether a header says that the image is simulated."""
    names = ("ImageComments", "Manufacturer", "ManufacturerModelName")
    return any("simulat" in header.text(name).lower() for name in names)


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


def named_collimator(detector: Elements) -> str | None:
    """Return the collimator of a detector item by its name; None if only its type, such as parallel, is stated."""
    found = collimator(detector)
    return None if found in set(_COLLIMATOR_TYPES.values()) - {"pinhole"} else found


def collimator(detector: Elements, description: str = "") -> str | None:
    """Return the collimator of a detector item from a fixed list; None if unknown.

    Parameters
    ----------
    detector
        The item of the detector.
    description
        Descriptions of the series and the protocol, as `text.words` returns them, where a pinhole
        is often named although the detector's item says PARA, the default of exporters.
    """
    kind = detector.text("CollimatorType").upper()
    pinhole = re.compile(_COLLIMATORS[0][1])
    if kind.startswith("PINH") or pinhole.search(fold(description)):
        return "pinhole"
    grid = _SPLIT.sub(
        lambda found: found[0].replace(" ", ""),
        fold(words(detector.text("CollimatorGridName"), kind)),
    )
    if _PINHOLE_GRID.search(grid):
        return "pinhole"
    named = next((name for name, pattern in _COLLIMATORS if re.search(pattern, grid)), None)
    return named or _COLLIMATOR_TYPES.get(kind)
