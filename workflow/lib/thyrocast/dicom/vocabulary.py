"""What words in a description mean, in the languages of European and East Asian exports.

All patterns are for `text.fold` of `text.words`: lower case, no accents, spaces for punctuation.
"""

import re
from enum import StrEnum

from thyrocast.dicom.text import fold


class Facing(StrEnum):
    """Side of the patient that a detector sees."""

    ANTERIOR = "anterior"
    POSTERIOR = "posterior"
    OTHER = "another view"


class Syringe(StrEnum):
    """Image of a dose syringe: before or after injection, or not stated which."""

    FULL = "full"
    RESIDUAL = "residual"
    UNKNOWN = "unknown"


# "Post" that means "after": 20 min post inj, post therapy, post 20 min.
_TIME = r"\d+ ?(?:min\w*|mn|m|h\w*|std\w*|sec\w*|s|uur|uren|ore|godz\w*|saat|dk)"
# Seconds are the duration of a frame, not the time since the injection.
_LATER = _TIME.replace("|sec\\w*", "").replace("|s|", "|")
_AFTER = re.compile(
    # Spanish and Portuguese "posterior a la inyección"
    r"\bposterior(?:mente|es)? (?:a|al|ao|as?)(?: la| las| el| los)? (?:in[jyg]|adm|ter|trat|rad|yod|iod|dos|cir)\w*|"
    rf"\bp(?:ost)? ?(?:the )?(?:inj\w*|inyec\w*|iniez\w*|enjek\w*|op\b|oper\w*|ther\w*|terap\w*|rad\w*|rai\b"
    rf"|i ?131|treat\w*|trait\w*|trat\w*|tto|tx|surg\w*|chir\w*|cerr\w*|thyroidec\w*|tiroidec\w*|ablat\w*"
    r"|water|drink\w*|swallow\w*|meal|carbim\w*|thiamaz\w*|methimaz\w*|ptu\b|perchl\w*|kclo\w*|void\w*|tsh\b"
    rf"|stim\w*|admin\w*|dos[ei]\w*|{_LATER})|\b{_LATER} (?:p|post|after|nach|apres|dopo|depois|despues|na|po)\b"
)
_OBLIQUE_WORD = (
    r"(?:obl\w*|skos\w*|ukosn\w*|schra?e?g\w*|schuin\w*|egik|кос(?:ая|ои|ую|ых?)|λοξ\w*)"
)
_SIDE = (
    r"(?:left|right|links\w*|rechts\w*|gauche|droite|izq\w*|der\w*|sin\w*|des\w*|esq\w*|dir\w*|lew\w*|praw\w*|sol|sag"
    r"|лев\w*|прав\w*|αριστ\w*|δεξι\w*)"
)
_FRONT_WORD = r"(?:ant(?:er\w*)?|przedni\w*|vorde?\w*|ventral\w*|on|ön|voor\w*|передн\w*|προσθ\w*)"
# An oblique view whose words contain "anterior": left anterior oblique, oblique antérieure gauche.
_OBLIQUE_PHRASE = re.compile(
    rf"\b{_FRONT_WORD} (?:{_SIDE} )?{_OBLIQUE_WORD}|\b{_OBLIQUE_WORD} (?:{_SIDE} )?{_FRONT_WORD}\b"
    rf"|\b(?:{_FRONT_WORD} )?(?:links|rechts)(?:vorn|vorder\w*|voor)\w*"
    # anterolateral; three quarters
    rf"|\bantero ?later\w*|\b3 4 (?:{_FRONT_WORD} )?{_SIDE}\b|\btrois quarts?\b|\bdreiviertel\w*|\bsemi ?profil\w*"
)
# "Left anterior" may be an oblique view or the left part of an anterior one: it states nothing.
# Antero-posterior and postero-anterior name the side of the source, then that of the detector in
# radiography; in nuclear medicine AP is the anterior view.
# French "face" is a side of the body: face antérieure, but also face postérieure.
_AP = (
    (
        re.compile(
            r"\bantero ?poster\w*|前[后後]位|^a p\b|\ba p$|\bprzednio ?tyln\w*|передне ?задн\w*"
            r"|προσθι?ο* ?ο?πισθ\w*"
        ),
        " anterior ",
    ),
    (
        re.compile(
            r"\bpostero ?anter\w*|[后後]前位|^p a\b|\bp a$|\btylno ?przedn\w*|задне ?передн\w*|οπισθο ?προσθ\w*"
        ),
        " posterior ",
    ),
    (re.compile(r"\bface (?=post|dors|lat|obl|arriere|profil|gauche|droite)"), " "),
)
_SIDED_FRONT = r"(?:ant(?:er\w*)?|vorne?|ventral|przedni\w*|przod|on)"
_SIDED_SIDE = (
    r"(?:left|right|lt|rt|links|rechts|gauche|droite?|izq\w*|derech\w*|sx|dx|sinist\w*|destr\w*|esq\w*|direit\w*|lew[aey]\w*"
    r"|praw\w*|sol|sag)"
)
# "ANT left lobe" is an anterior view; "injection left arm" is no view.
_SIDED = re.compile(
    rf"\b{_SIDED_SIDE} {_SIDED_FRONT}(?![a-z])|\b{_SIDED_FRONT} {_SIDED_SIDE}\b(?! ?(?:lob|lappen|kwab|plat|arm|hand|main|mano|bras))"
)
# "LAO anterior neck": the part of the body, not the view.
_FRONT_OF_NECK = re.compile(r"\banter\w* (?:neck|cervi\w*|hals)\b|\b(?:collo|cou|cuello) anter\w*")
# "45° left", "links 45", "ANT 45 deg": an angle that is no longer anterior.
_HAND = (
    r"(?:left|right|lt|rt|links|rechts|li|re|l|r|gauche|droite|izq\w*|derech\w*|sx|dx|sinistr\w*|destr\w*|esquerd\w*"
    r"|direit\w*|lew\w*|praw\w*|sol|sag)"
)
_DEGREES = r"[3-7][05]"
_ANGLE = re.compile(
    rf"\b{_DEGREES} ?(?:°|o\b|deg\w*|grad\w*|graus?\b|stopni|derece)"
    rf"|\b{_DEGREES} ?°? ?{_HAND}\b(?! ?\d)|\b{_HAND} ?{_DEGREES}\b(?! ?[a-z\d%])"
)
_OTHER = re.compile(
    # LAO, RPO, L.A.O.; French OAG, OAD; Spanish OAI; Italian OAS; Portuguese OAE; Dutch LVO
    r"\b[lr] ?[ap] ?o(?![a-z])|\bo ?a ?[gdise](?![a-z])|\bop[gis](?![a-z])|\b[lr]vo(?![a-z])"
    # ANTOBL, LAOBL; French OBG, OBD
    rf"|\b{_OBLIQUE_WORD}|\b(?:[lr]?ant|[lr]?post|[lr][ap]o?)obl\w*|\bob[gd]\b|\blat(?:eral\w*|eraal)?(?![a-z])|\b[lr]lat\b|\bseitlich\w*|\bseitenans\w*"
    r"|\bprofil\w*|\bperfil\b|\bboczn\w*|\bbok\b|\byan(?:dan)?\b|\bzij(?:kant|aanzicht)\b|\bvertex\b"
    r"|\bmedial\w*|\bsagit\w*|^[lr]l$|側|侧|斜|측면|боков|\bбок\b|косая|косои|πλαγι"
)
# Words that are joined to an abbreviation: AntStatic, POSTVIEW, ThyroidAnt.
_JOINED = r"(?:view|static|stat|image|img|proj|planar|thyroid|thyr|thy|neck)(?![a-z])"
_BEFORE = r"(?:thyroid|thyroide|thyr|thy|static|stat|neck|planar)"
_POSTERIOR = re.compile(
    rf"\bpost(?:er\w*)?(?![a-z])|\bpost{_JOINED}|\b{_BEFORE}post(?![a-z])|\b(?:thyroide|cou|statique) dos\b"
    r"|\bdos (?:thyroide|cou)\b|\bdos \d+ ?(?:min|mn)\b|\ba?tras$|\bde tras\b|\bdors(?:al\w*|o)\b|\bhint(?:en|er\w*)\b|\bru?e?ck(?:en)?(?:ansicht|seite|aufnahme)?\b|\barriere\b"
    r"|\btyln\w*|\btyl\b|\btylu\b|\barka(?:dan)?\b|\bachter(?:kant|zijde|aanzicht)\b|\bde dos\b|^dos$|\bpa\b"
    r"|\bsirt(?:tan)?\b|\brug(?:zijde|aanzicht)\b|\bespalda\b|\bschiena\b|\bcostas\b|\bplec(?:y|ow)\b"
    r"|\btraser\w*|後面|后面|背面|後位|后位|후면|задн|сзади|οπισθ"
)
_ANTERIOR = re.compile(
    rf"\bant(?:er\w*|t)?(?![a-z])|\bant{_JOINED}|\b{_BEFORE}ant(?![a-z])|\bventral\w*|\bvorn\w*|\bvorder\w*|\b(?:de )?face(?![a-z])|\bfront(?:al\w*|e|view)?\b|\bfrente\b"
    r"|\bprzedn\w*|\bprzod\w*|\bvoor(?:kant|zijde|aanzicht|waarts)\b|\bonden\b|\bon (?:gor[un]\w*|cephe|projeksiyon)"
    r"|\bap\b|正面|前面|前位|전면|передн|спереди|προσθ|\bpredn[iy]\b|\bpredozadn\w*|\belulso\b"
)


