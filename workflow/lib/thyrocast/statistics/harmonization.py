"""Features of several centers on one scale: each center's location and spread are removed.

Outcomes take no part. A center that was not learned from is harmonized by its own patients' features
alone (transductive): this needs a group of its patients, and removes what differs between
their distribution and that of the training patients, whether camera or disease.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thyrocast.statistics.inputs import Floats, NotEstimableError

Texts = NDArray[np.str_]

METHODS = ("zscore", "combat")
#: Largest relative change of the last step of the empirical Bayes estimates.
TOLERANCE = 1e-4
#: Most steps of these estimates.
STEPS = 10_000


class Shift(NamedTuple):
    """Location and variance (q,) of a center's standardized features."""

    location: Floats
    variance: Floats


@dataclass(frozen=True)
class Harmonization:
    """What is learned from the patients of the training centers.

    Attributes
    ----------
    method
        ``zscore``: location and variance of each center as they are. ``combat``: shrunken towards those
        of all features, by empirical Bayes.
    varying : ndarray of bool, (p,)
        Features that vary within centers; the others stay as they are.
    mean, scale : ndarray of float, (q,)
        Of the varying features: mean of the centers, weighted by their patients, and pooled standard
        deviation within centers.
    centers
        Shift of each training center.
    """

    method: str
    varying: NDArray[np.bool_]
    mean: Floats
    scale: Floats
    centers: dict[str, Shift]

    def shift(self, features: Floats) -> Shift:
        """Estimate a center's shift from features (n, p) of its own patients.

        Raises
        ------
        NotEstimableError
            With fewer than two patients.
        """
        if len(features) < 2:
            raise NotEstimableError("the shift of a center needs at least two of its patients")
        return _shift(self._standard(features), self.method)

    def apply(self, features: Floats, shift: Shift) -> Floats:
        """Bring features (n, p) of a center to the scale of the training patients."""
        result = np.array(features, dtype=np.float64)
        result[:, self.varying] = self.alike(features, shift) * self.scale + self.mean
        return result

    def alike(self, features: Floats, shift: Shift) -> Floats:
        """Return the varying features (n, q) of a center on one scale, with mean 0 and standard deviation 1."""
        spread = np.sqrt(np.where(shift.variance > 0, shift.variance, 1.0))
        return np.asarray((self._standard(features) - shift.location) / spread)

    def _standard(self, features: Floats) -> Floats:
        return np.asarray((features[:, self.varying] - self.mean) / self.scale)


def learn(features: Floats, center: Texts, method: str) -> Harmonization:
    """Learn to harmonize from the training patients.

    Parameters
    ----------
    features : ndarray of float, (n, p)
    center : ndarray of str, (n,)
        Center of each patient; each has at least two patients.
    method : {"zscore", "combat"}

    Raises
    ------
    NotEstimableError
        If a center has fewer than two patients, or the estimates do not converge.
    ValueError
        If the method is unknown.

    Notes
    -----
    ComBat without covariates: Johnson, Li and Rabinovic, Biostatistics 2007;8:118; Fortin et al.,
    Neuroimage 2017;161:149.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}, expected one of {', '.join(METHODS)}")
    names, place, size = np.unique(center, return_inverse=True, return_counts=True)
    if size.min() < 2:
        raise NotEstimableError(f"center {names[size.argmin()]} has fewer than two patients")
    means = np.stack([features[place == number].mean(axis=0) for number in range(len(names))])
    mean = size @ means / size.sum()
    scale = np.sqrt(((features - means[place]) ** 2).mean(axis=0))
    # Shrunken towards the other features, a constant one would become a marker of the center.
    varying = scale > 1e-10 * np.abs(mean).max(initial=1e-300)
    mean, scale = mean[varying], scale[varying]
    standard = (features[:, varying] - mean) / scale
    centers = {
        str(name): _shift(standard[place == number], method) for number, name in enumerate(names)
    }
    return Harmonization(method, varying, mean, scale, centers)


def _shift(standard: Floats, method: str) -> Shift:
    """Location and variance of a center's standardized features (n, p)."""
    location, variance = standard.mean(axis=0), standard.var(axis=0, ddof=1)
    if method == "zscore":
        return Shift(location, variance)
    spread = variance.var(ddof=1) if len(variance) > 1 else 0.0
    prior = location.mean(), location.var(ddof=1) if len(location) > 1 else 0.0
    if spread <= 0 or prior[1] <= 0:
        return Shift(
            location, variance
        )  # Nothing is shared: there is one feature, or all are equal.
    shape = (2 * spread + variance.mean() ** 2) / spread
    rate = (variance.mean() * spread + variance.mean() ** 3) / spread
    n = len(standard)
    old_location, old_variance = location, variance
    for _ in range(STEPS):
        new_location = (prior[1] * n * location + old_variance * prior[0]) / (
            prior[1] * n + old_variance
        )
        squares = ((standard - new_location) ** 2).sum(axis=0)
        new_variance = (squares / 2 + rate) / (n / 2 + shape - 1)
        change = max(
            np.abs(
                (new_location - old_location) / np.where(old_location == 0, 1, old_location)
            ).max(),
            np.abs(
                (new_variance - old_variance) / np.where(old_variance == 0, 1, old_variance)
            ).max(),
        )
        old_location, old_variance = new_location, new_variance
        if change <= TOLERANCE:
            return Shift(new_location, new_variance)
    raise NotEstimableError(f"the empirical Bayes estimates did not converge in {STEPS} steps")
