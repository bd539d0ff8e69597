"""The patients of a split as the controls use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.config.signature import Embeddings, SignatureConfig
from thyrocast.signature import alignment
from thyrocast.signature.split import read_split

Array = NDArray[np.float64]
Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Side:
    """Training patients, or test patients with an outcome, of a split.

    Attributes
    ----------
    cohort : DataFrame
        Their rows of `COHORT`, index 0 to n - 1.
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    embeddings : ndarray, (n, p)
        As the signature and the heads of the first member use them: training patients by the network
        that did not see them, aligned with the features of the first member.
    full : ndarray, (n, p)
        By the network of the first member, which has seen the outcomes of the training patients,
        except for those of its fold.
    row : ndarray of int, (n,)
        Row of each patient in the cohort's images.
    """

    cohort: pd.DataFrame
    outcome: Array
    embeddings: Array = field(repr=False)
    full: Array = field(repr=False)
    row: NDArray[np.int64] = field(repr=False)

    @property
    def center(self) -> Texts:
        """Center of each patient (n,)."""
        return self.cohort["center"].to_numpy(dtype=np.str_)

    @property
    def patient(self) -> Texts:
        """Pseudonym of each patient (n,)."""
        return self.cohort["patient"].to_numpy(dtype=np.str_)


@dataclass(frozen=True)
class ControlSplit:
    """A split: its name, its training patients and its test patients with an outcome."""

    design: str
    split: str
    train: Side
    test: Side


def read(
    cohort: Path,
    splits: Path,
    embeddings: Path,
    rows: Mapping[str, int],
    names: tuple[str, str],
    config: SignatureConfig,
) -> ControlSplit:
    """Read a split.

    Parameters
    ----------
    cohort, splits, embeddings
        cohort.csv, splits.csv and embeddings.npy of the split.
    rows
        Row of every patient in the cohort.
    names
        Design and split.
    config
        Its `embeddings` decides whether training patients' embeddings are cross-fitted.
    """
    data = read_split(cohort, splits, *names)
    members = np.load(embeddings, mmap_mode="r", allow_pickle=False)
    full = np.asarray(members[0], dtype=np.float64)
    used = full.copy()
    if config.embeddings is Embeddings.CROSS_FITTED:
        views = [view[data.train] for view in members]
        used[data.train], mapped = alignment.into_member(views, data.fold[data.train], 1)
        used[~data.train] = mapped(full[~data.train])

    def side(chosen: NDArray[np.bool_]) -> Side:
        patients = data.cohort[chosen].reset_index(drop=True)
        place = np.array([rows[name] for name in patients["patient"]], dtype=np.int64)
        return Side(patients, data.outcome[chosen], used[chosen], full[chosen], place)

    tested = ~data.train & np.isfinite(data.outcome)
    return ControlSplit(names[0], names[1], side(data.train), side(tested))
