"""How many patients a stricter or looser quality threshold would leave."""

import numpy as np
import pandas as pd

#: Thresholds of the counts in the gland that are compared.
COUNTS = (0.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0)


def patients_lost(records: pd.DataFrame, thresholds: tuple[float, ...] = COUNTS) -> pd.DataFrame:
    """Count the patients with fewer counts in the gland than each threshold of `image.min_counts`.

    Parameters
    ----------
    records
        A RECORDS table; patients without a gland or without counts (pictures) are in no number.
    thresholds
        Counts.

    Returns
    -------
    DataFrame
        threshold, lost (patients), lost_share (of those with counts).
    """
    counts = records["q_counts"].dropna().to_numpy(float)
    lost = [int((counts < threshold).sum()) for threshold in thresholds]
    share = np.array(lost) / max(counts.size, 1)
    return pd.DataFrame({"threshold": thresholds, "lost": lost, "lost_share": share})
