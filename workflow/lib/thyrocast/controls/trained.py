"""Networks that were trained for the controls: on permuted outcomes, and on parts of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.config.controls import ControlsConfig, Strata
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import io
from thyrocast.contract.control_names import ALARM, Control, ControlFinding, ImagePart
from thyrocast.contract.controls import NETWORK_PARTS
from thyrocast.contract.names import ALL_SPLITS, Set, Status
from thyrocast.contract.splits import LOGITS
from thyrocast.controls import permuting, shown
from thyrocast.controls.inputs import ControlSplit
from thyrocast.controls.shuffled import Null
from thyrocast.statistics import differences, discrimination, intervals
from thyrocast.statistics.inputs import NotEstimableError

Array = NDArray[np.float64]
#: Parts outside of the gland, which should not predict better than the gland.
OUTSIDE = (Control.GLAND_MASKED, Control.BACKGROUND_ALONE)
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Networks:
    """Tables `LOGITS` of the networks of a split.

    Attributes
    ----------
    study
        Those of the study.
    permuted
        Of the first member, trained on permuted outcomes.
    parts
        Of all members, trained on a part of the images.
    """

    study: Path
    permuted: Sequence[Path]
    parts: Mapping[ImagePart, Path]


def permute_training(
    cohort: pd.DataFrame, splits: pd.DataFrame, names: tuple[str, str], strata: Strata, seed: int
) -> pd.DataFrame:
    """Permute the outcomes of the training patients of a split.

    Parameters
    ----------
    cohort, splits
        The tables `COHORT` and `SPLITS`.
    names
        Design and split.
    strata
        Among which patients.
    seed : int
        Of this permutation.
    """
    own = splits[(splits["design"] == names[0]) & (splits["split"] == names[1])]
    trained = own.loc[own["set"] == Set.TRAIN, "patient"]
    rows = np.flatnonzero(cohort["patient"].isin(trained).to_numpy())
    outcome = cohort["outcome"].iloc[rows].to_numpy(dtype=np.float64)
    center = cohort["center"].iloc[rows].to_numpy(dtype=np.str_)
    permuted = permuting.permute(outcome, center if strata is Strata.CENTER else None, 1, seed)[0]
    result = cohort.copy()
    result.loc[result.index[rows], "outcome"] = permuted.astype(np.int64)
    return result


def null(split: ControlSplit, files: Networks, config: ControlsConfig, seed: int) -> Null | None:
    """AUC of the first member's network, and of those trained on permuted outcomes.

    Parameters
    ----------
    split
        The split.
    files
        Its networks, one or more of them trained on permuted outcomes.
    config
    seed : int
        The study's seed.

    Returns
    -------
    Null or None
        None if the test set has only one outcome.
    """
    test = split.test
    if len(np.unique(test.outcome)) < 2:
        return None
    permuted = [_odds(file, split) for file in files.permuted]
    (member,) = permuted[0].columns
    observed = _odds(files.study, split)[member]
    scores = np.stack([one[member].to_numpy() for one in permuted])
    own = seeds.derive(seed, split.design, split.split, "permutations", "networks")
    strata = test.center if config.strata is Strata.CENTER else None
    tested = permuting.permute(test.outcome, strata, len(scores), own)
    cured = float(test.outcome.sum())
    return Null(
        float(permuting.areas(test.outcome, observed.to_numpy()[None])[0]),
        permuting.areas(test.outcome, scores),
        permuting.areas(tested, scores),
        cured * (len(test.outcome) - cured),
    )


def parts(
    splits: Sequence[ControlSplit],
    files: Mapping[str, Networks],
    config: ControlsConfig,
    least: MinimumCountConfig,
) -> pd.DataFrame:
    """Score the networks that were trained on parts of the images; return the table `NETWORK_PARTS`.

    Parameters
    ----------
    splits
        All splits of one design.
    files
        The networks of each split.
    config
    least
        Fewest patients of a reported test set.
    """
    if not config.networks.parts:
        return io.build(NETWORK_PARTS, [])
    names = [Control.WHOLE_IMAGE, *(Control(part.value) for part in config.networks.parts)]
    allowed = shown.reported(splits, least)
    rows: list[dict[str, Any]] = []
    scores = {one.split: _scores(one, files[one.split], config) for one in splits}
    chosen = [(one.split, [one]) for one in splits]
    if len(splits) > 1:
        chosen.append((ALL_SPLITS, list(splits)))
    for name, used in chosen:
        members = len(_odds(files[used[0].split].study, used[0]).columns)
        rows += _rows(name, used, [scores[one.split] for one in used], names, allowed, members)
    return io.build(NETWORK_PARTS, rows)


def _odds(file: Path, split: ControlSplit) -> pd.DataFrame:
    """Log-odds of the test patients by each member: patients × members."""
    table = io.read(LOGITS, file)
    wide = table.pivot_table(index="patient", columns="member", values="logit", sort=False)
    return wide.loc[list(split.test.patient)]


def _scores(split: ControlSplit, files: Networks, config: ControlsConfig) -> Array:
    """Mean log-odds (k, n) of the test patients by the networks of the study, then of each part."""
    every = [files.study, *(files.parts[part] for part in config.networks.parts)]
    return np.stack([_odds(file, split).mean(axis=1).to_numpy() for file in every])


def _rows(
    name: str,
    splits: Sequence[ControlSplit],
    scores: Sequence[Array],
    names: Sequence[Control],
    allowed: frozenset[str],
    members: int,
) -> list[dict[str, Any]]:
    """Rows of one split, or of all."""
    outcome = np.concatenate([one.test.outcome for one in splits])
    shared = dict.fromkeys(NETWORK_PARTS.names) | {
        "design": splits[0].design, "split": name, "finding": ControlFinding.NONE.value,
        "networks": members, "status": Status.ESTIMATED.value, "note": "",
    }  # fmt: skip
    if name not in allowed:
        note = "too few patients, or a test set with too few could be derived"
        shared |= {"status": Status.SUPPRESSED.value, "note": note}
        return [shared | {"control": control.value} for control in names]
    shared |= {"n": len(outcome), "events": int(outcome.sum())}
    try:
        areas, covariance = _joined(splits, scores)
    except NotEstimableError as error:
        shared |= {"status": Status.NOT_ESTIMABLE.value, "note": str(error)}
        return [shared | {"control": control.value} for control in names]
    if covariance is None:
        shared["note"] = "no interval: test sets share patients"
    place = {control: number for number, control in enumerate(names)}
    rows = []
    for control, number in place.items():
        row = shared | {"control": control.value, "auc": float(areas[number])}
        row |= _intervals(control, place, areas, covariance)
        if len(splits) == 1:  # with few patients of an outcome, another formula is used
            found = discrimination.auc_interval(outcome, scores[0][number], CONFIDENCE)
            row |= {"ci_low": found.low, "ci_high": found.high}
        rows.append(row)
    return rows


def _joined(
    splits: Sequence[ControlSplit], scores: Sequence[Array]
) -> tuple[Array, NDArray[np.float64] | None]:
    """AUCs (k,), weighted by the splits' pairs of patients, and their covariance (k, k) if no patient is in two test sets."""
    found = [
        discrimination.delong(one.test.outcome, rows)
        for one, rows in zip(splits, scores, strict=True)
    ]
    cured = [float(one.test.outcome.sum()) for one in splits]
    pairs = np.array(
        [k * (len(one.test.outcome) - k) for k, one in zip(cured, splits, strict=True)]
    )
    share = pairs / pairs.sum()
    areas = share @ np.stack([one[0] for one in found])
    everyone = np.concatenate([one.test.patient for one in splits])
    if len(np.unique(everyone)) < len(everyone):
        return areas, None
    return areas, np.tensordot(share**2, np.stack([one[1] for one in found]), axes=1)