def facing(text: str) -> Facing | None:
    """Return the view that a text (from `text.words`) names; None if it names none, or several."""
    named = facings(text)
    return named[0] if len(named) == 1 else None


def facings(text: str) -> list[Facing]:
    """Return the views that a text (from `text.words`) names."""
    plain = _AFTER.sub(" ", fold(text))
    for pattern, view in _AP:
        plain = pattern.sub(view, plain)
    if _ANGLE.search(plain):
        return [Facing.OTHER]
    oblique = _OBLIQUE_PHRASE.search(plain)
    rest = _SIDED.sub(" ", _OBLIQUE_PHRASE.sub(" ", plain))
    # Folded, the Turkish word for "front" is the English "on"; it counts only with its accent.
    accented = bool(re.search(r"\bön\b", text)) and not oblique
    is_other = bool(oblique or _OTHER.search(rest))
    if is_other:
        rest = _FRONT_OF_NECK.sub(" ", rest)
    found = {
        Facing.OTHER: is_other,
        Facing.POSTERIOR: bool(_POSTERIOR.search(rest)),
        Facing.ANTERIOR: bool(_ANTERIOR.search(rest)) or accented,
    }
    return [view for view, is_named in found.items() if is_named]


_PARATHYROID = (
    r"\bepithelkorper\w*|\bepithelkoerper\w*|\b(?:hyper|hypo|hiper|hipo|iper|ipo)?para ?th?[iy]r\w*|\b(?:hiper|hipo|iper|ipo)?paratir\w*|\bparath\w*|nebenschild\w*|bijschild\w*|przytarczyc\w*|副甲状腺|甲状旁腺"
    r"|паращит\w*|околощит\w*|부갑상선|παραθυρ\w*"
)
_THYROID = re.compile(
    r"th?[iy]r[eo]o?[iy]d|schilddr|\bschildklier|tarczyc|pajzsm|stitn|甲状腺|щитов|갑상|θυρεοειδ"
)

