"""How far a patient's embedding is from those of the training patients.

For each member, the embeddings of the patients it was trained on are described by their mean and their
first principal components, whose variances are shrunken (Ledoit and Wolf, J Multivar Anal 2004;88:365).
A patient has two distances, as in multivariate process control (Jackson and Mudholkar, Technometrics
1979;21:341): Hotelling's T² within the components (the squared Mahalanobis distance), and Q, the squared
distance from them. Each is divided by its median in the training patients whom the member did not see,
and averaged over members. The limits are the 97.5th percentiles of these patients' own values: an outlier
is beyond either limit, which 5 % of patients like the training patients are, or fewer.

Only means, components, variances and limits are kept: no value of a patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from thyrocast import fileio
from thyrocast.errors import InputError

Array = NDArray[np.float64]

#: Most principal components, and training patients for each.
MOST_COMPONENTS, PATIENTS_PER_COMPONENT = 16, 10
#: Share of the training patients that either limit leaves out.
OUTSIDE = 0.025
# Variances below this share of the total are rounding errors.
_TINY = 1e-12


@dataclass(frozen=True)
class MemberDomain:
    """Distribution of one member's embeddings.

    Attributes
    ----------
    mean : ndarray, (p,)
    components : ndarray, (q, p)
        Orthonormal principal components.
    variances : ndarray, (q,)
        Shrunken variances of the components.
    medians : ndarray, (2,)
        Medians of T² and Q in the patients whom the member did not see.
    """

    mean: Array
    components: Array
    variances: Array
    medians: Array

    def distances(self, embeddings: NDArray[np.floating]) -> Array:
        """T² and Q, (n, 2), of embeddings (n, p), without the medians."""
        centered = np.asarray(embeddings, dtype=np.float64) - self.mean
        scores = centered @ self.components.T
        beyond = np.sum(centered**2, axis=1) - np.sum(scores**2, axis=1)
        return np.stack([np.sum(scores**2 / self.variances, axis=1), np.maximum(beyond, 0)], axis=1)


@dataclass(frozen=True)
class Domain:
    """Distribution of the training patients' embeddings.

    Attributes
    ----------
    members
        By name.
    limits : ndarray, (2,)
        Limits of T² and Q, in multiples of their medians.
    """

    members: Mapping[str, MemberDomain]
    limits: Array

    def distance(self, embeddings: Mapping[str, NDArray[np.floating]]) -> Array:
        """Return the distance (n,) of patients; above 1 is outside of the training patients.

        Parameters
        ----------
        embeddings
            Embeddings (n, p) by each member.
        """
        each = [m.distances(embeddings[name]) / m.medians for name, m in self.members.items()]
        return np.asarray(np.max(np.mean(each, axis=0) / self.limits, axis=1))


def fit(embeddings: Mapping[str, NDArray[np.floating]], fold: NDArray[np.int64]) -> Domain:
    """Describe the embeddings of training patients.

    Parameters
    ----------
    embeddings
        Embeddings (n, p) of the training patients by each member, ``fold-k`` or ``full``.
    fold : ndarray of int, (n,)
        Fold of each patient, from 1. Member ``full`` saw everybody: its limits are in-sample.
    """
    members, seen = {}, []
    for name, values in embeddings.items():
        held_out = fold == int(name.removeprefix("fold-") if name != "full" else 0)
        if not held_out.any():
            held_out = np.ones(len(fold), dtype=bool)
        trained = ~held_out if not held_out.all() else held_out
        described = _describe(np.asarray(values[trained], dtype=np.float64))
        found = described.distances(values[held_out])
        medians = np.maximum(np.median(found, axis=0), _TINY)
        members[name] = MemberDomain(
            described.mean, described.components, described.variances, medians
        )
        seen.append(found / medians)
    ranked = np.sort(np.concatenate(seen), axis=0)
    # The smallest value that a further patient exceeds with a probability of at most `OUTSIDE`.
    place = min(int(np.ceil((1 - OUTSIDE) * (len(ranked) + 1))), len(ranked)) - 1
    return Domain(members, np.maximum(ranked[place], _TINY))


def _describe(values: Array) -> MemberDomain:
    """Mean, components and shrunken variances of embeddings (n, p)."""
    n = len(values)
    mean = values.mean(axis=0)
    _, singular, rows = np.linalg.svd(values - mean, full_matrices=False)
    real = int(np.sum(singular**2 > _TINY * max(float(np.sum(singular**2)), _TINY)))
    q = max(1, min(MOST_COMPONENTS, n // PATIENTS_PER_COMPONENT, real))
    components = rows[:q]
    scores = (values - mean) @ components.T
    shrunken, _ = ledoit_wolf(scores, assume_centered=True)
    variances = np.maximum(np.diag(shrunken), _TINY)
    return MemberDomain(mean, components, variances, np.ones(2))


def save(domain: Domain, path: Path) -> None:
    """Write a domain as safetensors; equal domains give equal bytes."""
    tensors = {"limits": domain.limits}
    for name, member in domain.members.items():
        for part in ("mean", "components", "variances", "medians"):
            tensors[f"{name}.{part}"] = np.ascontiguousarray(getattr(member, part))
    with fileio.atomic(path) as temporary:
        safetensors.numpy.save_file(tensors, temporary)


def load(path: Path) -> Domain:
    """Read what `save` wrote.

    Raises
    ------
    InputError
        If the file contains anything else.
    """
    try:
        tensors = safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, OSError, KeyError) as error:
        raise InputError(f"{path}: cannot be read as safetensors ({error})") from error
    names = sorted({name.rpartition(".")[0] for name in tensors} - {""})
    try:
        members = {
            name: MemberDomain(
                *(
                    tensors.pop(f"{name}.{part}")
                    for part in ("mean", "components", "variances", "medians")
                )
            )
            for name in names
        }
        domain = Domain(members, tensors.pop("limits"))
    except KeyError as error:
        raise InputError(f"{path}: {error.args[0]} is missing") from None
    _check(domain, path)
    if tensors:
        raise InputError(f"{path}: contains {min(tensors)!r}, which is no part of a domain")
    return domain


def _check(domain: Domain, path: Path) -> None:
    """Refuse arrays whose shapes do not fit each other, and numbers that no domain has."""
    for name, member in domain.members.items():
        p, q = len(member.mean), len(member.variances)
        shapes = [
            one.shape for one in (member.mean, member.components, member.variances, member.medians)
        ]
        if shapes != [(p,), (q, p), (q,), (2,)] or domain.limits.shape != (2,):
            raise InputError(f"{path}: the arrays of member {name} have shapes that do not fit")
        arrays = (*vars(member).values(), domain.limits)
        if not all(np.isfinite(array).all() and array.dtype == np.float64 for array in arrays):
            raise InputError(f"{path}: member {name} has values that are no finite numbers")
        if not all(
            (array > 0).all() for array in (member.variances, member.medians, domain.limits)
        ):
            raise InputError(
                f"{path}: member {name} has a variance or a limit that is not positive"
            )
