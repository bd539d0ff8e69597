"""A finished study in memory: its tables, documents and config."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from thyrocast.config.signature import Embeddings
from thyrocast.config.study import Outcomes, StudyConfig
from thyrocast.contract import evaluation
from thyrocast.contract.documents import Flow, Provenance, SimulationSummary
from thyrocast.contract.names import ALL_SPLITS, HEADS, STRONGEST_FIRST, GroupKind, Model, Set
from thyrocast.contract.table import Table
from thyrocast.pages.numbers import percent
from thyrocast.report import words
from thyrocast.report.applied import Applied
from thyrocast.report.scintigrams import Scintigrams


@dataclass(frozen=True)
class SplitResults:
    """Results of the training in one split of a design.

    Attributes
    ----------
    design, name
        The split.
    histories
        Training history of every member.
    path, features, correlates, activating, optimism, gradcam
        Tables of the signature and of the maps, as declared in `thyrocast.contract.splits`.
    model
        ``signature/model.json``, with the numbers of the baselines.
    """

    design: str
    name: str
    histories: Mapping[str, pd.DataFrame] = field(repr=False)
    path: pd.DataFrame = field(repr=False)
    features: pd.DataFrame = field(repr=False)
    correlates: pd.DataFrame = field(repr=False)
    activating: pd.DataFrame = field(repr=False)
    optimism: pd.DataFrame = field(repr=False)
    gradcam: pd.DataFrame = field(repr=False)
    model: Path


@dataclass(frozen=True)
class MapResults:
    """What the maps of a design's test patients show.

    Attributes
    ----------
    shares, attention, randomization, curves, agreement
        Tables of these names in `contract.splits`.
    pictures
        Folder with a folder for each split, with one picture per test patient.
    """

    shares: pd.DataFrame = field(repr=False)
    attention: pd.DataFrame = field(repr=False)
    randomization: pd.DataFrame = field(repr=False)
    curves: pd.DataFrame = field(repr=False)
    agreement: pd.DataFrame = field(repr=False)
    pictures: Path


@dataclass(frozen=True)
class StudyResults:
    """Everything that the report shows of a finished study.

    Attributes
    ----------
    config
        The study's config.
    cohort
        The analyzed patients.
    flow
        Numbers of patients from those found to those analyzed, by center.
    division
        The set of every patient in every split (``splits.csv``).
    splits
        Results of the training in each split.
    maps
        What the maps show, by design.
    provenance
        Code, data and versions.
    simulation
        The simulator's summary; None if the patients are real.
    tables
        Tables of the evaluation, by name.
    applied
        The locked model that was applied; None if models were trained.
    scintigrams
        The images of the cohort, for the internal page; None without them.
    """

    config: StudyConfig
    cohort: pd.DataFrame = field(repr=False)
    flow: Flow
    division: pd.DataFrame = field(repr=False)
    splits: tuple[SplitResults, ...]
    maps: Mapping[str, MapResults]
    provenance: Provenance
    simulation: SimulationSummary | None
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    applied: Applied | None = None
    scintigrams: Scintigrams | None = None

    @cached_property
    def _by_design(self) -> dict[tuple[str, str], pd.DataFrame]:
        return {
            (name, str(design)): part
            for name, table in self.tables.items()
            if "design" in table
            for design, part in table.groupby("design", sort=False)
        }

    @cached_property
    def _cells(self) -> dict[tuple[str, str, str], npt.NDArray[np.object_]]:
        """Columns of text as objects, which are compared faster."""
        return {
            (*key, column): part[column].to_numpy(object)
            for key, part in self._by_design.items()
            for column in part.columns[part.dtypes == "str"]
        }

    def select(self, table: Table, *, design: str, **equal: str) -> pd.DataFrame:
        """Rows of a table of the evaluation whose columns have the given values, in file order.

        Parameters
        ----------
        table
            One of `thyrocast.contract.evaluation`.
        design, equal
            Value of each column.
        """
        rows = self._by_design.get((table.name, str(design)))
        if rows is None:
            return self.tables[table.name].iloc[:0]
        if not equal:
            return rows
        key = (table.name, str(design))
        cells = [self._cells[*key, name] == str(value) for name, value in equal.items()]
        return rows[np.logical_and.reduce(cells)]

    @cached_property
    def designs(self) -> list[str]:
        """Designs that were evaluated, strongest evidence first."""
        # All centers of a design may have sent exchange files: it has pooled results only.
        found = {*self.tables[evaluation.PERFORMANCE.name]["design"]}
        found |= {*self.tables[evaluation.POOLED.name]["design"]}
        return [name for name in STRONGEST_FIRST if name in found]

    @property
    def centers(self) -> list[str]:
        """Centers in the order of the config."""
        return self.config.names()

    @property
    def level(self) -> str:
        """Confidence level of all intervals, in words."""
        return percent(self.config.evaluation.confidence, 1).replace(".0", "")

    @property
    def simulated(self) -> float:
        """Share of the analyzed patients who are simulated."""
        if self.cohort.empty:
            return 1.0 if self.simulation else 0.0
        return float(self.cohort["simulated"].fillna(False).mean())

    @property
    def shuffled(self) -> bool:
        """Whether this is a null run, with outcomes permuted at random."""
        return self.config.outcomes is Outcomes.SHUFFLED

    @property
    def in_sample(self) -> bool:
        """Whether the signature was fitted on in-sample embeddings, as published."""
        return self.config.signature.embeddings is Embeddings.IN_SAMPLE

    def centers_of(self, design: str) -> int:
        """Number of centers that the patients of a design come from."""
        patients = self.division.loc[self.division["design"] == design, "patient"]
        return int(self.cohort.loc[self.cohort["patient"].isin(patients), "center"].nunique())

    def models(self, design: str) -> list[str]:
        """Models scored in a design: the study's own in the report's order, then external ones."""
        found = [*self.select(evaluation.PERFORMANCE, design=design)["model"].unique()]
        own = [model.value for model in Model if model in found]
        return own + sorted(set(found) - set(own))

    def overall(self, design: str, set_name: str = Set.TEST) -> str:
        """The split that represents a whole design: ``all``, or its first one."""
        rows = self.select(evaluation.PERFORMANCE, design=design, set=set_name)
        names = [*rows["split"].unique()]
        return ALL_SPLITS if ALL_SPLITS in names or not names else str(names[0])

    def pooled_rows(self, table: Table, design: str, set_name: str, **equal: str) -> pd.DataFrame:
        """Rows about all patients of a design's set, in the split that represents the design."""
        return self.select(
            table, design=design, split=self.overall(design, set_name), set=set_name,
            group_kind=GroupKind.POOLED, **equal,
        )  # fmt: skip


def missing_models(study: StudyResults, design: str) -> list[str]:
    """Models of the study that were not scored in a design, in words."""
    scored = study.models(design)
    asked = {head.value for head in study.config.signature.heads}
    expected = [model for model in Model if model not in HEADS or model.value in asked]
    return [words.model(model) for model in expected if model not in scored]