#: The kind of image that may also show the thyroid.
PARATHYROID = "the parathyroid glands"
#: What an image shows instead of the thyroid, and the words that say so.
EXCLUDED = {
    "a marker image": r"\bmark(?:er\w*|s|ed|en?|iert\w*|ierung\w*|a)?\b|\bgemarkeerd\w*|\bmarqu(?:eur\w*|ees?|e)\b"
    r"|\bmarca(?:t[aeio]|d[ao]s?)?\b|\bfourchette\b|\bjugulum\b|\byugulum\b|\bhorquilla\b|\bmanubri\w*|\bma?rkr?\b|\bma?r?krs?\b|\bmrk\b|\bsternal notch\b|\bfurcula\b|\bgiugul\w*|\bjug\b|\bincisur\w*|\bx[iy]phoid\w*|\bcartilag\w*|\bmarcador\w*|\bmarcator\w*"
    r"|\breperes?\b|\bznacznik\w*|\bisaret(?:li|leme)?\b|\bssn\b|\bsuprasternal\w*|マーカー|标记|маркер|\bσημαδ\w*",
    "a transmission image": r"\btransm(?:ission\w*|ision\w*|issao|issie|isja)?\b|\battenuation\b|\bct ?ac\b",
    "a whole-body image": r"\bwhole ?body\b|\bganzk\w*|\bcorps entier\b|\bcuerpo (?:entero|completo)\b"
    r"|\btotal body\b|\bcorpo int\w*|\bcorporal\b|\b(?:hele|gehele|tota(?:le?|al)) lichaam\w*"
    r"|\bcal\w* cial\w*|\btum vucut\b|\bwb\b|\bbalayage\b|\bscopie corps\b|全身|전신|вс(?:его|е) тел[ао]|\bwbs\b|\bbody ?scan\w*|\bολοσωμ\w*",
    "a phantom or a quality control": r"\bphantom\w*|\bfantom\w*|\bfantoom\w*|\bflood\w*|\buniformi\w*"
    r"|\bhomogenitat\w*|\bhomojenite\w*|\bjednorodnosc\w*|\bq[ca]\b|\bquality (?:control|assurance)\b"
    r"|\bcontrol\w* (?:de |di )?(?:la )?(?:qualit\w*|calidad|qualidade)\b|\bqualitats\w*"
    r"|\bkwaliteits\w*|\bkontrol\w* jakosci\b|\bkalite kontrol\w*|\bco ?57\b|\bdaily check\b|\bcalibrat\w*|\bkalibr\w*|\bcalibra[cz]\w*|\beichung\w*|\betalonn?\w*"
    r"|\bcenter of rotation\b|\bjaszczak\b|\bintrinsic\w*|\blinearit\w*|\bcdq\b|\bkonstanz ?(?:pr\w+|test\w*|mess\w*|kontr\w*|aufn\w*)|\b(?:std|standard) source\b|ファントム|фантом|体模|模体|\bομοιωμ\w*",
    PARATHYROID: rf"{_PARATHYROID}|\bpth\b|\w*mibi\b|\bcardiolite\b",
    "a sentinel node": r"\bsentin\w*|\bcentinel\w*|\bwachterl\w*|\bschildwacht\w*|\bwartownicz\w*|\blymph\w*"
    r"|\blinf[oa]\w*|\blimf[oa]\w*|\blenf\w*|\bsln\b|\bwaechterl\w*|\blymf\w*|\bgangli\w*|\bwezl\w* chlon\w*|リンパ|淋巴|лимф|\bλεμφ\w*",
    "the bones": r"\bbones?\b|skelet\w*|\bsquelet\w*|\besquelet\w*|\bscheletr\w*|\bszkielet\w*|\bknochen\w*"
    r"|\bosse(?:us\w*|ux|[ao]s?)\b|\bosea?s?\b|\boseo\b|\bossos?\b|\bskel\b|\bhueso\w*|\bbot(?:ten|scan\w*|scint\w*)\b|\bkosci\w*"
    r"|\bkosc\b|\bkostn\w*|\bgelenk\w*|\bgewricht\w*|\barticul\w*|\barticola\w*|\bstaw(?:y|ow\w*)\b|\beklem\w*|\bkemi[gk]\w*|骨|кост[ие]\w*|뼈|скелет\w*|\bостео\w*|\bοστ(?:α|ων|ου|ικ\w*|εο\w*)\b|σκελετ\w*",
    "the kidneys": r"\brenal\w*|\bkidneys?\b|\bniere\w*|\bnier(?:scint\w*|scan\w*)?\b|\breins?\b|\brinon\w*"
    r"|\breni\b|\brins\b|\bnerk\w*|\bnerek\b|\bbobrek\w*|\bdmsa\b|\bmag ?3\b|\breno ?(?:gr\w*|scint\w*|szint\w*|scyn\w*)|\burin\w*|\bdiuret\w*|\blasix\b|\bne(?:ph|f)ro\w*|腎|肾|\bпочек|\bпочк|신장|\bнефро\w*|\bрено(?:гра|сцин)\w*|\bνεφρ\w*",
    "the lungs": r"\blungs?\b|\blunge\w*|\bpulm\w*|\bpoumons?\b|\bpolmon\w*|\blong(?:en|scan\w*|perf\w*|scint\w*|vent\w*|onderz\w*)\b|\bventila\w*"
    r"|\bpluc\w*|\bakciger\w*|\bv ?q\b|\bkrypton\b|\bkr ?81\w*|肺|легк|легоч|폐|\bπνευμον\w*",
    "the heart": r"\bheart\b|myo[ck]ard\w*|\bmiocard\w*|\bmiy?okard\w*|\bcardi[ao]\w*|\bkardi[ao]\w*|\bherz(?!og|b[eo]rg|feld|ig)\w*"
    r"|\bcoeur\b|\bcorazon\b|\bcuore\b|\bcoracao\b|\bhartscan\w*|\bserc[ae]\b|\bkalp\b|\bmuga\b"
    r"|ventri[ck]ul\w*|\brnv\b|\berna\b|心筋|心肌|心臓|心脏|심장|심근|сердц|миокард|καρδι\w*",
    "another part of the body": r"\babdom\w*|\bpelvi\w*|\bbecken\w*|\bbassin\b|\bbacino\b|\bbacia\b|\bbekken\w*|\bmiednic\w*|\bbuik\b|\bbrzuch\w*"
    r"|\bhands?\b(?! up\b)|\bhanden\b|\bdlon\w*|\bmaos\b|\belbows?\b|\bbauch\w*|\bvientre\b|\baddom\w*|\bfeet\b|\bfoot\b|\bknees?\b|\bskull\b|\bspine\b|\bhips?\b|\bmains\b|\bpieds\b|\bgenou\w*"
    r"|\brachis\b|\bhande\b|\bfusse\b|\bknie\w*|\bschadel\w*|\bcrane\b|\bwirbels\w*|\bschaedel\w*|\bhaende?\b|\bfuesse\b|\bhueft\w*|\bmanos\b|\brodilla\w*|\bcraneo\b"
    r"|\bpiedi\b|\bginocch\w*|\bcranio\b|\bjoelho\w*|\bvoeten\b|\bschedel\w*|\bwervel\w*|\bkolan\w*|\bczaszk\w*"
    r"|\bkregosl\w*|\bayak\w*|\bkafatas\w*|\bomurga\w*"
    r"|\bhanches?\b|\bhuft\w*|\bcaderas?\b|\banc(?:a|he)\b|\bquadril\b|\bheup\w*|\bbiodr\w*|\bkalca\w*"
    r"|\bbladder\b|\bvessie\b|\b(?:harn)?blase\w*|\bvejiga\b|\bvescic\w*|\bbexiga\b|\bblaas\b|\bpecherz\w*|\bmesane\b"
    r"|\b[cz][iy]sto(?:gra|szint|scint)\w*|\bbowel\b|\bintestin\w*|\b(?:dunn|duenn|dick)?darm\b|\bjelit\w*|\bbagirsak\w*"
    r"|\bc[iy]stern\w*|\bliquor\w*|\bcsf\b|\bshunt\b",
    "a background or an injection site": r"\bthighs?\b|\bcuisses?\b|\boberschenkel\w*|\bmuslos?\b|\bcoscia\b|\bcoxas?\b"
    r"|\bdij(?:been)?\b|\budo\b|\buyluk\b|\bbackground\b|\bbkgd?\b|\bbruit de fond\b|\b(?:hinter|unter)grund\w*"
    r"|\bfondo\b|\bsfondo\b|\bfundo\b|\bachtergrond\b|\btlo\b|\barka plan\b|\bzemin\b|\binj\w* site\b|^bg\b|\bbg$|^(?:(?:left|right|lt|rt) )?arm$|^(?:(?:sol|sag) )?kol$|\bsite inj\w*"
    r"|\bsite d\W?injection\b|\binjektionsst\w*|\bsitio de inyeccion\b|\bsito di iniezione\b|\blocal da injecao\b"
    r"|\binjectieplaats\b|\bmiejsce wstrzyk\w*|\bbrazo\b|\bbraco\b|\bramie\b|\bbraccio\b|\bbras\b|\bforearm\b|\bcapsul[ae]\b|\bkapsel\b",
    "the liver or the bile ducts": r"\bhepat\w*|\bepat\w*|\bliver\b|\bleber\w*|\bfoie\b|\bhigado\b|\bfegato\b|\bfigado\b"
    r"|\blever(?:scan\w*)?\b|\bwatrob\w*|\bkaraciger\w*|\bhida\b|\bbilia\w*|\bgallen\w+|肝|胆|печен|\bгепат\w*|\bηπα[ρτ]\w*|\bχολη\w*",
    "the stomach or the esophagus": r"\bgastri\w*|\bgastro\w*|\bmagen(?!ta)\w*|\bstoma\w*|\bestoma\w*|\bmaag\w*"
    r"|\bzolad\w*|\bmide\b|\bo?esophag\w*|\besofag\w*|\bozofag\w*|\bspeiserohr\w*|\bslokdarm\w*|胃|желуд|\bστομαχ\w*|\bγαστρ\w*|\bοισοφαγ\w*",
    "a Meckel's diverticulum": r"\bme[ck]+el(?:s|a)?\w*|メッケル|меккел|梅克[尔耳]|美克尔",
    "the salivary glands": r"\bsaliv\w*|\bprzyusz\w*|speichel\w*|\bparoti[ds]\w*|\bsubma(?:ndib|xil)\w*|speeksel\w*|\bslin(?:ian|ow)\w*"
    r"|\bs[ck]?ialo\w*|\bsous ?ma(?:ndib|xil)\w*|\bsottoma(?:ndib|scel)\w*|\btuku?ruk\w*|唾液|唾腺|涎腺|耳下腺|顎下腺|腮腺|颌下腺|침샘|слюн|околоушн\w*|\bσι[εα]λ?λ?ογον\w*|\bπαρωτιδ\w*",
    "the lacrimal ducts": r"\bla[cg]r[iy]m\w*|\btraan\w*|\blzow\w*|\bdacryo\w*|\bdakryo\w*|\btranen\w*|\bgozyas\w*|涙|泪|\bслезн\w*|\bδακρυ\w*",
    "the testes": r"\btest(?:is(?:ler\w*)?|es|icle\w*|icul\w*|icol\w*|ikel\w*)\b|\bhoden\w*|\be?scrot\w*|\bskrot\w*"
    r"|\bzaadbal\w*|\bteelbal\w*|\bbourses\b|\bbalzak\w*|\bjader\b|\bjadr[ao]\b|\bmoszn\w*|精巣|睾丸|яичк|мошон|\bορχε\w*",
    "the brain": r"\bbrain\b|\bcerebr\w*|\bcervea\w*|\bcervell\w*|\bgehirn\w*|\bhirn\w*|\bhersen\w*|\bmozg\w*"
    r"|\bbeyin\w*|\bdat ?scan\b|脳|脑|мозг|뇌|\bεγκεφαλ\w*",
    "the spleen": r"\bspleen\b|\bsplen\w*|\bmilz\w*|\bmilza\b|\bmilt\b|\bbazo\b|\bbaco\b|\bsledzion\w*|\bdalak\b|脾|\bселез[её]н\w*|\bσπλην\w*",
    "the breast": r"\bbreast\w*|\bmamm\w*|\bbrust\w*|\bseins?\b|\bsen[io]\b|\bmeme\b|\bmamas?\b|\bpiers\w*|乳腺|乳房|\bмолочн\w*|\bμαστ(?:ος|ου|ων)\b",
    "the adrenal glands": r"\badrenal\w*|\bsurren\w*|\bsuprarren\w*|\bnebennier\w*|\bbijnier\w*|\bnadnercz\w*"
    r"|副腎|肾上腺|\bнадпочеч\w*|\bεπινεφριδ\w*",
    "another tracer": r"\bmdp\b|\bhm?dp\b|\bdpd\b|\bpyp\b|\bpyrop(?:h|f)os\w*|\bmaa\b"
    r"|\bdtpa\b|\bhmpao\b|\bmibg\b|\boctreo\w*|\btektrotyd\w*|\btetrofosmin\w*|\bmyoview\b|\bpsma\b|\bhynic\b|\btechnegas\w*"
    r"|\bnano ?[ck]ol\w*|\bdisida\b|\bbrida\b|\bfdg\b|\bgal+ium\w*|\bthal+ium\w*",
    "blood cells": r"\brbc\b|\bbleed\w*|\bblutung\w*|\bha?em+or+h?ag\w*|\bsangra\w*|\bsanguinament\w*|\bkrwaw\w*|\bkanama\w*|\bbloeding\w*|\bhemangio\w*|\bhamangio\w*|\bleu[ck]o[a-z]*|\bwbc\b|\berythro\w*",
}  # fmt: skip
_EXCLUDED = {kind: re.compile(pattern) for kind, pattern in EXCLUDED.items()}
#: Short or ambiguous words, which name an organ only where nothing names the thyroid.
_HINTED = {
    kind: re.compile(pattern)
    for kind, pattern in {
        PARATHYROID: r"\bnsd\b|^ek\b|\bhpt\b|\bepk\b",
        "a sentinel node": r"^gs\b|\bwa?e?chter\b",
        "the bones": r"^oss?$|\bos$",
        "the kidneys": r"\bisg\b|\brim\b|^reno$",
        "the lungs": r"\bperf(?:us\w*|uz\w*)?\b",
        "the heart": r"\bhart\b|\bmpi\b|\bstress\b|\bgated\b",
        "the spleen": r"^(?:la )?rate$",
        "the salivary glands": r"\bgsp\b|\bspdr\b",
        "a Meckel's diverticulum": r"\bdi[vw]ert[iy][ck]\w*",
        "another part of the body": r"\bpies?\b|\bpes\b|^mani\b|\bcolumna\b|\brece\b|\bstop[ay]\b|^eller$"
        r"|\bventre\b|\bkarin\b|\bbatin\b",
        "the breast": r"\bborst\w*",
        "a whole-body image": r"\brastreo\b|\bpci\b|\bcorpo\b",
        "a phantom or a quality control": r"^cor\b|^quality$",
    }.items()
}  # fmt: skip
# "ANT no marker", "ohne Marker", "sans marqueur", "markersiz"
_NEGATED = re.compile(
    r"\b(?:no|non|without|w o|wo|sans|ohne|kein\w*|sin|senza|sem|zonder|geen|bez|nessun\w*|без)"
    r"(?: the| le| el| il| de| any)? (?:mar[kq]\w*|marc\w*|reper\w*|znaczn\w*|ssn|маркер\w*)"
    r"|\b(?:mar[kq]\w*|isaret\w*) (?:free|frei|less|yok)\b|\b(?:marker|isaret)'?(?:siz|frei|loos|less)\w*|\bunmarked\b|\bmarkers? (?:off|out|removed)\b"
)


