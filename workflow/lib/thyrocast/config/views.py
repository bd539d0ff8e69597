"""Config of the patterns that recognize a view in a center's descriptions."""

import re
import warnings
from typing import Annotated

from pydantic import AfterValidator

from thyrocast.config.base import Block, option


def _compiles(pattern: str) -> str:
    with warnings.catch_warnings():
        # Python warns of an ambiguous pattern, but compiles it.
        warnings.simplefilter("ignore")
        try:
            compiled = re.compile(pattern, re.IGNORECASE)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    if compiled.search(""):
        raise ValueError(f"{pattern!r} matches every description, expected words")
    return pattern


#: Regular expression as Python's `re` reads it.
Pattern = Annotated[str, AfterValidator(_compiles)]

_ANTERIOR = (
    r"\bant(erior[ei]?)?\b|\bventral\b|\bvorn(e)?\b|\bant[ée]rieure?\b|\bap\b",
    r"\bvorderansicht\b|\bön\b|正面|前面|前位|전면|передн",
)
_OTHER = (
    r"\bposterior[ei]?\b|(?<!min )(?<!h )\bpost\b(?! (inj|inyec|op|ther|rad))|\bdorsal\b|\bhinten\b|\barri[èe]re\b|\bpost[ée]rieure?\b|\bpa\b",
    r"\br[üu]ckansicht\b|\barka\b|후면|背面|後面|后面|后位|後位|側面|侧位|斜位|斜面|задн|боков",
    r"\blat(eral)?\b|\blao\b|\brao\b|\blpo\b|\brpo\b|\boblique?\b|\bschr[äa]g\b|\bobl\b",
)
_SYRINGE = (
    r"\bsyr(inges?)?\b|spritzen?\b|\bseringues?\b|\bjeringas?\b|\bsiring[ae]\b|\bspuit\b|\benjekt[öo]r|シリンジ|注射器",
)
_EXCLUDED = (
    r"\bmark(er|s|ed|ierung)?\b|\bmarqueur\b|\btransm(ission)?\b|\battenuation\b",
    r"\bwhole ?body\b|\bganzk[öo]rper\b|\bcorps entier\b|\bwb\b",
    *_SYRINGE,
    r"\bphantom\b|\bfantom\b|\bfant[ôo]me\b|\bflood\b|\buniformity\b|\bqc\b|\bquality control\b",
    r"\bparathyroid\b|\bnebenschilddr[üu]sen?\b|\bsestamibi\b|\bmibi\b|\bsentinel\b|\blymph",
    r"\bbones?\b|\bskelet|\bknochen|\brenal\b|\bkidneys?\b|\bnieren?|\blungs?\b|\blungen?|\bpulmon",
    r"\bmyo[ck]ard|\bcardiac\b|\bhepat|\bliver\b|\bleber|\bgastric\b|\bhida\b|副甲状腺|甲状旁腺|骨|腎|肾|肺|心筋|心肌|肝",
)


class ViewsConfig(Block):
    """Regular expressions that recognize a view by its description.

    They are searched, ignoring case, in the descriptions of series, study and protocol and in
    image comments, if the header has neither a view code nor an orientation. Your own list
    replaces the default.
    """

    anterior: tuple[Pattern, ...] = option("Descriptions of an anterior view.", _ANTERIOR)
    other: tuple[Pattern, ...] = option("Descriptions of any other view.", _OTHER)
    excluded: tuple[Pattern, ...] = option(
        "Descriptions of a marker, transmission or whole-body image, of a syringe, a phantom or "
        "quality control, or of another organ's study. The description of a study or protocol "
        "is also searched if it does not name the thyroid, or if its series have no description.",
        _EXCLUDED,
    )
    syringe: tuple[Pattern, ...] = option(
        "Descriptions of the image of the full dose syringe, which calibrates the uptake.", _SYRINGE
    )