def _intervals(
    control: Control,
    place: Mapping[Control, int],
    areas: Array,
    covariance: NDArray[np.float64] | None,
) -> dict[str, Any]:
    """Interval of an AUC, of its difference from the whole image, and whether it is above that of the gland."""
    if covariance is None:
        return {}
    number = place[control]
    cells: dict[str, Any] = {}
    area, error = float(areas[number]), float(np.sqrt(max(covariance[number, number], 0.0)))
    if 0 < area < 1 and error > 0:
        middle = np.log(area / (1 - area))
        half = intervals.normal_quantile(CONFIDENCE) * error / (area * (1 - area))
        low, high = (float(1 / (1 + np.exp(-(middle + sign * half)))) for sign in (-1, 1))
        cells |= {"ci_low": low, "ci_high": high}

    def compared(other: Control) -> differences.Difference | None:
        to = place[other]
        variance = covariance[number, number] + covariance[to, to] - 2 * covariance[number, to]
        try:
            return differences.normal(float(areas[number] - areas[to]), float(variance), CONFIDENCE)
        except NotEstimableError:
            return None

    if control is not Control.WHOLE_IMAGE and (found := compared(Control.WHOLE_IMAGE)):
        cells |= {
            "difference": found.difference, "difference_low": found.low, "difference_high": found.high,
        }  # fmt: skip
    if (
        control in OUTSIDE
        and Control.GLAND_ALONE in place
        and (found := compared(Control.GLAND_ALONE))
    ):
        better = found.difference > 0 and found.p_value <= ALARM
        finding = ControlFinding.BETTER_THAN_GLAND if better else ControlFinding.NOT_BETTER
        cells |= {"p_value_gland": found.p_value, "finding": finding.value}
    return cells