# Only in descriptions of a series: that of a study may name what else was done.
_PROCESSED = re.compile(
    r"\bspect\b|\btomo\w*|\brecon\w*|\bmip\b|\bfus(?:ed|ion\w*)\b|\bscreen(?!ing)\w*|\bsnap ?shot\w*|\bsave ?screen\w*"
    r"|\bcaptur\w*|\bcopie d ?'?ecran\b|\bbildschirm\w*|\bschermafdruk\w*|\bzrzut\w*|\bekran\w*|\bschermata\w*"
    r"|\bresults?\b|\bresulta[td]\w*|\brisultat\w*|\bergebnis\w*|\bwynik\w*|\bsonuc\w*|\breport\w*|\bbefund\w*"
    r"|\brapport\w*|\binforme\b|\breferto\b|\brois?\b|\bcurves?\b|\bkurve\w*|\bprocessed\b|\bsubtract\w*"
    r"|\bgeom\w* (?:mean\w*|mittel\w*)|\b(?:moyenne|media|srednia|ortalama) geom\w*|\bgeo ?mean\w*"
)


def processed(text: str) -> bool:
    """Return whether a description (from `text.words`) names a processed or reconstructed image."""
    return bool(_PROCESSED.search(fold(text)))


def names_thyroid(text: str) -> bool:
    """Return whether a description (from `text.words`) names the thyroid, not the parathyroid."""
    return bool(_THYROID.search(re.sub(_PARATHYROID, "", fold(text))))


