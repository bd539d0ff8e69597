"""Rows of sample_size.csv: what the study's size can carry, known before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from thyrocast.evaluation.layout import Row
from thyrocast.statistics import sample_size

Patients = Sequence[Mapping[str, str]]
#: Designs by the strength of their evidence; the first that tests anybody counts.
STRONGEST = ("external", "loco", "kfold", "holdout")


def rows(
    cohort: Patients, splits: Patients, block: Mapping[str, Any], confidence: float
) -> Iterator[Row]:
    """Riley's criteria against the patients there are.

    Parameters
    ----------
    cohort
        Rows of cohort.csv. Patients without an outcome do not count.
    splits
        Rows of splits.csv.
    block
        ``evaluation.sample_size`` of the config.
    confidence
        Of the expected interval of the AUC.

    Yields
    ------
    tuple
        Rows for ``development`` (all development patients), ``validation`` (the patients whom the
        strongest design tests) and ``precision`` (the interval expected of the AUC there).
    """
    known = [row for row in cohort if row["outcome"]]
    development = [row for row in known if row["role"] == "development"]
    yield from _development(development, block)
    if tested := _tested(known, splits):
        yield from _validation(tested, block, confidence)


def _tested(known: Patients, splits: Patients) -> list[Mapping[str, str]]:
    """Patients whom the strongest design tests, in the first of several hold-outs."""
    for design in STRONGEST:
        test = [row for row in splits if row["design"] == design and row["set"] == "test"]
        first = test[0]["split"] if test and design == "holdout" else None
        names = {row["patient"] for row in test if first in (None, row["split"])}
        if tested := [row for row in known if row["patient"] in names]:
            return tested
    return []


def _counts(patients: Patients) -> tuple[int, int, float]:
    n = len(patients)
    events = sum(row["outcome"] == "1" for row in patients)
    # The formulas want a prevalence inside (0, 1), also where nobody or everybody was cured.
    return n, events, min(max(events / max(n, 1), 0.5 / max(n, 1)), 1 - 0.5 / max(n, 1))


def _row(
    purpose: str,
    criterion: str,
    required: int,
    prevalence: float,
    have: tuple[int, int],
    detail: str,
) -> Row:
    events = round(required * prevalence)
    enough = "yes" if have[0] >= required else "no"
    return (purpose, criterion, required, events, *have, enough, detail)


def _development(patients: Patients, block: Mapping[str, Any]) -> Iterator[Row]:
    n, events, prevalence = _counts(patients)
    r2 = sample_size.cox_snell(block["auc"], prevalence)
    k, shrinkage = block["parameters"], block["shrinkage"]
    basis = f"{k} parameters, AUC {block['auc']:g} (Cox-Snell R² {r2:.3f}), {prevalence:.0%} cured"
    required = {
        "shrinkage": (
            sample_size.for_shrinkage(k, r2, shrinkage),
            f"shrinkage factor of at least {shrinkage:g}; {basis}",
        ),
        "optimism": (
            sample_size.for_optimism(k, r2, prevalence),
            f"apparent and adjusted Nagelkerke R² within 0.05; {basis}",
        ),
        "prevalence": (
            sample_size.for_prevalence(prevalence),
            f"overall probability of cure within 0.05; {prevalence:.0%} cured",
        ),
    }
    yield from _with_all("development", required, prevalence, (n, events))


def _validation(patients: Patients, block: Mapping[str, Any], confidence: float) -> Iterator[Row]:
    n, events, prevalence = _counts(patients)
    area = block["auc"]
    predictor = sample_size.linear_predictor(area, prevalence)
    basis = f"AUC {area:g}, {prevalence:.0%} cured"
    required = {
        "oe_ratio": (
            sample_size.for_oe(prevalence, block["oe_width"]),
            f"95 % interval of observed/expected no wider than {block['oe_width']:g}; {basis}",
        ),
        "calibration_slope": (
            sample_size.for_slope(predictor, block["slope_width"]),
            f"95 % interval of the calibration slope no wider than {block['slope_width']:g}; {basis}",
        ),
        "auc": (
            sample_size.for_auc(area, prevalence, block["auc_width"]),
            f"95 % interval of the AUC no wider than {block['auc_width']:g}; {basis}",
        ),
    }
    yield from _with_all("validation", required, prevalence, (n, events))
    if 0 < events < n:
        width = sample_size.auc_width(area, n, prevalence, confidence)
        detail = (
            f"with these patients the {confidence:.0%} interval of an AUC of {area:g} is expected to be "
            f"{width:.2f} wide, about {max(area - width / 2, 0):.2f} to {min(area + width / 2, 1):.2f}"
        )
        yield _row("precision", "auc", required["auc"][0], prevalence, (n, events), detail)


def _with_all(
    purpose: str,
    required: Mapping[str, tuple[int, str]],
    prevalence: float,
    have: tuple[int, int],
) -> Iterator[Row]:
    for criterion, (need, detail) in required.items():
        yield _row(purpose, criterion, need, prevalence, have, detail)
    worst = max(required, key=lambda name: required[name][0])
    need = required[worst][0]
    yield _row(purpose, "all", need, prevalence, have, f"greatest of the above: {worst}")
