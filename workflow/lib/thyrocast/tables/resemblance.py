"""Which of our columns another column of a center's table looks like, by its name and its cells."""

import re
import unicodedata
from collections.abc import Sequence

from thyrocast.contract.text import fold
from thyrocast.tables.codes import NO, YES
from thyrocast.tables.dates import ORDERS, parse_date, possible_orders
from thyrocast.tables.units import split_unit

# Words of column names in English, German, French, Spanish, Italian, Portuguese, Dutch, Polish and
# Turkish, without accents, by config key.
_EARLIER = r"(prev|prior|earlier|fruh|vorher|vorang|\bvor|anter|preced|onceki|wczesn|eerder)"
_IODINE = r"(\brai|\brjt|\brit\b|i-?131|radio|iod|yod|jod)"
_SURGERY = r"(surg|\bop\b|operat|thyr\w*ectom|tir\w*ectom|chirurg|cirug|ameliyat)"
_NAMES = {
    "columns.patient": r"pat(ient)?(en|e|in)?[ ._-]*(id|nr|no|num|code)|\bmrn\b|\bid\b|historia|dossier|hasta ?no|kimlik|"
    r"identifi|numer pacjenta|\bipp\b|prontuario",
    "columns.therapy_date": r"(therap|treat|behandl|trait|tratam|tratt|terapi|tedavi|leczeni|rai|rit|i-?131).*"
    r"(date|datum|fecha|\bdata\b|tarih|\bam\b|\bon\b|\bdt\b)|"
    r"(date|datum|fecha|\bdata\b|tarih).*(therap|treat|behandl|trait|tratam|tratt|terapi|tedavi|rai|i-?131)",
    "columns.birth_date": r"birth|\bdob\b|geb(urts|\b|\.)|naiss|\bnac\b|nacim|\bnee?\b|\bne\(e\)|nascit|nascim|dogum|urodz|geboorte",
    "columns.sex": r"\bsex|\bgender|geschlecht|\bsesso|\bsexo|cinsiyet|plec|geslacht|genere",
    "columns.age": r"\bage\b|\balter\b|\bedad\b|\beta\b|\bidade\b|\byas\b|\bwiek\b|leeftijd",
    "columns.gland_mass": r"(gland|thyroid|schilddr|thyr|tiroid|tireoid|tarczyc|schildklier).*"
    r"(mass|vol|weight|gewicht|poids|peso|hacim|size)|\bvolum|(mass|weight|gewicht|peso|poids).*(thyr|tiroid|schild)",
    "columns.uptake_24h": r"uptake|\braiu|captac|captation|captaz|captacao|tutulum|wychwyt|opname|\bfix\w* 24|speicher",
    "columns.activity": r"activ|aktiv|attivita|ativid|\bdos[eis]|\bmbq|\bmci|aktywn|\bdawk",
    "columns.trab": r"trab|\btrak\b|\btsi\b|\btbii\b|rezeptor|receptor|recepteur",
    "columns.ft4": r"\bf?-? ?t4\b|free t4|freies t4|\bt4 ?l|thyroxin|tiroxin|ft4",
    "columns.ft3": r"\bf?-? ?t3\b|free t3|freies t3|\bt3 ?l|triio|trijod|ft3",
    "columns.antithyroid_drug": r"antithyr|anti-thyr|thyreostat|antitiroid|\batd\b|\bmmi\b|methimaz|metimaz|"
    r"thiamaz|carbimaz|\bptu\b|tyreosta|strumazol",
    "columns.withdrawal_days": r"withdraw|absetz|abgesetzt|arret|suspens|sin antitiro|kesilme|odstaw|stop.*(day|atd)|"
    r"(day|tage|jours|dias|giorni|gun).*(off|ohne|sans|sin|senza|without)",
    "columns.orbitopathy": r"orbitop|ophthalmop|oftalmop|ophtalmop|exophth|\beo\b|\bgo\b|orbitopat|oftalmopat",
    "columns.smoking": r"smok|rauch|taba[cgk]|fum[aeo]|sigara|palen|roken|palacz|tytoń",
    "columns.outcome": r"outcome|result|erfolg|respuesta|reponse|esito|risultato|wynik|sonuc|resultado|cured|remission|"
    r"uitkomst|heilung",
    "outcome.visits.date": r"(visit|follow|kontroll|visite|control|suivi|visita|kontrol|wizyt).*(date|datum|fecha|data|tarih)",
    "outcome.visits.tsh": r"\btsh\b",
    "outcome.visits.levothyroxine": r"levothyr|levotir|l-?thyrox|\blt4\b|euthyrox|eutirox",
    "outcome.death": r"\bdeath|deceas|\bdied|verstorb|\btod\b|deces|fallec|muerte|decesso|olum\b|zgon|overled",
    "eligibility.diagnosis.column": r"diagnos|\bdx\b|\bicd|etiolog|atiolog|\btani\b|rozpozn",
    "eligibility.earlier_radioiodine.column": rf"{_EARLIER}.*{_IODINE}|{_IODINE}.*{_EARLIER}",
    "eligibility.earlier_surgery.column": rf"{_EARLIER}.*{_SURGERY}|{_SURGERY}.*{_EARLIER}",
    "eligibility.pregnancy.column": r"pregnan|schwanger|enceinte|grossesse|embaraz|gravid|gebelik|ciaz|zwanger",
    "eligibility.therapy_number.column": r"(therap|\brai|\brjt|\brit|treat|\bcure|tratam|tedavi).*"
    r"(\bno\b|\bnr\b|number|nummer|numero)|(\bno\b|\bnr\b|number|nummer|numero).*(therap|\brai|\brjt|treat|cure)",
    "outcome.second_treatment": r"(second|2nd|zweit|deuxi|segund|second[ao]|ikinci|drug[ai]).*(therap|rai|treat|trait|"
    r"tratam|behandl|tedavi|terapi)|thyroidectom|tiroidectom|\bop\b|surgery|chirurg",
}  # fmt: skip
_PATTERNS = {key: re.compile(pattern) for key, pattern in _NAMES.items()}
# Number of cells from which a column looks like something, and their share that must be alike.
_LEAST, _MOST = 3, 0.8
_SEXES = {"f", "m", "w", "female", "male", "mujer", "varon", "homme", "femme", "k", "e", "v", "h"}
_UNITS = {"mci": "columns.activity", "mbq": "columns.activity", "gbq": "columns.activity"}


