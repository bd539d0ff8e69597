"""The table of deletion and insertion curves."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract import io
from thyrocast.contract.control_names import Curve
from thyrocast.contract.splits import CURVES

Areas = NDArray[np.float64]


def table(split: str, patients: Sequence[str], areas: dict[Curve, Areas]) -> pd.DataFrame:
    """Return the table `CURVES` of one split.

    Parameters
    ----------
    split
        Its name.
    patients
        Pseudonyms of n patients.
    areas : dict of ndarray, (n, 1 + moved)
        As `perturbation.curves` returns them, by curve; NaN for a map of zeros.
    """
    rows = []
    for curve, values in areas.items():
        # The lower the probability after a deletion, the better the map.
        worse = np.greater if curve is Curve.DELETION else np.less
        for patient, own in zip(patients, values, strict=True):
            if np.isnan(own[0]) or len(own) < 2:
                continue
            rows.append(
                {
                    "split": split, "patient": patient, "curve": curve.value, "area": own[0],
                    "moved": own[1:].mean(), "better_than": int(worse(own[1:], own[0]).sum()),
                    "places": len(own) - 1,
                }
            )  # fmt: skip
    return io.build(CURVES, rows)