# Where the tracer of a thyroid scan was injected: "Thyroid ant, injection left hand". An injection site that is imaged is
# named as one ("injection site", "site d'injection").
_INJECTED_INTO = re.compile(
    r"(?<!site )(?<!site d\W)\b(?:inj|iny|iniez|enj|wstrz)\w* (?!site)(?:\w+ ){0,3}?"
    r"(?:hands?|elbows?|forearms?|main|bras|hand|arm|unterarm|mano|brazo|braccio|gomito|codo|mao|braco|reka|reki|ramie|el|kol)\b"
)


def excluded(text: str) -> str:
    """Return what a description (from `text.words`) names instead of the thyroid; "" for nothing."""
    plain = _NEGATED.sub(" ", fold(text))
    if names_thyroid(text):
        plain = _INJECTED_INTO.sub(" ", plain)
    return next((kind for kind, pattern in _EXCLUDED.items() if pattern.search(plain)), "")


def hinted(text: str) -> str:
    """Return what short or ambiguous words of a description name, which the thyroid's name overrules; "" for nothing."""
    plain = fold(text)
    return next((kind for kind, pattern in _HINTED.items() if pattern.search(plain)), "")


_SYRINGE = re.compile(
    r"\bsyr(?:inge?s?)?\d*\b|spritzen?\b|\bspritzen\w*|\bstri[ck]a[ck]k\w*|\bseringues?\b|\bjeringas?\b|\bjeringuillas?\b|\bsiring[ahe]*\b|\bseringas?\b"
    r"|\bspuit(?:en)?\b|\bstrzykawk\w*|\benjekt(?:or|oer)\w*|\binjektor\w*|\bsyringa\b|\bvials?\b|\bviales\b|\bfla[ck]ons?\b"
    r"|\bfial[ae]\b|\bfiolk\w*|\bampoul\w*|\bampoll[ae]s?\b|\bampul\w*|\bfrascos?\b|シリンジ|注射器|주사기|шприц"
)
# French: seringue pleine, seringue vide.
_SYRINGE_INITIALS = re.compile(r"^s[pv]\b|\bs[pv]\d?$|^s [pv]$")
_FULL = re.compile(
    r"\bfull\b|\bpre ?inj\w*|\bpredos\w*|\bspritze vi\b|\bser\w* p$|\bpleine?s?\b|\bvoll\w*|\bllen[ao]s?\b|\bpien[ao]\b|\bchei[ao]s?\b|\bvol(?:le?)?\b|\bpeln\w*|\bdolu\b"
    r"|\bcari[ck]at?[ao]?\b|\bcargad[ao]\b|\bchargee?s?\b|\bloaded\b|\bplena\b|\bpre\b|\bbefore\b|\bavant\b|\bvor\b|\bantes\b|\bprima\b|\bvoor\b|\bprzed\b|\bonce(?:si?)?\b|\bsp\d?\b|^s p$|満|полн"
)
_RESIDUAL = re.compile(
    r"\brest\w*|\breszt\w*|\bpozostal\w*|\bresid\w*|\breste?\b|\bempty\b|\bleer\w*|\bvides?\b|\bvaci[ao]s?\b|\bvuot[ao]\b|\bvazi[ao]s?\b|\bleeg\b"
    r"|\blege\b|\bpust\w*|\bbos\b|\bafter\b|\bpost\w*|\bapres\b|\bnach\b|\bdespues\b|\bdopo\b|\bdepois\b|\bpo\b"
    r"|\bna(?:$| inj| toed)|\bsonra(?:si?)?\b|\bpos\b|\bapos\b|\bpos ?inj\w*|\bser\w* v$|\bspritze ni\b|\bkalan\b|\bsv\d?\b|^s v$|残|空|пуст|остат"
)
# "Pre dose", "dose pleine", "volle Dosis": images of the dose itself.
_DOSE = r"(?:dos(?:e|is|i|es|age)|dawka|doz|activit[ye]|aktivita(?:t|et))"
_STATE = (
    r"(?:full|pleine?|voll\w*|llena|piena|cheia|volle|peln\w*|dolu|pre|avant|empty|vide|leer\w*|vacia|vuota|vazia|lege"
    r"|pust\w*|bos|post|residual\w*|rest)"
)
_DOSE_IMAGE = re.compile(
    rf"\b(?:{_STATE}|kalan) (?:inj\w* )?{_DOSE}\b|\bpredos[ei]\w*|\bpostdos[ei]\b|^{_DOSE} (?:before|after|avant|apres|vor|nach|antes|despues|prima|dopo"
    rf"|depois|voor|na|przed|po)\b|^(?:resid[uo]\w*|rest(?:e|dos\w*|a[ck]ti[vw]\w*)|reszt\w*)(?: \d)?$|\b{_DOSE} {_STATE}\b|\bdose ?(?:cal\w*|count\w*)\b"
    rf"|^{_DOSE}$|\b(?:injected|injizierte) {_DOSE}\b|\b{_DOSE} (?:injectee|inyectada|iniettata|injetada)\b"
)
# "Ser. pleine", "Spr. leer", "jga llena", "strzyk. pusta": an abbreviation with the state; or the state alone.
_FILLED = (
    r"(?:full|empty|plein[es]*|vides?|voll\w*|leer\w*|llen[ao]|vaci[ao]|pien[ao]|vuot[ao]|chei[ao]|vazi[ao]|vol(?:le)?|leeg|lege"
    r"|peln[ay]|pust[ay]|dolu|bos)"
)
_ABBREVIATED = re.compile(
    rf"\b(?:ser|sering|sir|spr|spritz|enj|strz|strzyk|jga|jer|jering|spt|s) {_FILLED}\b|^{_FILLED}(?: ?\d)?$"
)
_POST_DOSE = re.compile(rf"\bpost ?{_DOSE}\b")


def syringe(text: str) -> Syringe | None:
    """Return which image of a syringe a description (from `text.words`) names; None for none.

    ``Post dose`` also describes the gland after injection: with a time, a view or the thyroid it
    is no syringe.
    """
    plain = fold(text)
    initials = _SYRINGE_INITIALS.search(plain) and facing(text) is None
    named = bool(_SYRINGE.search(plain) or _ABBREVIATED.search(plain) or initials)
    if not named and (names_thyroid(plain) or not _DOSE_IMAGE.search(plain)):
        return None
    if not named and _POST_DOSE.search(plain):
        rest = _POST_DOSE.sub(" ", plain)
        if re.search(_TIME, rest) or facing(rest) is not None:
            return None
    if _RESIDUAL.search(plain):
        return Syringe.RESIDUAL
    return Syringe.FULL if _FULL.search(plain) else Syringe.UNKNOWN
