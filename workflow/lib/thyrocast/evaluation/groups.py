"""Centers and subgroups: which patients belong to them, and which are too small to be reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from thyrocast.config.evaluation import EvaluationConfig, MinimumCountConfig
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.names import GroupKind, Metric, Set, Status
from thyrocast.evaluation.periods import PERIOD
from thyrocast.evaluation.samples import POOLED, Group, Sample, Samples, Texts
from thyrocast.statistics.inputs import Booleans

MISSING = "missing"
#: Column that divides patients to whom a locked model was applied: like its training patients or not.
DISTRIBUTION = "training_range"
#: Column that says why a patient is scored apart from those with a frozen prediction.
STANDING = "standing"


class Division(NamedTuple):
    """A way to divide a sample: by center, by a column of the cohort, or by split (no kind)."""

    kind: GroupKind | None
    variable: str = ""

    @property
    def rank(self) -> str:
        """Text that orders groups of equal size, so that every run suppresses the same groups."""
        if self.kind is GroupKind.SUBGROUP:
            return f"subgroup:{self.variable}="
        return "split:" if self.kind is None else f"{self.kind}:"


CENTERS, SPLITS = Division(GroupKind.CENTER), Division(None)
#: A division and the name of one of its parts.
Part = tuple[Division, str]
#: Patients of each part, (n,); None for a part that must not be reported.
Parts = Mapping[Part, Booleans | None]


def by_training_range(cohort: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    """Return the cohort with the column `DISTRIBUTION`: ``inside`` or ``outside``.

    Parameters
    ----------
    cohort
        Table `COHORT`.
    patients
        Table `contract.deployment.APPLIED_PATIENTS`.
    """
    outside = patients.set_index("patient")["outside"].astype(bool)
    label = cohort["patient"].map(outside).map({True: "outside", False: "inside"})
    return cohort.assign(**{DISTRIBUTION: label})


@dataclass(frozen=True)
class Batch:
    """Samples of all models of one split and set, with their centers and subgroups.

    Attributes
    ----------
    split, set
        As in the tables.
    divided
        Whether centers and subgroups are included.
    samples
        Samples, model by model: all patients first, then centers and subgroups.
    suppressed
        Indices of the samples that must not be reported.
    """

    split: str
    set: Set
    divided: bool
    samples: Sequence[Sample]
    suppressed: frozenset[int]

    @property
    def reported(self) -> list[Sample]:
        """Samples that are reported."""
        return [s for index, s in enumerate(self.samples) if index not in self.suppressed]

    @property
    def pooled(self) -> list[Sample]:
        """Reported samples of all patients, one per model."""
        return [sample for sample in self.reported if sample.group == POOLED]


def batches(samples: Samples, cohort: pd.DataFrame, config: EvaluationConfig) -> list[Batch]:
    """Divide samples into groups, and mark those that must not be reported.

    Parameters
    ----------
    samples
        Every sample of a design.
    cohort
        Table `COHORT`, for the subgroups; with the column `PERIOD` also by period of therapy.
    config
        The config's block `evaluation`.

    Returns
    -------
    list of Batch
        Each split's training and test samples; finally the test samples of all splits, divided.
    """
    least = config.minimum_count
    labels = {str(name): subgroups(cohort[name], cuts) for name, cuts in config.subgroups.items()}
    for column in (DISTRIBUTION, STANDING, PERIOD):
        if column in cohort:
            labels[column] = subgroups(cohort[column], ())
    named = {
        name: dict(zip(cohort["patient"], found, strict=True)) for name, found in labels.items()
    }
    whole = samples.whole()
    parts = {sample.model: divide(sample, divisions(sample, named), least) for sample in whole}
    found = []
    for split in samples.splits:
        train = samples.of_split(split, Set.TRAIN)
        hidden = [index for index, sample in enumerate(train) if too_small(sample, least)]
        found.append(Batch(split, Set.TRAIN, False, train, frozenset(hidden)))
        if len(samples.splits) > 1:
            # A split is a group of patients as well: a center, or some of the patients.
            test = samples.of_split(split, Set.TEST)
            hidden = [
                index
                for index, sample in enumerate(test)
                if too_small(sample, least)
                or parts[sample.model].get((SPLITS, split), sample.outcome) is None
            ]
            found.append(Batch(split, Set.TEST, False, test, frozenset(hidden)))
    return [*found, _divided(whole, parts, least)]


def _divided(
    whole: Sequence[Sample], parts: Mapping[str, Parts], least: MinimumCountConfig
) -> Batch:
    found: list[Sample] = []
    hidden: list[int] = []
    for sample in whole:
        if too_small(sample, least):
            hidden.append(len(found))
        found.append(sample)
        for (division, name), inside in parts[sample.model].items():
            if division.kind is None:
                continue
            if inside is None:
                hidden.append(len(found))
            # A suppressed sample is not scored, so it contains no patients.
            members = np.zeros(sample.size, dtype=np.bool_) if inside is None else inside
            found.append(sample.among(members, Group(division.kind, division.variable, name)))
    split = whole[0].split if whole else ""
    return Batch(split, Set.TEST, True, found, frozenset(hidden))


def subgroups(values: pd.Series[Any], cuts: Sequence[float]) -> list[str]:
    """Name of the subgroup of each patient: the category, or the place between the cuts.

    Parameters
    ----------
    values
        Column of the cohort, (n,).
    cuts
        Values at which numbers are divided; none for categories.

    Examples
    --------
    >>> subgroups(pd.Series([35.0, 40.0, None, 50.0]), [60, 40])
    ['<40', '40-<60', 'missing', '40-<60']
    """
    ordered = sorted(cuts)
    return [MISSING if pd.isna(value) else _subgroup(value, ordered) for value in values]


def _subgroup(value: Any, cuts: Sequence[float]) -> str:
    if isinstance(value, str):
        return value if value.strip() else MISSING
    number = float(value)
    if not cuts:
        return f"{number:.6g}"
    above = sum(number >= cut for cut in cuts)
    if above == 0:
        return f"<{cuts[0]:g}"
    if above == len(cuts):
        return f">={cuts[-1]:g}"
    return f"{cuts[above - 1]:g}-<{cuts[above]:g}"


def divisions(sample: Sample, labels: Mapping[str, Mapping[str, str]]) -> dict[Division, Texts]:
    """The ways in which a sample is divided, each with the part of every prediction, (n,).

    Parameters
    ----------
    sample
        Predictions of one model.
    labels
        For each column the subgroup of every patient.
    """
    found = {CENTERS: sample.center}
    for column, label in labels.items():
        names = np.array([label.get(patient, MISSING) for patient in sample.patient])
        if np.unique(names).size > 1:
            found[Division(GroupKind.SUBGROUP, column)] = names
    if sample.origin is not None:
        found[SPLITS] = sample.origin
    return found


def too_small(sample: Sample, least: MinimumCountConfig) -> bool:
    """Whether a sample has fewer patients, or fewer of an outcome, than may be reported."""
    rarer = min(sample.events, sample.patients - sample.events)
    return sample.patients < least.patients or rarer < least.outcomes


def divide(
    sample: Sample, ways: Mapping[Division, Texts], least: MinimumCountConfig
) -> dict[Part, Booleans | None]:
    """Patients of each part of a sample; None for a part that must not be reported.

    Parameters
    ----------
    sample
        Predictions of one model.
    ways
        Divisions, as `divisions` returns them.
    least
        Fewest patients of a reported group.

    Notes
    -----
    It must not be possible to derive a suppressed group from the reported ones. Within a division,
    the smallest groups are suppressed until all suppressed patients together are as many as
    `least`. Across divisions (all patients of a vendor may be those of two centers), further groups
    are suppressed until no sum and difference of the reported ones gives a group that is too small.

    Patients whose value is missing are not a group that anyone could recognize. Too few of them are
    not reported, but others are suppressed for their sake only if all have the same outcome: only
    then does their number of cured patients show the outcome of each.
    """
    members: dict[Part, Booleans] = {}
    small: set[Part] = set()
    hidden: set[Part] = set()

    def size(part: Part) -> tuple[int, str]:
        return int(members[part].sum()), part[0].rank + part[1]

    for division, names in ways.items():
        own = {(division, str(name)): names == name for name in np.unique(names)}
        members |= own
        few = {part for part, who in own.items() if too_small(sample.among(who), least)}
        hidden |= few
        left = {part for part in few if not _harmless(part, sample.among(own[part]))}
        small |= left
        shown = sorted(own.keys() - few, key=size)
        while left and shown:
            together = np.any([own[part] for part in left], axis=0)
            if not too_small(sample.among(together), least):
                break
            left.add(shown.pop(0))
        hidden |= left
    while small:
        shown = sorted(members.keys() - hidden, key=size)
        revealing = _revealing([members[part] for part in shown], [members[part] for part in small])
        if revealing is None:
            break
        hidden.add(shown[revealing])
    return {part: None if part in hidden else who for part, who in members.items()}


def _harmless(part: Part, sample: Sample) -> bool:
    """Whether a group is that of a missing value, with both outcomes."""
    division, name = part
    named = division.kind is GroupKind.SUBGROUP and name == MISSING
    return named and 0 < sample.events < sample.patients


def _revealing(shown: Sequence[Booleans], small: Sequence[Booleans]) -> int | None:
    """Index of the first shown group from which, with others, a small group can be derived."""
    if not shown:
        return None
    # Patients who are in the same groups share one equation.
    kinds = np.unique(np.stack([*shown, *small], axis=1), axis=0).astype(np.float64)
    known = np.column_stack([kinds[:, : len(shown)], np.ones(len(kinds))])
    for wanted in kinds[:, len(shown) :].T:
        share = np.linalg.lstsq(known, wanted, rcond=None)[0]
        used = np.flatnonzero(np.abs(share[:-1]) > 1e-6)
        if used.size and np.abs(known @ share - wanted).max() < 1e-6:
            return int(used[0])
    return None


def suppressed_row(sample: Sample, least: MinimumCountConfig) -> pd.DataFrame:
    """Row of `PERFORMANCE` for a sample that must not be reported: its name and the reason."""
    cells = {
        "variable": sample.group.variable,
        "metric": Metric.AUC,
        "rule": "",
        "ci_method": "",
        "status": Status.SUPPRESSED,
        "note": f"fewer than {least.patients} patients or {least.outcomes} of an outcome, or a group "
        "from which such a group could be derived",
    }
    return pd.DataFrame([dict.fromkeys(PERFORMANCE.names) | sample.keys() | cells])
