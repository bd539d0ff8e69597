"""What a therapy deposits in the gland, as far as it is known before the therapy.

The mean absorbed dose of the gland is (Hänscheid et al., EANM standard operational procedure, Eur J
Nucl Med Mol Imaging 2013;40:1126)

    D = E · A / m · ∫ u(t) dt,    E = 2.808 Gy·g/(MBq·d),

with administered activity A (MBq), mass m (g) and the gland's share u(t) of the activity. If u falls
exponentially from its value U at 24 h with an effective half-life T (days), the integral is U · T / ln 2.
T is not measured in most hospitals; as in that procedure for a single measurement, one value is used
for all patients. It changes the unit of the dose, but neither the order of patients nor a fit to log D.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

# Mean energy per decay that stays in a gland of 20 g, Gy·g/(MBq·d).
ENERGY = 2.808
# Effective half-life of iodine-131 in Graves' disease, days.
HALF_LIFE = 5.5
#: Columns of the cohort from which each derived predictor is computed.
SOURCES = {
    "activity_per_gram": ("gland_mass", "activity"),
    "retained_per_gram": ("gland_mass", "uptake_24h", "activity"),
    "absorbed_dose": ("gland_mass", "uptake_24h", "activity"),
}


def activity_per_gram(cohort: pd.DataFrame) -> pd.Series[Any]:
    """Administered activity per gram of gland (MBq/g); NaN if one is missing or the mass is 0."""
    mass = cohort["gland_mass"]
    return cohort["activity"] / mass.where(mass > 0)


def retained_per_gram(cohort: pd.DataFrame) -> pd.Series[Any]:
    """Activity in a gram of gland after 24 h (MBq/g), not corrected for decay; NaN if unknown."""
    return activity_per_gram(cohort) * cohort["uptake_24h"] / 100


def absorbed_dose(cohort: pd.DataFrame) -> pd.Series[Any]:
    """Mean absorbed dose of the gland (Gy) by the formula of the module; NaN if unknown."""
    return retained_per_gram(cohort) * ENERGY * HALF_LIFE / math.log(2)
