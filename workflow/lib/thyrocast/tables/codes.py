"""Decode the cells of a center's table that contain codes."""

import re
from collections.abc import Mapping

from thyrocast.contract import cohort as contract
from thyrocast.contract.text import fold, look_up

#: Our codes of each clinical column that has codes.
CODES = {column.name: column.allowed for column in contract.CLINICAL if column.allowed}
YES = {
    "yes", "y", "true", "1", "x", "+", "ja", "j", "oui", "si", "sí", "sì", "sim", "evet", "var",
    "tak", "ano", "igen", "да", "有", "是", "あり", "はい", "예",
}  # fmt: skip
NO = {
    "no", "n", "false", "0", "-", "–", "—", "none", "nil", "nein", "kein", "keine", "non", "aucun",
    "nee", "geen", "nej", "ingen", "não", "nessuno", "ninguno", "nenhum", "hayir", "yok", "nie",
    "brak", "ne", "nem", "нет", "无", "否", "無", "なし", "いいえ", "아니오",
}  # fmt: skip
# Names of antithyroid drugs, and of thyroid hormone, which is not one of them.
_ANTITHYROID = re.compile(
    r"\bm(et|éth)h?imazol|\bth?iamazol|\bcarbimazol|\bpropylthiourac|\bpropiltiourac|\bptu\b|\bmmi\b"
    r"|\bcbz\b|\batd\b|\bthyreosta|\bthyrozol|\btapazol|\bstrumazol|\bfavistan|\bneo-?mercazol"
    r"|\bthacapzol|perchlor|перхлорат|тиамазол|メルカゾール|チウラジール|甲巯咪唑|丙硫氧嘧啶"
)
_HORMONE = re.compile(
    r"\b(levo|l)[- ]?(th?[iy]rox|t4\b)|\b(eu)?th?[iy]rox|\blt4\b|\bsynthroid|тироксин|チラーヂン"
)
_HORMONE_DOSE = re.compile(r"\d+([.,]\d+)? ?([µμu]g|mcg|мкг|微克)?(/ ?\w+)?")
_DOSE = re.compile(r"\d+([.,]\d+)? ?(mg|мг|毫克)?(/ ?\w+)?")
# Codes that every center may use, in addition to ours and its own.
_BUILT_IN = {
    "sex": {"f": "female", "w": "female", "m": "male", "o": "other"},
    "antithyroid_drug": {"mmi": "methimazole", "cbz": "carbimazole", "ptu": "propylthiouracil"},
    "orbitopathy": dict.fromkeys(YES, "yes") | dict.fromkeys(NO, "no"),
    "smoking": {},
}


def decode(column: str, text: str, codes: Mapping[str, str | None]) -> str | None:
    """Return our code for a center's code; None for one that means "not known".

    Raises
    ------
    ValueError
        If the code is neither the center's nor ours.
    """
    folded = fold(text)
    table = {fold(theirs): ours for theirs, ours in codes.items()}
    ours: dict[str, str | None] = {code: code for code in CODES[column]}
    for known in (table, ours, _BUILT_IN[column]):
        try:
            return look_up(known, folded)
        except KeyError:
            continue
    raise ValueError("an unknown code")


def antithyroid_drug(text: str, codes: Mapping[str, str | None]) -> bool:
    """Return whether a cell (yes or no, name or dose) says that an antithyroid drug is taken.

    Parameters
    ----------
    text
        The cell; empty is no.
    codes
        The center's codes of ``antithyroid_drug``.

    Raises
    ------
    ValueError
        If the cell is not clear; a wrong guess could change the patient's outcome.
    """
    folded = fold(text)
    if not folded or folded in NO or re.fullmatch(r"0+([.,]0+)? ?\w{0,3}", folded):
        return False
    if folded in YES or _ANTITHYROID.search(folded) or _DOSE.fullmatch(folded):
        return True
    if _HORMONE.search(folded):
        return False
    code = decode("antithyroid_drug", text, codes)
    if code is None:
        raise ValueError("a code that means not known")
    return code != "none"


def levothyroxine(text: str, codes: Mapping[str, str | None]) -> bool | None:
    """Return whether a cell (yes or no, name or dose) says that levothyroxine is taken.

    Parameters
    ----------
    text
        The cell; empty is no.
    codes
        The center's codes of ``levothyroxine`` (yes or no); null means "not known".

    Raises
    ------
    ValueError
        If the cell is not clear.
    """
    folded = fold(text)
    own = {fold(theirs): ours for theirs, ours in codes.items()}
    if folded in own:
        return None if own[folded] is None else own[folded] == "yes"
    if not folded or folded in NO or re.fullmatch(r"0+([.,]0+)? ?\w{0,3}", folded):
        return False
    if folded in YES or names_hormone(text) or _HORMONE_DOSE.fullmatch(folded):
        return True
    raise ValueError("not clear")


def names_hormone(text: str) -> bool:
    """Return whether a cell names a thyroid hormone, such as levothyroxine."""
    return bool(_HORMONE.search(fold(text)))
