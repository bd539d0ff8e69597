"""Read a finished study by the paths of the contract; what a study lacks is an empty table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from thyrocast import fileio
from thyrocast.evaluation import layout
from thyrocast.report import words

# The evaluation's tables but that of the prediction sets, of which the report needs the summary alone.
COLUMNS = {name: columns for name, columns in layout.COLUMNS.items() if name != "prediction_sets"}
HISTORY = (
    "epoch", "learning_rate", "train_loss", "validation_loss", "validation_auc", "seconds", "best",
)  # fmt: skip
PATH = ("lambda", "nonzero", "cv_deviance", "cv_se", "chosen")
FEATURES = ("feature", "coefficient", "importance")
OPTIMISM = ("metric", "apparent", "optimism", "corrected", "resamples")
GRADCAM = ("patient", "center", "outcome", "target", "probability", "inside", "area", "status")
# Everything else is a number.
TEXT = {
    "design", "split", "model", "set", "group", "metric", "ci_method", "model_a", "model_b",
    "method", "rule", "patient", "center", "purpose", "criterion", "detail", "feature", "status",
    "sufficient", "role", "chosen", "best", "target",
}  # fmt: skip
YES = ("1", "1.0", "true", "yes")


@dataclass(frozen=True)
class Split:
    """What one split of a design left behind."""

    design: str
    name: str
    histories: Mapping[str, pd.DataFrame]
    path: pd.DataFrame
    features: pd.DataFrame
    optimism: pd.DataFrame
    gradcam: pd.DataFrame
    overlays: Path


@dataclass(frozen=True)
class Study:
    """A finished study as the report needs it; tables that were not made are empty."""

    title: str
    settings: Mapping[str, Any]
    cohort: pd.DataFrame
    flow: Mapping[str, Mapping[str, Any]]
    partition: pd.DataFrame
    splits: Sequence[Split]
    provenance: Mapping[str, Any]
    simulation: Mapping[str, Any] | None
    tables: Mapping[str, pd.DataFrame] = field(repr=False)

    def table(self, name: str) -> pd.DataFrame:
        """One of the evaluation's tables."""
        return self.tables[name]

    def setting(self, *keys: str, default: Any = None) -> Any:
        """A value of the study's configuration, by its path of keys."""
        value: Any = self.settings
        for key in keys:
            if not isinstance(value, Mapping) or key not in value:
                return default
            value = value[key]
        return value

    @property
    def designs(self) -> list[str]:
        """Designs that were evaluated, strongest evidence first."""
        found = [*self.table("performance")["design"].unique()]
        known = [name for name in words.DESIGN_ORDER if name in found]
        return known + sorted(set(found) - set(known))

    @property
    def centers(self) -> list[str]:
        """Centers in the order of the configuration."""
        order = [*self.cohort["center"].unique()]
        return order + [name for name in self.flow if name not in order]

    @property
    def level(self) -> str:
        """Confidence level of all intervals, in words."""
        return words.percent(self.setting("evaluation", "confidence", default=0.95), 1).replace(
            ".0", ""
        )

    @property
    def simulated(self) -> float:
        """Share of the analysed patients who are simulated."""
        if self.cohort.empty or "simulated" not in self.cohort:
            return 1.0 if self.simulation else 0.0
        return float(self.cohort["simulated"].str.lower().isin(YES).mean())

    @property
    def shuffled(self) -> bool:
        """Whether this is a null run, whose outcomes were dealt out at random."""
        return str(self.setting("outcomes", default="observed")) == "shuffled"

    @property
    def in_sample(self) -> bool:
        """Whether the signature was fitted on in-sample embeddings, as published."""
        return str(self.setting("signature", "embeddings", default="cross_fitted")) == "in_sample"

    def centers_of(self, design: str) -> int:
        """How many centers the patients of a design come from."""
        who = self.partition.loc[self.partition["design"] == design, "patient"]
        return int(self.cohort.loc[self.cohort["patient"].isin(who), "center"].nunique())

    def models(self, design: str) -> list[str]:
        """Models scored in a design, in the report's order."""
        rows = self.table("performance")
        found = [*rows.loc[rows["design"] == design, "model"].unique()]
        return [name for name in words.MODELS if name in found] + sorted(
            set(found) - set(words.MODELS)
        )

    def overall(self, design: str, set_name: str = "test") -> str:
        """The split that stands for a whole design: ``all``, or its only one."""
        rows = self.table("performance")
        rows = rows[(rows["design"] == design) & (rows["set"] == set_name)]
        names = [*rows["split"].unique()]
        if "all" in names or not names:
            return "all"
        return str(names[0])

    def select(self, table: str, **equal: str) -> pd.DataFrame:
        """Rows of a table whose columns equal the given values, in file order."""
        rows = self.table(table)
        for column, value in equal.items():
            rows = rows[rows[column] == value]
        return rows


def read_study(
    results: Path,
    designs: Mapping[str, Sequence[str]],
    members: Sequence[str],
    title: str,
    settings: Mapping[str, Any],
    simulation_summary: Path | None = None,
) -> Study:
    """Read a study's results folder.

    Parameters
    ----------
    results
        ``results/{study}``.
    designs
        Names of the splits of each design.
    members
        Networks trained within each split.
    title
        What the study is called.
    settings
        Its validated configuration.
    simulation_summary
        ``summary.json`` of the simulation, where the cohort is simulated.
    """
    evaluation = results / "evaluation"
    return Study(
        title=title,
        settings=settings,
        cohort=pd.read_csv(results / "cohort" / "cohort.csv", dtype=str, keep_default_na=False),
        flow=fileio.read_json(results / "cohort" / "flow.json")["centers"],
        partition=_table(results / "splits.csv", ("design", "split", "patient", "set", "fold")),
        splits=[
            _split(results, design, name, members)
            for design, names in designs.items()
            for name in names
        ],
        provenance=_json(results / "provenance.json") or {},
        simulation=_json(simulation_summary),
        tables={
            name: _table(evaluation / f"{name}.csv", columns) for name, columns in COLUMNS.items()
        },
    )


def _split(results: Path, design: str, name: str, members: Sequence[str]) -> Split:
    folder = results / "splits" / design / name
    histories = {
        member: _table(folder / "network" / member / "history.csv", HISTORY) for member in members
    }
    return Split(
        design=design,
        name=name,
        histories={member: rows for member, rows in histories.items() if not rows.empty},
        path=_table(folder / "signature" / "path.csv", PATH),
        features=_table(folder / "signature" / "features.csv", FEATURES),
        optimism=_table(folder / "signature" / "optimism.csv", OPTIMISM),
        gradcam=_table(folder / "explanation" / "gradcam.csv", GRADCAM),
        overlays=folder / "explanation" / "overlays",
    )


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table; one that is absent or empty has the columns and no rows."""
    if not path.is_file() or not path.stat().st_size:
        return pd.DataFrame(columns=list(columns))
    # As text first: a center may be called 007 or NA.
    rows = pd.read_csv(path, dtype=str, keep_default_na=False).reindex(columns=list(columns))
    for column in columns:
        if column not in TEXT:
            rows[column] = pd.to_numeric(rows[column], errors="coerce")
    return rows


def _json(path: Path | None) -> Any:
    return fileio.read_json(path) if path is not None and path.is_file() else None
