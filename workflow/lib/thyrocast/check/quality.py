"""Findings about the quality of the chosen images, and about scans without a date."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from thyrocast.check.center import Center
from thyrocast.check.findings import Example, Finding, Section
from thyrocast.check.people import file_name
from thyrocast.contract.check import RemarkCode, Severity

#: An image whose probability of showing a thyroid is lower needs a look.
CERTAIN = 0.75
#: Measured and read values contradict each other if their logarithms differ by more than this many
#: standard deviations.
CONTRADICTION_SD = 3.0


def doubtful(row: Mapping[Any, Any]) -> bool:
    """Return whether an image may show no thyroid, if its records say how probable that is."""
    score = row.get("q_score")
    return bool(pd.notna(score) and score < CERTAIN)


def undated(row: Mapping[Any, Any]) -> bool:
    """Return whether the date of scan or therapy is not known."""
    return bool(pd.isna(row["days_before"]))


def contradicted(row: Mapping[Any, Any]) -> bool:
    """Return whether mass or uptake is far from what the pretrained network reads."""
    return any(contradiction(name, row) for name in ("mass", "uptake"))


def contradiction(name: str, row: Mapping[Any, Any]) -> bool:
    """Return whether a measured quantity and the read one differ by more than chance explains."""
    names = [f"{kind}_{name}{end}" for kind in "qp" for end in ("", "_sd")]
    if any(pd.isna(row.get(one)) for one in names):
        return False
    measured, measured_sd, read, read_sd = (float(row[one]) for one in names)
    if measured <= 0 or read <= 0:
        return False
    spread = math.hypot(measured_sd / measured, read_sd / read)
    return abs(math.log(measured / read)) > CONTRADICTION_SD * spread


def impossible(row: Mapping[Any, Any]) -> bool:
    """Return whether the uptake was physically impossible."""
    return row.get("q_impossible") == "q_uptake"


def stretched(row: Mapping[Any, Any]) -> bool:
    """Return whether the pixels were no counts."""
    return row.get("q_impossible") == "q_counts"


_CHECKS = (
    (
        doubtful, RemarkCode.QUALITY, "The image may show no thyroid.",
        "Look at these images in the contact sheet; export the right ones.",
    ),
    (
        contradicted, RemarkCode.QUALITY,
        "Measured mass or uptake is far from what a network reads from the image alone.",
        "Look at these images in the contact sheet. If there are many, check pixel size, images of the "
        "syringe, injected activity and `fallbacks.sensitivity`.",
    ),
    (
        impossible, RemarkCode.PLAUSIBILITY,
        "The technetium uptake would be more than 100 % or less than 0 of the injected activity, so it is "
        "missing.",
        "Check injected activity (MBq), duration, `fallbacks.sensitivity` and the images of the syringe.",
    ),
    (
        stretched, RemarkCode.PLAUSIBILITY,
        "The pixels are counts times a factor, as for a display: counts, count rate and uptake are missing.",
        "Export the original images of the camera, without a change of the gray values.",
    ),
    (
        undated, RemarkCode.DATES,
        "The date of scan or therapy is not known, so nobody knows whether the scan is before it.",
        "Fill in the date of therapy, or set `cohort.without_dates: exclude`.",
    ),
)  # fmt: skip


def quality_findings(center: Center) -> Iterator[Finding]:
    """Yield a finding for each kind of doubtful image."""
    rows = center.used.sort_values("patient").to_dict("records")
    for applies, code, text, action in _CHECKS:
        examples = [
            Example(row["patient"], row["identifier"], file_name(row["file"]))
            for row in rows
            if applies(row)
        ]
        if examples:
            yield Finding(
                code,
                Severity.REMARK,
                text,
                action,
                Section.SHEET,
                len(examples),
                subject=applies.__name__,
                examples=examples,
            )
