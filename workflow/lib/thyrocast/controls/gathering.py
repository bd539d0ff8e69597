"""Images and columns of the patients whom the controls learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from thyrocast import seeds
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import columns
from thyrocast.contract.control_names import Control, Harmonized, ProbeSource
from thyrocast.contract.names import Role
from thyrocast.controls import learners, pictures
from thyrocast.controls.inputs import Side
from thyrocast.controls.pictures import Pictures
from thyrocast.controls.probe import Probed
from thyrocast.controls.sources import People


def development(cohort: pd.DataFrame, images: Path, masks: Path, field_mm: float) -> People:
    """Development patients with an outcome.

    Parameters
    ----------
    cohort : DataFrame
        The table `COHORT`; row i belongs to image i.
    images, masks
        images.npy and masks.npy.
    field_mm : float
        Side of an image.
    """
    chosen = (cohort["role"] == Role.DEVELOPMENT) & cohort["outcome"].notna()
    rows = np.flatnonzero(chosen.to_numpy())
    patients = cohort.iloc[rows].reset_index(drop=True)
    return People(
        patients,
        patients["outcome"].to_numpy(dtype=np.float64),
        _pictures(images, masks, field_mm, rows),
    )


def probed(
    side: Side, images: Path, masks: Path, field_mm: float, config: SignatureConfig, seed: int
) -> Probed:
    """What the center of a split's training patients is predicted from, before and after harmonization.

    Parameters
    ----------
    side
        The training patients.
    images, masks, field_mm
        As in `development`.
    config
        The signature's block of the config.
    seed : int
    """
    shown = _pictures(images, masks, field_mm, side.row).part(Control.WHOLE_IMAGE)
    quantities = side.cohort[list(columns.QUANTITIES)]
    own = seeds.derive(seed, "center-probe", "quantities")
    found: dict[tuple[ProbeSource, Harmonized], learners.Learner] = {}
    for source, features in (
        (ProbeSource.EMBEDDINGS, side.full),
        (ProbeSource.WHOLE_IMAGE, shown),
    ):
        found[source, Harmonized.NONE] = learners.pixels(features)
        for method in (Harmonized.ZSCORE, Harmonized.COMBAT):
            found[source, method] = learners.within_centers(features, side.center, method.value)
    found[ProbeSource.QUANTITIES, Harmonized.NONE] = learners.columns(quantities, config, own)
    return found


def _pictures(images: Path, masks: Path, field_mm: float, rows: pictures.Rows) -> Pictures:
    stored = [np.load(file, mmap_mode="r", allow_pickle=False) for file in (images, masks)]
    return pictures.take(stored[0], stored[1], rows, field_mm / stored[0].shape[-1])
