"""A finished study in a folder: every file that the report reads, from a seeded generator."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

import thyrocast
from tests.unit.report import example_tables
from tests.unit.report.example_tables import SKILL
from thyrocast import fileio, report
from thyrocast.config.study import StudyConfig
from thyrocast.contract import documents, evaluation, io, splits
from thyrocast.contract import files as contract_files
from thyrocast.contract.cohort import COHORT, QUALITY, QUANTITIES
from thyrocast.contract.documents import (
    CenterFlow,
    Flow,
    Provenance,
    SimulationSummary,
    TrueRisk,
)
from thyrocast.contract.table import Table
from thyrocast.explanation import attention
from thyrocast.explanation.attention import Explained
from thyrocast.report.reading import EVALUATION

Centers = Mapping[str, tuple[str, int]]
Designs = Mapping[str, Sequence[str]]
MEMBERS = ("fold-1", "fold-2", "fold-3", "fold-4")
CENTERS: Centers = {
    "north": ("development", 66),
    "harbour": ("development", 58),
    "valley": ("development", 49),
    "lakeside": ("external", 52),
    "coast": ("prospective", 9),
}
DESIGNS: Designs = {"holdout": ["1"], "loco": ["north", "harbour", "valley"], "external": ["all"]}
# A study small enough to be rendered often.
SMALL_CENTERS: Centers = {
    "north": ("development", 40),
    "valley": ("development", 36),
    "lakeside": ("external", 30),
    "coast": ("prospective", 5),
}
SMALL_DESIGNS: Designs = {"loco": ["north", "valley"], "external": ["all"]}
# One baseline of two predictors, the first with a bend, as in signature/model.json.
MODEL = {
    "recalibration": {"clinical": {"intercept": 0.1, "slope": 0.8}},
    "members": {
        "fold-1": {
            "scales": {"clinical": {"mean": 0.2, "spread": 0.9}},
            "baselines": {
                "clinical": {
                    "coding": [
                        {"column": "age", "center": 44.0, "scale": 13.0},
                        {
                            "column": "sex", "center": 0.25, "scale": 0.43, "level": "male",
                            "levels": ["female", "male"],
                        },
                    ],
                    "bends": [
                        {
                            "term": 0, "knots": [-1.3, 0.0, 1.3], "intercept": 0.7, "slope": 0.9,
                            "scale": 1.6,
                        }
                    ],
                    "indicators": [],
                    "intercept": 0.5,
                    "coefficients": [-0.2, 0.3, 0.1],
                }
            },
        }
    },
}  # fmt: skip
# Text that would do harm if the page took it for markup, an attribute, a formula or mathematics.
HOSTILE = '"><img src=x onerror=alert(1)> $\\frac{'


def config(centers: Centers = SMALL_CENTERS, **settings: Any) -> StudyConfig:
    """The config of an example study; settings replace those of the example."""
    given = {"rule": "given", "cured": [1], "not_cured": [0]}
    blocks = [
        {
            "name": f"center_{place}",
            "role": role,
            "dicom": "dicom",
            "clinical": "clinical.csv",
            "columns": {"patient": "id", "outcome": "result"},
            "eligibility": {"all_rows": True},
            "outcome": given,
        }
        for place, (role, _) in enumerate(centers.values())
    ]
    example = {
        "study": "example",
        "centers": blocks,
        "folds": 4,
        "network": {"epochs": 30},
        "report": {"overlays": 24},
    }
    read = StudyConfig.read(example | settings)
    # Names are set afterwards, so that a test may use names that no config may have.
    named = [
        center.model_copy(update={"name": name})
        for center, name in zip(read.centers, centers, strict=True)
    ]
    return read.model_copy(update={"centers": tuple(named)})


def files(
    folder: Path,
    designs: Designs = SMALL_DESIGNS,
    members: Sequence[str] = MEMBERS[:2],
    simulation: Path | None = None,
) -> report.StudyFiles:
    """The files of an example study."""
    return report.StudyFiles(
        cohort=folder / "cohort" / "cohort.csv",
        flow=folder / "cohort" / "flow.json",
        division=folder / "splits.csv",
        provenance=folder / "provenance.json",
        simulation=simulation,
        images=folder / "cohort" / "images.npy",
        evaluation={table.name: folder / table.path for table in EVALUATION},
        splits=tuple(
            report.SplitFiles(
                design=design,
                split=split,
                histories={m: place / "network" / m / "history.csv" for m in members},
                path=place / "signature" / "path.csv",
                features=place / "signature" / "features.csv",
                correlates=place / "signature" / "correlates.csv",
                activating=place / "signature" / "activating.csv",
                optimism=place / "signature" / "optimism.csv",
                gradcam=place / "explanation" / "gradcam.csv",
                model=place / "signature" / "model.json",
            )
            for design, names in designs.items()
            for split in names
            for place in [folder / "splits" / design / split]
        ),
        maps={
            design: report.MapFiles(
                shares=place / "shares.csv",
                attention=place / "attention.csv",
                randomization=place / "randomization.csv",
                curves=place / "curves.csv",
                agreement=place / "agreement.csv",
                pictures=place / "pictures",
            )
            for design in designs
            for place in [folder / "explanation" / design]
        },
    )


def with_table(
    study: report.StudyResults, table: Table, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> report.StudyResults:
    """The study with one table of the evaluation changed."""
    changed = io.conform(table, change(study.tables[table.name].copy()))
    return dataclasses.replace(study, tables={**study.tables, table.name: changed})


def with_cohort(
    study: report.StudyResults, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> report.StudyResults:
    """The study with its cohort changed."""
    return dataclasses.replace(study, cohort=io.conform(COHORT, change(study.cohort.copy())))


def write_study(
    folder: Path,
    centers: Centers = SMALL_CENTERS,
    designs: Designs = SMALL_DESIGNS,
    models: Sequence[str] = tuple(SKILL),
    vendor: str = "Vendor A",
) -> None:
    """Write the files of a study whose patients are simulated."""
    random = np.random.default_rng(7)
    cohort = _cohort(folder, centers, vendor, random)
    division, scored = [], []
    found = files(folder, designs)
    explained: dict[str, list[Explained]] = {design: [] for design in designs}
    for split in found.splits:
        train, test = _divide(cohort, split.design, split.split)
        key = {"design": split.design, "split": split.split}
        division += [
            {**key, "patient": patient, "set": "train", "fold": place % 3 + 1}
            for place, patient in enumerate(train["patient"])
        ]
        division += [
            {**key, "patient": patient, "set": "test", "fold": None} for patient in test["patient"]
        ]
        _write_split(split, train, random)
        own = example_tables.explained(split.split, test, random)
        io.write(splits.GRADCAM, own.patients, split.gradcam)
        explained[split.design].append(own)
        for model in models:
            for side, who in (("train", train), ("test", test)):
                score = SKILL.get(model, 0.5) * who["risk"] + random.normal(0, 1, len(who))
                probability = 1 / (1 + np.exp(-score))
                scored.append(who.assign(**key, model=model, set=side, probability=probability))
    for design, parts in explained.items():
        _write_maps(design, parts, found.maps[design], random)
    predictions = pd.concat(scored, ignore_index=True)
    for table, rows in example_tables.evaluated(predictions, designs, models, random).items():
        io.write(table, io.build(table, rows), folder / table.path)
    io.write(
        evaluation.PREDICTIONS,
        predictions[list(evaluation.PREDICTIONS.names)],
        folder / evaluation.PREDICTIONS.path,
    )
    io.write(splits.SPLITS, io.build(splits.SPLITS, division), folder / "splits.csv")
    provenance = Provenance(
        thyrocast=thyrocast.__version__,
        contract=contract_files.VERSION,
        code="00aa",
        commit="0123abc",
        config={"study": "example"},
        inputs={f"clinical table of {vendor}": "00ff"},
        seed=20250,
        slurm_jobs={},
        system="Linux",
        versions={
            "deep": {"python": "3.11.7", "torch": "2.14.1"},
            "launcher": {"snakemake": "9.27"},
        },
        version_conflicts={},
        jobs_without_versions=[],
    )
    documents.write(provenance, folder / "provenance.json")


def write_simulation(path: Path, centers: Centers = CENTERS) -> Path:
    """Write the simulator's summary, with the discrimination of the true risk."""
    risk = {"simulated": 240, "n": 234, "events": 136, "prevalence": 0.58, "mean_risk": 0.6}
    summary = SimulationSummary(
        simulated=True,
        seed=1,
        formula="logit P(cured) = 1 + 0.5 x size",
        intercept=1.0,
        coefficients={"size": 0.5},
        centers={
            name: TrueRisk(**risk, auc=0.8 + 0.02 * place, expected_auc=0.8)
            for place, name in enumerate(centers)
        },
        overall=TrueRisk(**risk, auc=0.86, expected_auc=0.85),
    )
    documents.write(summary, path)
    return path


