"""What one member learns from its network's features: LASSO and forest, and the heads."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.signature import Selection
from thyrocast.contract.names import HEADS, Model
from thyrocast.signature import alignment, forest, heads, lasso_forest
from thyrocast.signature.alignment import LinearMap
from thyrocast.signature.cross_fitting import Part, Training
from thyrocast.signature.heads import Head
from thyrocast.signature.lasso_forest import LassoForest
from thyrocast.signature.model import Signature

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ImageModels:
    """The models of a member on embeddings.

    Attributes
    ----------
    part
        The member and its patients.
    space : ndarray, (n, p)
        Embeddings of all training patients in the feature space of the member.
    to_space
        Map of embeddings by the member's network to this space; None if they are used as they are.
    fitted
        LASSO and forest.
    heads
        Linear models in this space.
    """

    part: Part
    space: Array
    to_space: LinearMap | None
    fitted: LassoForest
    heads: dict[Model, Head]

    def votes(self, prevalence: float) -> Array:
        """Probability of cure by the forest, of the patients whom the member predicts, (m,)."""
        space = self.space[self.part.predicted]
        if len(self.fitted.features) == 0:
            return np.full(len(space), prevalence)
        return self.fitted.predict(space)

    def head_odds(self, name: Model) -> Array:
        """Log-odds by a head of the patients whom the member predicts, (m,)."""
        return self.heads[name].odds(self.space[self.part.predicted])

    def learned(self, outcome: Array) -> tuple[Array, Array]:
        """Embeddings (m, p) and outcomes (m,) to which the models were fitted."""
        return self.space[self.part.seen], outcome[self.part.seen]

    def signature(self, prevalence: float) -> Signature:
        """The signature as it is stored, for embeddings by the member's network."""
        parameters = self.fitted.classifier.get_params()
        path, selected = self.fitted.path, self.fitted.features
        constant, matrix = None, None
        if self.to_space is not None:
            constant, matrix = self.to_space.columns(selected)
        return Signature(
            features=selected,
            coefficients=self.fitted.coefficients,
            intercept=self.fitted.intercept,
            constant=constant,
            matrix=matrix,
            penalty=None if path is None else float(path.path.penalties[self.fitted.chosen]),
            chosen=self.fitted.chosen,
            importances=forest.importances(self.fitted.classifier),
            prevalence=prevalence,
            trees=parameters.get("n_estimators", 0),
            smallest_leaf=parameters.get("min_samples_leaf", 0),
        )

    def stored_heads(self) -> dict[Model, Head]:
        """The heads as they are stored, for embeddings by the member's network."""
        return {name: head.after(self.to_space) for name, head in self.heads.items()}


def fit(part: Part, embeddings: Sequence[NDArray[np.float32]], training: Training) -> ImageModels:
    """Fit LASSO, forest and heads of a member.

    Parameters
    ----------
    part
        The member.
    embeddings : sequence of ndarray, (n, p)
        Of the training patients by the network of each member.
    training
        The training patients.
    """
    if training.cross_fitted:
        space, to_space = alignment.into_member(embeddings, training.fold, part.position + 1)
    else:
        space, to_space = np.asarray(embeddings[part.position], dtype=np.float64), None
    seen, outcome = space[part.seen], training.outcome[part.seen]
    seed, threads = part.seed(training.seed, "signature"), training.threads
    copies = training.copies(part)
    fitted = lasso_forest.fit(seen, outcome, training.config, seed, threads, copies)
    _log_selection(part, fitted, training)
    asked = {head.value for head in training.config.heads}
    found = {
        name: heads.fit(
            name, seen, outcome, training.config, part.seed(training.seed, name), copies
        )
        for name in HEADS
        if name.value in asked
    }
    return ImageModels(part, space, to_space, fitted, found)


def _log_selection(part: Part, fitted: LassoForest, training: Training) -> None:
    """Log the number of selected features, with a warning if it is unusual."""
    name = f"signature, {part.name}"
    if fitted.path is None:
        logger.warning("%s: only one outcome, the prevalence is predicted", name)
    elif len(fitted.features) == 0:
        logger.warning("%s: the LASSO selects no feature, the prevalence is predicted", name)
    else:
        logger.info("%s: %d features selected", name, len(fitted.features))
        last = fitted.chosen == len(fitted.path.path.penalties) - 1
        if last and training.config.selection is not Selection.COUNT:
            logger.warning(
                "%s: the smallest penalty of the path was chosen, the best may be smaller", name
            )
