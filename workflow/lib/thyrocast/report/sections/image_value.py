"""What the scintigram adds to what is known without it."""

from thyrocast.contract.names import Model
from thyrocast.pages import numbers
from thyrocast.report import differences, scores, words
from thyrocast.report.study import StudyResults


def sentences(study: StudyResults, design: str, main: str) -> list[str]:
    """Differences between models with and without the image, as (few) sentences."""
    known = {*scores.headlines(study, design)["model"]}
    without = Model.CLINICAL.value
    if without not in known:
        return [
            "No model without the scintigram was scored: what the image adds is not known from this "
            "study."
        ]
    found = []
    for model in dict.fromkeys((Model.COMBINED.value, main)):
        if model in known and model != without:
            text = differences.sentence(study, design, model, without, "the image")
            if text:
                found.append(text + _by_center(study, design, model, without))
    return found


def _by_center(study: StudyResults, design: str, model: str, without: str) -> str:
    """Differences in AUC by center, without intervals."""
    both = [
        scores.center_rows(study, design, name).set_index("center")["estimate"]
        for name in (model, without)
    ]
    gaps = (both[0] - both[1]).dropna()
    if gaps.size < 2:
        return ""
    named = [f"{center} {numbers.number(gap, 2)}" for center, gap in gaps.items()]
    return f" Differences in AUC by center, without intervals: {words.listing(named)}."