def _cohort(
    folder: Path, centers: Centers, vendor: str, random: np.random.Generator
) -> pd.DataFrame:
    """Write cohort.csv and flow.json; return the cohort with each patient's ``risk``."""
    rows, flow = [], {}
    for place, (center, (role, size)) in enumerate(centers.items()):
        risk = random.normal(0.4, 1, size)
        outcome = (random.random(size) < 1 / (1 + np.exp(-1.5 * risk))).astype(int)
        known = role != "prospective"
        for number in range(size):
            patient = {
                "patient": f"c{place}-{number:010x}",
                "center": center,
                "role": role,
                "outcome": int(outcome[number]) if known else None,
            }
            camera = vendor if place % 2 else "Vendor B"
            rows.append(patient | _characteristics(place, center, camera, random))
            rows[-1]["risk"] = float(risk[number])
        excluded = {"no pertechnetate scintigram before therapy": 3, vendor: 1}
        excluded |= {"outcome unknown": 2} if known else {}
        found = size + sum(excluded.values())
        flow[center] = CenterFlow(
            role=role, found=found, in_table=found - 1, in_dicom=found - 2, matched=found - 3,
            excluded=excluded, analyzed=size, cured=int(outcome.sum()) if known else 0,
        )  # fmt: skip
    documents.write(Flow(centers=flow), folder / "cohort" / "flow.json")
    cohort = pd.DataFrame(rows)
    written = cohort.reindex(columns=list(COHORT.names))
    io.write(COHORT, written, folder / "cohort" / "cohort.csv")
    images = np.random.default_rng(8).random((len(cohort), 32, 32), np.float32)
    np.save(folder / "cohort" / "images.npy", images)
    return cohort.assign(outcome=cohort["outcome"].astype("Int64"))


