"""Patients with Graves' disease and the outcome of their first iodine-131 therapy.

Everything that the outcome depends on is drawn here, so that the true risk of every simulated
patient is known. Medians and spreads follow what thyroid clinics report for Graves' disease (EANM
guideline on radioiodine therapy of benign thyroid disease 2023; SNMMI procedure standard for thyroid
scintigraphy 3.0); they are round numbers, not estimates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.simulated_scan import ActivityStrategy, CaseMixConfig, TreatmentConfig
from thyrocast.config.simulation import RiskConfig

Values = NDArray[np.float64]

#: Term of each coefficient of the risk; it is zero for the reference patient.
TERMS = {
    "gland_mass": "log2(gland mass / 40 g)",
    "uptake": "log2(Tc-99m uptake at 20 min / 12 %)",
    "heterogeneity": "heterogeneity - 0.4",
    "activity": "log2(administered I-131 activity / 550 MBq)",
}


@dataclass(frozen=True)
class SimulatedPatients:
    """One center's patients; every array is (n,).

    Attributes
    ----------
    sex
        ``female`` or ``male``.
    age
        Years.
    mass
        Mass of the gland, g.
    uptake
        Fraction of the injected pertechnetate in the gland at 20 min.
    heterogeneity
        0 (even) to 1 (nodular).
    activity
        Administered iodine-131 activity, MBq.
    trab
        TSH-receptor antibodies, IU/L.
    ft4, ft3
        Free thyroxine and triiodothyronine, pmol/L.
    uptake_24h
        Iodine uptake, percent.
    antithyroid_drug, orbitopathy, smoking
        Codes as in the cohort.
    withdrawal_days
        Days from the last drug to therapy.
    probability
        True probability of cure.
    outcome
        1 cured, 0 not cured.
    """

    sex: NDArray[np.str_]
    age: Values
    mass: Values
    uptake: Values
    heterogeneity: Values
    activity: Values
    trab: Values
    ft4: Values
    ft3: Values
    uptake_24h: Values
    antithyroid_drug: NDArray[np.str_]
    withdrawal_days: NDArray[np.int64]
    orbitopathy: NDArray[np.str_]
    smoking: NDArray[np.str_]
    probability: Values
    outcome: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.mass)


def logit_terms(
    mass: Values, uptake: Values, heterogeneity: Values, activity: Values
) -> dict[str, Values]:
    """Compute the quantities of `TERMS` for masses in g, uptakes as fractions and activities in MBq."""
    return {
        "gland_mass": np.log2(mass / 40.0),
        "uptake": np.log2(uptake / 0.12),
        "heterogeneity": heterogeneity - 0.4,
        "activity": np.log2(activity / 550.0),
    }


def cure_probability(
    risk: RiskConfig,
    mass: Values,
    uptake: Values,
    heterogeneity: Values,
    activity: Values,
) -> Values:
    """Compute the true probability of cure: a logistic function of `logit_terms`.

    Parameters
    ----------
    risk
        Intercept (the logit of the reference patient), and coefficients by the names of `TERMS`.
    mass, uptake, heterogeneity, activity
        As in `SimulatedPatients`.
    """
    terms = logit_terms(mass, uptake, heterogeneity, activity)
    weights = risk.coefficients.plain()
    logit = risk.intercept + sum(weights[name] * value for name, value in terms.items())
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def _prescribe(
    treatment: TreatmentConfig, mass: Values, uptake_24h: Values, rng: np.random.Generator
) -> Values:
    """Draw the iodine-131 activities, MBq: fixed ones of the center, or calculated from mass."""
    n = len(mass)
    if treatment.strategy is ActivityStrategy.FIXED:
        # Larger glands tend to get a higher activity, as in practice, but not always.
        rank = np.argsort(np.argsort(np.log(mass) + rng.normal(0.0, 0.9, n))) / n
        choices = np.sort(np.asarray(treatment.activities, dtype=float))
        planned = choices[(rank * len(choices)).astype(int)]
    else:
        # Per gram and corrected for uptake, within the limits of the department.
        planned = (
            treatment.per_gram * mass / (uptake_24h / 100.0) * np.exp(rng.normal(0.0, 0.35, n))
        )
        planned = np.clip(planned, treatment.minimum, treatment.maximum)
    # The measured activity differs slightly from the planned one.
    return np.asarray(np.round(planned * rng.normal(1.0, 0.02, n), 1))


def draw(
    n: int,
    case_mix: CaseMixConfig,
    treatment: TreatmentConfig,
    risk: RiskConfig,
    rng: np.random.Generator,
) -> SimulatedPatients:
    """Draw ``n`` patients of one center with their therapy and its outcome.

    Parameters
    ----------
    n
        Number of patients.
    case_mix
        Distributions of mass, uptake and heterogeneity.
    treatment
        How the activity is chosen.
    risk
        As in `cure_probability`.
    rng
        Random generator.
    """
    # A common severity makes mass, uptake, antibodies and hormones correlated.
    severity = rng.normal(size=n)

    def correlated(share: float) -> Values:
        return np.asarray(share * severity + np.sqrt(1 - share**2) * rng.normal(size=n))

    mass = case_mix.mass_median * np.exp(case_mix.mass_spread * correlated(0.65))
    uptake_z = correlated(0.65)
    uptake = case_mix.uptake_median * np.exp(case_mix.uptake_spread * uptake_z)
    mass, uptake = np.clip(mass, 10.0, 150.0), np.clip(uptake, 0.02, 0.45)
    mean = case_mix.heterogeneity_mean
    heterogeneity = rng.beta(2.2 * mean, 2.2 * (1.0 - mean), n)
    uptake_24h = 100.0 / (1.0 + np.exp(-(0.55 + 0.5 * uptake_z + rng.normal(0.0, 0.45, n))))
    activity = _prescribe(treatment, mass, uptake_24h, rng)
    probability = cure_probability(risk, mass, uptake, heterogeneity, activity)
    drug = rng.choice(
        ("methimazole", "carbimazole", "propylthiouracil", "none"), n, p=(0.5, 0.15, 0.07, 0.28)
    )
    return SimulatedPatients(
        sex=np.where(rng.random(n) < 0.78, "female", "male"),
        age=np.clip(np.round(rng.normal(44.0, 13.0, n)), 18, 85),
        mass=mass,
        uptake=uptake,
        heterogeneity=heterogeneity,
        activity=activity,
        trab=np.round(np.exp(np.log(8.0) + 0.8 * correlated(0.6)), 1),
        ft4=np.round(np.exp(np.log(38.0) + 0.35 * correlated(0.6)), 1),
        ft3=np.round(np.exp(np.log(14.0) + 0.40 * correlated(0.6)), 1),
        uptake_24h=np.round(uptake_24h, 1),
        antithyroid_drug=drug,
        withdrawal_days=np.where(drug == "none", 0, rng.integers(3, 15, n)),
        orbitopathy=np.where(rng.random(n) < 0.22, "yes", "no"),
        smoking=rng.choice(("never", "former", "current"), n, p=(0.55, 0.2, 0.25)),
        probability=probability,
        outcome=(rng.random(n) < probability).astype(np.int64),
    )
