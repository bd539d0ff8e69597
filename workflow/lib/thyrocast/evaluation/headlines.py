"""The results that are pooled over centers; needs pandas only."""

from __future__ import annotations

import pandas as pd

from thyrocast.contract.exchange import SCALES
from thyrocast.contract.names import ALL_SPLITS, GroupKind, Set


def test_rows(performance: pd.DataFrame) -> pd.DataFrame:
    """Rows of all patients and of each center of test sets, in the split that represents the design.

    A design with several splits is represented by the split `all`, which joins them.
    """
    test = performance[performance["set"] == Set.TEST]
    joined = test["design"].isin(test.loc[test["split"] == ALL_SPLITS, "design"])
    return test[
        (test["group_kind"] != GroupKind.SUBGROUP) & (~joined | (test["split"] == ALL_SPLITS))
    ]


def headlines(performance: pd.DataFrame) -> pd.DataFrame:
    """First row of each metric that is pooled, of all patients and of each center of test sets."""
    rows = test_rows(performance)
    chosen = rows[rows["metric"].isin([str(metric) for metric in SCALES])]
    return chosen.drop_duplicates(["design", "model", "metric", "at", "group_kind", "group"])
