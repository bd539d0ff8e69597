"""Reading a finished study: every file is an input of the rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from thyrocast.config.study import StudyConfig
from thyrocast.contract import (
    controls,
    documents,
    evaluation,
    explanation,
    io,
    learning_curve,
    splits,
    stability,
    updating,
)
from thyrocast.contract.cohort import COHORT, WITHOUT_OUTCOME
from thyrocast.contract.documents import Flow, Provenance, SimulationSummary
from thyrocast.report import applied as application
from thyrocast.report import counted
from thyrocast.report.applied import AppliedFiles
from thyrocast.report.scintigrams import Scintigrams
from thyrocast.report.study import MapResults, SplitResults, StudyResults

#: Tables of the evaluation that the report shows.
EVALUATION = (
    evaluation.PERFORMANCE,
    evaluation.ROC,
    evaluation.CALIBRATION,
    evaluation.CALIBRATION_GROUPS,
    evaluation.DECISION_CURVE,
    evaluation.COMPARISONS,
    evaluation.THRESHOLDS,
    evaluation.PREDICTIONS,
    evaluation.POOLED,
    evaluation.POOLED_CENTERS,
    evaluation.SAMPLE_SIZE,
)
#: Tables that only some studies have.
OPTIONAL = (
    evaluation.MULTIVERSE,
    evaluation.SOURCES,
    WITHOUT_OUTCOME,
    *controls.TABLES,
    *stability.TABLES,
    *learning_curve.TABLES,
    *explanation.TABLES,
    *updating.TABLES,
)


@dataclass(frozen=True)
class SplitFiles:
    """Files of one split of a design.

    Attributes
    ----------
    design, split
        The split.
    histories
        ``history.csv`` of every member.
    path, features, correlates, activating, optimism
        Tables of the signature.
    gradcam
        ``gradcam.csv``.
    model
        ``signature/model.json``.
    """

    design: str
    split: str
    histories: Mapping[str, Path]
    path: Path
    features: Path
    correlates: Path
    activating: Path
    optimism: Path
    gradcam: Path
    model: Path


@dataclass(frozen=True)
class MapFiles:
    """Files about the maps of one design.

    Attributes
    ----------
    shares, attention, randomization, curves, agreement
        Tables with these names.
    pictures
        Folder with a folder of pictures for each split.
    """

    shares: Path
    attention: Path
    randomization: Path
    curves: Path
    agreement: Path
    pictures: Path


@dataclass(frozen=True)
class StudyFiles:
    """Files of a study.

    Attributes
    ----------
    cohort, flow, division, provenance
        ``cohort.csv``, ``flow.json``, ``splits.csv`` and ``provenance.json``.
    simulation
        ``summary.json`` of the simulator, if the patients are simulated.
    evaluation
        Tables of the evaluation (`EVALUATION`, and some of `OPTIONAL`), by name.
    splits
        Files of every split.
    maps
        Files about the maps, by design.
    applied
        Files about a locked model that was applied; None if models were trained.
    images
        ``images.npy``, which the internal page shows.
    """

    cohort: Path
    flow: Path
    division: Path
    provenance: Path
    simulation: Path | None
    evaluation: Mapping[str, Path]
    splits: tuple[SplitFiles, ...]
    maps: Mapping[str, MapFiles]
    applied: AppliedFiles | None = None
    images: Path | None = None


def read_study(files: StudyFiles, config: StudyConfig) -> StudyResults:
    """Read a finished study.

    Raises
    ------
    InputError
        If a file is missing or is not as the contract declares it.
    """
    cohort = io.read(COHORT, files.cohort)
    rows = {str(patient): row for row, patient in enumerate(cohort["patient"])}
    whole = StudyResults(
        config=config,
        cohort=cohort,
        scintigrams=Scintigrams(files.images, rows) if files.images else None,
        flow=documents.read(Flow, files.flow),
        division=io.read(splits.SPLITS, files.division),
        splits=tuple(_read_split(split) for split in files.splits),
        maps={design: _read_maps(found) for design, found in files.maps.items()},
        provenance=documents.read(Provenance, files.provenance),
        simulation=(
            documents.read(SimulationSummary, files.simulation) if files.simulation else None
        ),
        applied=application.read(files.applied) if files.applied else None,
        tables={
            table.name: io.read(table, files.evaluation[table.name])
            for table in (*EVALUATION, *OPTIONAL)
            if table in EVALUATION or table.name in files.evaluation
        },
    )
    return counted.without_apart(whole)


def _read_split(files: SplitFiles) -> SplitResults:
    return SplitResults(
        design=files.design,
        name=files.split,
        histories={
            member: io.read(splits.HISTORY, file) for member, file in files.histories.items()
        },
        path=io.read(splits.PATH, files.path),
        features=io.read(splits.FEATURES, files.features),
        correlates=io.read(splits.CORRELATES, files.correlates),
        activating=io.read(splits.ACTIVATING, files.activating),
        optimism=io.read(splits.OPTIMISM, files.optimism),
        gradcam=io.read(splits.GRADCAM, files.gradcam),
        model=files.model,
    )


def _read_maps(files: MapFiles) -> MapResults:
    return MapResults(
        shares=io.read(splits.SHARES, files.shares),
        attention=io.read(splits.ATTENTION, files.attention),
        randomization=io.read(splits.RANDOMIZATION, files.randomization),
        curves=io.read(splits.CURVES, files.curves),
        agreement=io.read(splits.AGREEMENT, files.agreement),
        pictures=files.pictures,
    )
