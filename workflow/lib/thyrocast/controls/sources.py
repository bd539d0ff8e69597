"""What is predicted from parts of the images and from the acquisition, which should or should not be."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.config.controls import ControlsConfig, Strata
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import columns, io
from thyrocast.contract.control_names import ALARM, Control, ControlFinding, ControlKind
from thyrocast.contract.controls import SOURCES
from thyrocast.contract.names import Design, GroupKind, Set, Status
from thyrocast.controls import learners, permuting
from thyrocast.controls.learners import Learner
from thyrocast.controls.pictures import NoBackgroundError, Pictures
from thyrocast.evaluation import groups
from thyrocast.evaluation.samples import Sample
from thyrocast.statistics import discrimination
from thyrocast.statistics.inputs import NotEstimableError

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Columns of the acquisition that the gland does not influence.
CAMERA = (
    "vendor",
    "camera",
    "collimator",
    "matrix",
    "pixel_mm",
    "duration_s",
    "tc_activity_mbq",
    "delay_min",
)
KINDS = {
    Control.WHOLE_IMAGE: ControlKind.REFERENCE,
    Control.GLAND_ALONE: ControlKind.REFERENCE,
    Control.GLAND_MASKED: ControlKind.REFERENCE,
    Control.COUNTS: ControlKind.REFERENCE,
    Control.BACKGROUND_ALONE: ControlKind.REFERENCE,
    Control.ACQUISITION: ControlKind.NEGATIVE,
    Control.PLANTED_MARKER: ControlKind.POSITIVE,
}
#: Sources whose regressions are repeated with permuted outcomes: the others are for comparison only.
PERMUTED = (Control.GLAND_ALONE, Control.BACKGROUND_ALONE, Control.ACQUISITION)
#: Sources outside of the gland, which should not predict better than the gland. They are not empty: the
#: activity of body and salivary glands, and scattered photons, depend on the gland as well.
OUTSIDE = (Control.GLAND_MASKED, Control.BACKGROUND_ALONE, Control.PLANTED_MARKER)
#: A planted effect is found if the AUC is at least this.
FOUND = 0.9


@dataclass(frozen=True)
class People:
    """Development patients, whose outcomes are predicted by cross-validation.

    Attributes
    ----------
    cohort : DataFrame
        Their rows of `COHORT`, index 0 to n - 1.
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    pictures
        Their images.
    """

    cohort: pd.DataFrame
    outcome: Array
    pictures: Pictures

    @property
    def center(self) -> NDArray[np.str_]:
        """Center of each patient (n,)."""
        return self.cohort["center"].to_numpy(dtype=np.str_)


def run(
    people: People,
    config: ControlsConfig,
    signature: SignatureConfig,
    least: MinimumCountConfig,
    seed: int,
) -> pd.DataFrame:
    """Cross-validate a regression on each source; return the table `SOURCES`.

    Parameters
    ----------
    people
        Development patients with both outcomes.
    config, signature
        Blocks of the config.
    least
        Fewest patients of a reported group.
    seed : int
        The study's seed.
    """
    within = _groups(people, least)
    strata = people.center if config.strata is Strata.CENTER else None
    own = seeds.derive(seed, "controls", "permutations")
    permuted = permuting.permute(people.outcome, strata, config.permutations, own)
    outcomes = np.vstack([people.outcome, permuted])
    rows: list[dict[str, Any]] = []
    gland = np.empty(0)
    for control, learn in _sources(people, signature, seed):
        if isinstance(learn, str):
            rows += [_row(control, kind, name, note=learn) for kind, name in within]
            continue
        positive = KINDS[control] is ControlKind.POSITIVE
        used = outcomes if control in PERMUTED else outcomes[:1]
        folds = seeds.derive(seed, "controls", "folds")
        odds = learners.cross_fitted(learn, used, people.center, folds)
        if control is Control.GLAND_ALONE:
            gland = odds[0]
        for (kind, name), who in within.items():
            if not positive or _marked(people, (kind, name)):
                row = _row(control, kind, name, used, odds, who)
                rows.append(row | _compared(control, people.outcome, odds[0], gland, who))
        logger.info("%s: cross-validated", control)
    return io.build(SOURCES, rows)


def _sources(
    people: People, signature: SignatureConfig, seed: int
) -> Iterator[tuple[Control, Learner | str]]:
    """Each source with its learner, or why it has none."""
    for control in (Control.WHOLE_IMAGE, Control.GLAND_ALONE, Control.GLAND_MASKED):
        yield control, learners.pixels(people.pictures.part(control))
    marked = people.pictures.marked((people.outcome == 1) & (people.center == _largest(people)))
    for control, pictures in (
        (Control.BACKGROUND_ALONE, people.pictures),
        (Control.PLANTED_MARKER, marked),
    ):
        try:
            yield control, learners.pixels(pictures.part(Control.BACKGROUND_ALONE))
        except NoBackgroundError as error:
            yield control, str(error)
    for control, names in ((Control.ACQUISITION, CAMERA), (Control.COUNTS, columns.QUALITY)):
        predictors = people.cohort[list(names)]
        own = seeds.derive(seed, "controls", control)
        yield control, learners.columns(predictors, signature, own)


def _largest(people: People) -> str:
    """The center with the most patients; of several, the first in the alphabet."""
    names, counts = np.unique(people.center, return_counts=True)
    return str(names[counts.argmax()])


def _marked(people: People, group: tuple[GroupKind, str]) -> bool:
    return group == (GroupKind.CENTER, _largest(people))


def _groups(people: People, least: MinimumCountConfig) -> dict[tuple[GroupKind, str], Mask | None]:
    """All patients, and each center; None for those that may not be reported."""
    everyone = Sample(
        Design.EXTERNAL, "", "", Set.TRAIN,
        patient=people.cohort["patient"].to_numpy(dtype=np.str_), center=people.center,
        outcome=people.outcome == 1, probability=np.zeros(len(people.outcome)),
    )  # fmt: skip
    hidden = groups.too_small(everyone, least)
    whole = None if hidden else np.ones(len(people.outcome), dtype=bool)
    divided = groups.divide(everyone, {groups.CENTERS: people.center}, least)
    return {
        (GroupKind.POOLED, ""): whole,
        **{(GroupKind.CENTER, name): None if hidden else who for (_, name), who in divided.items()},
    }


def _row(
    control: Control,
    kind: GroupKind,
    name: str,
    outcomes: Array | None = None,
    odds: Array | None = None,
    who: Mask | None = None,
    note: str = "",
) -> dict[str, Any]:
    """A row of `SOURCES`."""
    row: dict[str, Any] = {
        **dict.fromkeys(SOURCES.names),
        "control": control.value,
        "kind": KINDS[control].value,
        "group_kind": kind.value,
        "group": name,
        "permutations": 0,
        "finding": ControlFinding.NONE.value,
        "status": Status.NOT_ESTIMABLE.value,
        "note": note,
    }
    if outcomes is None or odds is None:
        return row
    if who is None:
        text = "too few patients, or a center with too few could be derived"
        return row | {"status": Status.SUPPRESSED.value, "note": text}
    y, scores = outcomes[:, who], odds[:, who]
    row |= {"n": int(who.sum()), "events": int(y[0].sum())}
    # A permutation can leave one outcome without a fold.
    usable = np.isfinite(scores).all(axis=1) & (y.sum(axis=1) > 0) & (y.sum(axis=1) < y.shape[1])
    if not usable[0]:
        return row | {"note": "one outcome only"}
    areas = permuting.areas(y[usable], scores[usable])
    return row | _result(KINDS[control], float(areas[0]), areas[1:])


def _result(kind: ControlKind, observed: float, permuted: Array) -> dict[str, Any]:
    """AUC, what permutations give, and what follows from it."""
    found: dict[str, Any] = {
        "auc": observed,
        "status": Status.ESTIMATED.value,
        "permutations": len(permuted),
    }
    if len(permuted):
        low, high = np.quantile(permuted, [0.025, 0.975])
        found |= {
            "null_mean": float(permuted.mean()),
            "null_low": float(low),
            "null_high": float(high),
        }
        found["p_value"] = permuting.p_value(observed, permuted)
    if kind is ControlKind.POSITIVE:
        finding = ControlFinding.FOUND if observed >= FOUND else ControlFinding.NOT_FOUND
        return found | {"finding": finding.value}
    if kind is ControlKind.NEGATIVE:
        above = found["p_value"] <= ALARM
        return found | {
            "finding": (ControlFinding.ABOVE_CHANCE if above else ControlFinding.CHANCE).value
        }
    return found


def _compared(
    control: Control, outcome: Array, odds: Array, gland: Array, who: Mask | None
) -> dict[str, Any]:
    """Whether a source outside of the gland predicts better than the gland (DeLong, paired)."""
    if control not in OUTSIDE or who is None:
        return {}
    known = who & np.isfinite(odds) & np.isfinite(gland)
    if not known[who].all():
        return {}
    try:
        found = discrimination.paired_test(outcome[known], odds[known], gland[known])
    except NotEstimableError:
        return {}
    cells: dict[str, Any] = {"p_value_gland": found.p_value}
    if control is not Control.PLANTED_MARKER:
        better = found.difference > 0 and found.p_value <= ALARM
        finding = ControlFinding.BETTER_THAN_GLAND if better else ControlFinding.NOT_BETTER
        cells["finding"] = finding.value
    return cells