def _characteristics(
    place: int, center: str, camera: str, random: np.random.Generator
) -> dict[str, Any]:
    return {
        "sex": "female" if random.random() < 0.75 else "male",
        "age": float(round(random.normal(44, 13))),
        "gland_mass": random.lognormal(3.5, 0.4),
        "uptake_24h": random.normal(62, 12),
        "activity": float(round(random.normal(420, 90))),
        "trab": None if random.random() < 0.2 else random.lognormal(2, 0.8),
        "ft4": random.lognormal(3.6, 0.4),
        "ft3": random.lognormal(2.6, 0.4),
        "antithyroid_drug": str(random.choice(["methimazole", "propylthiouracil", "none"])),
        "withdrawal_days": float(random.integers(3, 14)),
        "orbitopathy": str(random.choice(["yes", "no"])),
        "smoking": None if center == "valley" else str(random.choice(["never", "current"])),
        "vendor": camera,
        "camera": "dual head",
        "collimator": "LEHR",
        "matrix": 128 * (1 + place % 2),
        "pixel_mm": 2.4,
        "duration_s": 300.0,
        "tc_activity_mbq": 185.0,
        "delay_min": 20.0,
        "simulated": True,
        **{column.name: random.lognormal(1, 0.5) for column in (*QUALITY, *QUANTITIES)},
    }


def _divide(cohort: pd.DataFrame, design: str, split: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    inside = cohort[cohort["role"] == "development"]
    if design == "external":
        return inside, cohort[cohort["role"] != "development"]
    if design == "loco":
        return inside[inside["center"] != split], inside[inside["center"] == split]
    last = np.arange(len(inside)) % 5 == 4
    return inside[~last], inside[last]


def _write_split(
    split: report.SplitFiles, train: pd.DataFrame, random: np.random.Generator
) -> None:
    network = split.path.parents[1] / "network"
    for member in MEMBERS:
        history = example_tables.history(random)
        io.write(splits.HISTORY, history, network / member / "history.csv")
    for table, frame in example_tables.signature(random).items():
        io.write(table, frame, split.path.with_name(f"{table.name}.csv"))
    extreme = example_tables.activating(io.read(splits.FEATURES, split.features), train)
    io.write(splits.ACTIVATING, extreme, split.activating)
    fileio.write_json(split.model, MODEL)


def _write_maps(
    design: str, parts: list[Explained], files: report.MapFiles, random: np.random.Generator
) -> None:
    shares = io.concat(splits.SHARES, [one.shares for one in parts])
    io.write(splits.SHARES, shares, files.shares)
    io.write(splits.ATTENTION, attention.summarize(design, parts, 10), files.attention)
    io.write(
        splits.RANDOMIZATION, example_tables.randomization(parts[0].split), files.randomization
    )
    own = parts[0].split
    curves = example_tables.curves(own, [*parts[0].patients["patient"]], random)
    io.write(splits.CURVES, curves, files.curves)
    io.write(splits.AGREEMENT, example_tables.agreement(own), files.agreement)
    for split, patient in zip(shares["split"], shares["patient"], strict=True):
        _overlay(files.pictures / split / f"{patient}.png", random)


def _overlay(path: Path, random: np.random.Generator) -> None:
    """A small picture that looks like two lobes under a warm map."""
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    lobes = sum(np.exp(-(((x - side) / 0.2) ** 2) - (y / 0.5) ** 2) for side in (-0.35, 0.35))
    warm = np.exp(-(((x - random.normal(0, 0.3)) / 0.35) ** 2) - ((y - 0.1) / 0.4) ** 2)
    pixels = np.stack([lobes * 0.6 + warm * 0.6, lobes * 0.6 + warm * 0.25, lobes * 0.6], axis=-1)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((255 * np.clip(pixels, 0, 1)).astype(np.uint8)).save(path)
