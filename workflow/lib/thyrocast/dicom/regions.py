"""Which part of the body a header names, by code or by defined term, in words of `vocabulary`."""

from thyrocast.dicom import vocabulary
from thyrocast.dicom.elements import Elements
from thyrocast.dicom.text import words

#: Codes of PS3.16 CID 4 and 4031: SCT, and SRT of older exports. Neck, head and chest are left out: their images may
#: show the thyroid. Whole body is left out as well: it is the default of some cameras and says nothing.
_CODES = {
    "thyroid": "69748006 T-B6000", "kidney": "64033007 T-71000", "lung": "39607008 T-28000",
    "heart": "80891009 T-32000", "liver": "10200004 T-62000", "bladder": "89837001 T-74000",
    "stomach": "69695003 T-57000", "brain": "12738006 T-A0100", "testis": "40689003 T-94000",
    "breast": "76752008 T-04000", "spleen": "78961009 T-C3000", "parathyroid": "111002 T-B7000",
    "salivary gland": "385294005 T-61007", "parotid": "45289007 T-61100",
    "submandibular": "54019009 T-61300",
    "abdomen": "818981001 113345001 818983003 T-D4000", "pelvis": "816092008 12921003 T-D6000",
    "skull": "89546000", "spine": "421060004", "hip": "29836001 24136001", "knee": "72696002 49076000",
    "hand": "85562004", "foot": "56459004", "adrenal": "23451007", "esophagus": "32849002",
    "lacrimal": "13561001", "scrotum": "20233005", "biliary": "28231008", "thigh": "68367000",
    "bowel": "71854001", "bone": "272673000",
}  # fmt: skip
_MEANINGS = {code: name for name, codes in _CODES.items() for code in codes.split()}
#: Defined terms of BodyPartExamined (PS3.16 Annex L) that `vocabulary` does not know.
_TERMS = {
    "LSPINE": "spine", "TSPINE": "spine", "SSPINE": "spine", "COLON": "bowel", "GALLBLADDER": "biliary",
    "EXTREMITY": "hand", "LEG": "foot", "ARM": "hand", "ANKLE": "foot", "WRIST": "hand", "ELBOW": "hand",
}  # fmt: skip


def named(header: Elements) -> str:
    """Return the meanings of AnatomicRegionSequence (C.7.6.2), as `text.words` returns them.

    A code of the thyroid names it also where its meaning is missing, or another one.
    """
    codes = header.items("AnatomicRegionSequence")
    thyroid = "thyroid" if "thyroid" in _coded(header) else ""
    return words(*(code.text("CodeMeaning") for code in codes), thyroid)


def other_region(header: Elements) -> str:
    """Return which organ a code of AnatomicRegionSequence means instead of the thyroid; "" for none."""
    return vocabulary.excluded(words(*_coded(header)))


def _coded(header: Elements) -> list[str]:
    codes = header.items("AnatomicRegionSequence")
    return [_MEANINGS.get(code.text("CodeValue").strip().upper(), "") for code in codes]


def other_part(header: Elements) -> str:
    """Return which organ BodyPartExamined (C.7.3.1) names instead of the thyroid; "" for none.

    Whole body is the default of some cameras and says nothing.
    """
    term = header.text("BodyPartExamined").strip().upper()
    if "BODY" in term:
        return ""
    return vocabulary.excluded(words(_TERMS.get(term, term)))
