"""Predictions of test patients with some predictors taken from other patients."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from thyrocast import fileio
from thyrocast.baselines import dose, ridge
from thyrocast.baselines import models as baselines
from thyrocast.contract import columns
from thyrocast.contract.names import Model
from thyrocast.signature import forest
from thyrocast.signature import split as split_data
from thyrocast.signature.model import FittedMember, SignatureModel, recalibration_of

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Predictors of `combined` that come from a network, by the model that they are the log-odds of.
ODDS = {f"{model}_logit": model for model in (Model.NETWORK, Model.SIGNATURE)}
#: Patients, with their donors, who are predicted at once.
ROWS = 20_000
_USED = (*columns.CLINICAL, *columns.QUANTITIES, *columns.READING_PREDICTORS)


@dataclass(frozen=True)
class Tested:
    """The n test patients of a split with an outcome, and the models that predict them.

    Attributes
    ----------
    split
        Its name.
    cohort : DataFrame
        Their rows of `COHORT`, index 0 to n - 1.
    outcome : ndarray of bool, (n,)
    embeddings, logits : mapping of ndarray, (n, p) and (n,)
        By the network of each member.
    model, forests
        Content of model.json and forest.skops.
    """

    split: str
    cohort: pd.DataFrame = field(repr=False)
    outcome: NDArray[np.bool_] = field(repr=False)
    embeddings: Mapping[str, NDArray[np.floating]] = field(repr=False)
    logits: Mapping[str, Array] = field(repr=False)
    model: SignatureModel = field(repr=False)
    forests: Mapping[str, forest.Classifier] = field(repr=False)

    @cached_property
    def features(self) -> dict[str, Array]:
        """Selected features (n, s) of each member that has some."""
        return {
            name: member.signature.select(np.asarray(self.embeddings[name], dtype=np.float64))
            for name, member in self.model.members.items()
            if len(member.signature.features)
        }

    @cached_property
    def images(self) -> dict[str, dict[Model, Array]]:
        """Probabilities (n,) of network and signature by member, as `combined` uses them."""
        found = {}
        for name, member in self.model.members.items():
            votes = self._votes(name)
            odds = {
                Model.NETWORK: member.scaled(Model.NETWORK, self.logits[name]),
                Model.SIGNATURE: member.scaled(Model.SIGNATURE, ridge.bounded_odds(votes)),
            }
            found[name] = member.shown(odds, votes)
        return found

    @cached_property
    def baselines(self) -> list[Model]:
        """Baselines that every member has."""
        members = list(self.model.members.values())
        return [name for name in members[0].baselines if all(name in m.baselines for m in members)]

    def sources(self, name: Model) -> list[str]:
        """Columns of the cohort, and log-odds, that a baseline uses, in a fixed order."""
        terms = {
            term.column
            for member in self.model.members.values()
            for term in member.baselines[name].coding
        }
        used = {source for term in terms for source in dose.SOURCES.get(term, (term,))}
        return [column for column in (*_USED, *ODDS) if column in used]

    def values(self, names: Collection[str]) -> pd.DataFrame:
        """Values (n, names) of sources, log-odds as the mean over members."""
        found = self.cohort[[name for name in names if name not in ODDS]].copy()
        for name in names:
            if name in ODDS:
                odds = [ridge.bounded_odds(one[ODDS[name]]) for one in self.images.values()]
                found[name] = np.mean(odds, axis=0)
        return found

    def baseline(self, name: Model, swapped: Collection[str], donors: Indices) -> Array:
        """Probabilities by a baseline, with some sources of the donors.

        Derived predictors, such as the activity per gram, are computed from what is swapped and what is not.

        Parameters
        ----------
        name
        swapped
            Names as `sources` returns them.
        donors : ndarray of int, (r, n)

        Returns
        -------
        ndarray, (r, n)
        """
        at_once = max(1, ROWS // donors.shape[1])
        parts = [donors[start : start + at_once] for start in range(0, len(donors), at_once)]
        return np.vstack([self._baseline(name, swapped, part) for part in parts])

    def _baseline(self, name: Model, swapped: Collection[str], donors: Indices) -> Array:
        """The same for a few permutations."""
        own = np.tile(np.arange(donors.shape[1]), len(donors))
        taken = donors.ravel()
        table = self.cohort[list(_USED)]
        cohort = table.iloc[own].reset_index(drop=True)
        changed = [column for column in swapped if column not in ODDS]
        if changed:
            cohort[changed] = table[changed].iloc[taken].reset_index(drop=True)
        from_donors = {ODDS[column] for column in swapped if column in ODDS}
        odds = []
        for member_name, member in self.model.members.items():
            images = {
                model: values[taken if model in from_donors else own]
                for model, values in self.images[member_name].items()
            }
            predictors = baselines.predictors(name, cohort, images)
            odds.append(self._odds(member, name, member.baselines[name].odds(predictors)))
        return np.asarray(expit(np.mean(odds, axis=0))).reshape(donors.shape)

    def member_signature(self, name: str, swapped: Collection[int], donors: Indices) -> Array:
        """Probabilities by the signature of one member, with some of its features of the donors.

        Parameters
        ----------
        name
            The member.
        swapped
            Positions of the features among those selected.
        donors : ndarray of int, (r, n)

        Returns
        -------
        ndarray, (r, n)
        """
        places = list(swapped)
        features = np.tile(self.features[name], (len(donors), 1))
        features[:, places] = self.features[name][donors.ravel()][:, places]
        votes = forest.probability(self.forests[name], features)
        return self._joined({name: votes}).reshape(donors.shape)

    def signature(self, donors: Indices) -> Array:
        """Probabilities (r, n) by the signature of all members, with all features of the donors.

        Features have no counterpart in other members, but a patient has one set of images: every member
        takes all of its features from the same donor.
        """
        votes = {name: self._votes(name)[donors.ravel()] for name in self.model.members}
        return self._joined(votes).reshape(donors.shape)

    def _votes(self, name: str) -> Array:
        """Votes (n,) of a member's forest."""
        member = self.model.members[name]
        if name not in self.features:
            return np.full(len(self.outcome), member.signature.prevalence)
        return forest.probability(self.forests[name], self.features[name])

    def _joined(self, votes: Mapping[str, Array]) -> Array:
        """Probabilities by the signature of some members from their votes."""
        if Model.SIGNATURE not in self.model.recalibration:
            return np.asarray(np.mean([*votes.values()], axis=0))
        odds = [
            self._odds(self.model.members[name], Model.SIGNATURE, ridge.bounded_odds(found))
            for name, found in votes.items()
        ]
        return np.asarray(expit(np.mean(odds, axis=0)))

    def _odds(self, member: FittedMember, name: Model, odds: Array) -> Array:
        """Standardized and recalibrated log-odds of a member."""
        return recalibration_of(self.model.recalibration, name).odds(member.scaled(name, odds))


class SplitFiles(NamedTuple):
    """embeddings.npy, network.csv, model.json and forest.skops of a split."""

    embeddings: Path
    network: Path
    model: Path
    forest: Path


def read(cohort: Path, splits: Path, files: SplitFiles, design: str, split: str) -> Tested:
    """Read the test patients of a split with an outcome, and its models.

    Parameters
    ----------
    cohort, splits
        cohort.csv and splits.csv.
    files
        Files of the split.
    design, split
        Which split.
    """
    data = split_data.read_split(cohort, splits, design, split)
    chosen = ~data.train & np.isfinite(data.outcome)
    model = SignatureModel.model_validate(fileio.read_json(files.model))
    embeddings = np.load(files.embeddings, mmap_mode="r", allow_pickle=False)
    return Tested(
        split=split,
        cohort=data.cohort[chosen].reset_index(drop=True),
        outcome=data.outcome[chosen] == 1,
        embeddings={name: embeddings[n][chosen] for n, name in enumerate(model.members)},
        logits={
            name: odds[chosen] for name, odds in split_data.read_logits(files.network, data).items()
        },
        model=model,
        forests=forest.load(files.forest),
    )
