"""Training patients in whom a selected feature is highest and lowest: what it looks at can be seen in them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract import io
from thyrocast.contract.splits import ACTIVATING, End
from thyrocast.signature.model import FittedMember, selected

#: Patients of each end.
MOST = 5


def activating(
    members: Mapping[str, FittedMember],
    cohort: pd.DataFrame,
    embeddings: Mapping[str, NDArray[np.floating]],
) -> pd.DataFrame:
    """Return the table `ACTIVATING`.

    Parameters
    ----------
    members
        The fitted members, by name.
    cohort : DataFrame
        n rows of `COHORT`: the training patients.
    embeddings : mapping of ndarray, (n, 2048)
        Their embeddings by the network of each member.
    """
    count = min(MOST, len(cohort) // 2)
    patient, center = (cohort[name].to_numpy(dtype=np.str_) for name in ("patient", "center"))
    rows = []
    for name, features, values in selected(members, embeddings):
        spread = values.std(axis=0)
        for place in np.flatnonzero(spread > 0):
            relative = (values[:, place] - values[:, place].mean()) / spread[place]
            # Equal values by pseudonym: the same patients in every run.
            order = np.lexsort((patient, relative))
            for end, chosen in ((End.HIGHEST, order[::-1][:count]), (End.LOWEST, order[:count])):
                rows += [
                    {
                        "member": name,
                        "feature": int(features[place]),
                        "end": end.value,
                        "rank": rank,
                        "patient": patient[row],
                        "center": center[row],
                        "value": float(relative[row]),
                    }
                    for rank, row in enumerate(chosen, start=1)
                ]
    return io.build(ACTIVATING, rows)