def by_name(header: str) -> list[str]:
    """Return the config keys whose column a name looks like, in nine languages."""
    letters = unicodedata.normalize("NFD", header.casefold().replace("ı", "i"))
    name = "".join(c for c in letters if not unicodedata.combining(c)).replace("_", " ")
    return [key for key, pattern in _PATTERNS.items() if pattern.search(name)]


def by_content(texts: Sequence[str]) -> list[str]:
    """Return the config keys whose column most of the cells look like."""
    filled = [text for text in texts if text]
    if len(filled) < _LEAST:
        return []
    share = _MOST * len(filled)
    if sum(map(_is_date, filled)) >= share:
        return ["columns.therapy_date", "columns.birth_date", "outcome.visits.date"]
    if len({fold(text) for text in filled}) > 1 and all(fold(text) in _SEXES for text in filled):
        return ["columns.sex"]
    if sum(fold(text) in YES | NO for text in filled) >= share:
        return ["columns.orbitopathy", "columns.outcome", "outcome.second_treatment"]
    units = [split_unit(text)[1].casefold() for text in filled]
    return [key for unit, key in _UNITS.items() if units.count(unit) >= share]


def _is_date(text: str) -> bool:
    if possible_orders(text):
        return True
    if text.strip().isdigit():  # a number that could count days
        return False
    try:
        parse_date(text, ORDERS[0], birth=True)
    except ValueError:
        return False
    return True
