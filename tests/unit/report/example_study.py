"""A finished study in a folder: every table of the contract, drawn from a seeded generator."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from thyrocast import fileio
from thyrocast.contract import columns as contract_columns
from thyrocast.report.reading import COLUMNS

SKILL = {"network": 0.9, "signature": 1.2, "handcrafted": 0.8, "clinical": 0.9, "combined": 1.4}
MEMBERS = ("full", "fold-1", "fold-2", "fold-3")
CENTERS = {
    "north": ("development", 66),
    "harbour": ("development", 58),
    "valley": ("development", 49),
    "lakeside": ("external", 52),
    "coast": ("prospective", 9),
}
DESIGNS = {"holdout": ["1"], "loco": ["north", "harbour", "valley"], "external": ["all"]}
SETTINGS: dict[str, Any] = {
    "study": "example",
    "seed": 20250,
    "outcomes": "observed",
    "folds": 3,
    "holdout": {"test_fraction": 0.2, "repeats": 1},
    "image": {"size": 224, "field_mm": 160, "intensity": "relative"},
    "network": {"weights": "random", "epochs": 30},
    "signature": {"embeddings": "cross_fitted"},
    "report": {"overlays": 24},
}
# Text that would do harm if the page took it for markup, an attribute, a formula or mathematics.
HOSTILE = '"><img src=x onerror=alert(1)> $\\frac{'


# A study small enough to be rendered often.
SMALL_CENTERS = {
    "north": ("development", 40),
    "valley": ("development", 36),
    "lakeside": ("external", 30),
    "coast": ("prospective", 5),
}
SMALL_DESIGNS = {"loco": ["north", "valley"], "external": ["all"]}


def rewrite(folder: Path, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change one table of a study."""
    path = folder / name
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


def auc(outcome: np.ndarray, score: np.ndarray) -> float:
    """Probability that a cured patient scores above one who was not cured."""
    cured, failed = score[outcome == 1], score[outcome == 0]
    difference = cured[:, None] - failed[None, :]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def write_study(
    folder: Path,
    centers: Mapping[str, tuple[str, int]] = CENTERS,
    designs: Mapping[str, Sequence[str]] | None = None,
    models: Sequence[str] = tuple(SKILL),
    simulated: bool = True,
    vendor: str = "Vendor A",
    seed: int = 7,
) -> dict[str, list[str]]:
    """Write ``results/{study}`` into a folder and return its designs and their splits."""
    random = np.random.default_rng(seed)
    if designs is None:
        inside = [name for name, (role, _) in centers.items() if role == "development"]
        designs = DESIGNS | {"loco": inside}
    cohort = _cohort(folder, centers, simulated, vendor, random)
    evaluation: dict[str, list[tuple[object, ...]]] = {name: [] for name in COLUMNS}
    division: list[tuple[object, ...]] = []
    for design, names in designs.items():
        parts = []
        for name in names:
            train, test = _divide(cohort, design, name)
            fold = np.arange(len(train)) % 3 + 1
            division += [
                (design, name, p, "train", f) for p, f in zip(train.patient, fold, strict=True)
            ]
            division += [(design, name, p, "test", "") for p in test.patient]
            _fit(folder / "splits" / design / name, test, random)
            for model in models:
                for set_name, who in (("train", train), ("test", test)):
                    score = SKILL.get(model, 0.5) * who["risk"] + random.normal(0, 1, len(who))
                    rows = who.assign(
                        design=design, split=name, model=model, set=set_name,
                        probability=1 / (1 + np.exp(-score)),
                    )  # fmt: skip
                    parts.append(rows)
        predictions = pd.concat(parts)
        evaluation["predictions"] += list(
            predictions[list(COLUMNS["predictions"])].itertuples(index=False, name=None)
        )
        for name in [*names, "all"] if len(names) > 1 else names:
            _evaluate(evaluation, predictions, design, name, models, random)
    _pool(evaluation, centers, designs, models)
    for purpose, criterion, needed, enough in (
        ("development", "shrinkage of at most 10 %", 1180, 0),
        ("development", "overall risk within 5 percentage points", 375, 0),
        ("validation", "AUC within 0.1", 172, 1),
        ("validation", "calibration slope within 0.4", 411, 0),
    ):
        evaluation["sample_size"].append(
            (purpose, criterion, needed, round(needed * 0.6), len(cohort), 120, enough, "")
        )
    for name, columns in COLUMNS.items():
        fileio.write_csv(folder / "evaluation" / f"{name}.csv", columns, evaluation[name])
    fileio.write_csv(folder / "splits.csv", ("design", "split", "patient", "set", "fold"), division)
    _provenance(folder, vendor)
    return {design: list(names) for design, names in designs.items()}


def write_simulation(path: Path, centers: Mapping[str, tuple[str, int]] = CENTERS) -> Path:
    """Write the simulator's summary, with the discrimination of the true risk."""
    fileio.write_json(
        path,
        {
            "formula": "logit P(cured) = 1 + 0.5 x size",
            "overall": {"auc": 0.86, "expected_auc": 0.85, "n": 234, "events": 136},
            "centers": {
                name: {"auc": 0.8 + 0.02 * place, "patients": size, "cured": size // 2}
                for place, (name, (_, size)) in enumerate(centers.items())
            },
        },
    )
    return path


def _cohort(
    folder: Path,
    centers: Mapping[str, tuple[str, int]],
    simulated: bool,
    vendor: str,
    random: np.random.Generator,
) -> pd.DataFrame:
    rows, flow = [], {}
    for place, (center, (role, size)) in enumerate(centers.items()):
        risk = random.normal(0.4, 1, size)
        outcome = (random.random(size) < 1 / (1 + np.exp(-1.5 * risk))).astype(int)
        for number in range(size):
            rows.append(
                {
                    "patient": f"c{place}-{number:010x}",
                    "center": center,
                    "role": role,
                    "outcome": "" if role == "prospective" else str(outcome[number]),
                    "sex": "female" if random.random() < 0.75 else "male",
                    "age": round(random.normal(44, 13)),
                    "gland_mass": round(random.lognormal(3.5, 0.4), 1),
                    "uptake_24h": round(random.normal(62, 12), 1),
                    "activity": round(random.normal(420, 90)),
                    "trab": "" if random.random() < 0.2 else round(random.lognormal(2, 0.8), 1),
                    "ft4": round(random.lognormal(3.6, 0.4), 1),
                    "ft3": round(random.lognormal(2.6, 0.4), 1),
                    "antithyroid_drug": random.choice(["methimazole", "propylthiouracil", "none"]),
                    "withdrawal_days": random.integers(3, 14),
                    "orbitopathy": random.integers(0, 2),
                    "smoking": "" if center == "valley" else random.integers(0, 2),
                    "vendor": vendor if place % 2 else "Vendor B",
                    "camera": "dual head",
                    "collimator": "LEHR",
                    "matrix": 128 * (1 + place % 2),
                    "pixel_mm": 2.4,
                    "duration_s": 300,
                    "tc_activity_mbq": 185,
                    "delay_min": 20,
                    "simulated": int(simulated),
                    **{
                        name: round(random.lognormal(1, 0.5), 3)
                        for name in contract_columns.QUANTITIES
                    },
                    "risk": risk[number],
                }
            )
        known = role != "prospective"
        excluded = {
            "no pertechnetate scintigram before therapy": 3,
            "outcome unknown": 2 * known,
            vendor: 1,
        }
        excluded = {reason: n for reason, n in excluded.items() if n}
        found = size + sum(excluded.values())
        flow[center] = {
            "found": found, "in_table": found - 1, "in_dicom": found - 2, "matched": found - 3,
            "excluded": excluded, "analysed": size,
            "cured": int(outcome.sum()) if known else None, "role": role,
        }  # fmt: skip
    cohort = pd.DataFrame(rows)
    header = (
        "patient",
        "center",
        "role",
        "outcome",
        *contract_columns.CLINICAL,
        *contract_columns.ACQUISITION,
        *contract_columns.QUANTITIES,
    )
    fileio.write_csv(
        folder / "cohort" / "cohort.csv",
        header,
        cohort.reindex(columns=list(header), fill_value="").itertuples(index=False, name=None),
    )
    fileio.write_json(folder / "cohort" / "flow.json", {"centers": flow})
    return cohort


def _divide(cohort: pd.DataFrame, design: str, split: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    inside = cohort[cohort.role == "development"]
    if design == "external":
        return inside, cohort[cohort.role != "development"]
    if design == "loco":
        return inside[inside.center != split], inside[inside.center == split]
    last = np.arange(len(inside)) % 5 == 4
    return inside[~last], inside[last]


def _fit(folder: Path, test: pd.DataFrame, random: np.random.Generator) -> None:
    for member in MEMBERS:
        size = random.integers(14, 26)
        epochs = np.arange(1, size + 1)
        train = 0.7 * np.exp(-epochs / 14) + random.normal(0, 0.01, size)
        held = 0.66 - 0.12 * np.exp(-((epochs - 9) ** 2) / 40) + random.normal(0, 0.015, size)
        rows = zip(
            epochs, 1e-3 * np.cos(epochs / 40), train, held, 0.8 - held / 4, 2 + epochs * 0,
            epochs == held.argmin() + 1, strict=True,
        )  # fmt: skip
        fileio.write_csv(
            folder / "network" / member / "history.csv",
            (
                "epoch",
                "learning_rate",
                "train_loss",
                "validation_loss",
                "validation_auc",
                "seconds",
                "best",
            ),
            [[*row[:-1], int(row[-1])] for row in rows],
        )
    strength = np.logspace(0, -2.5, 60)
    deviance = 1.25 + 0.12 * (np.log10(strength) + 1.1) ** 2 + random.normal(0, 0.003, 60)
    chosen = int(deviance.argmin()) - 8
    fileio.write_csv(
        folder / "signature" / "path.csv",
        ("lambda", "nonzero", "cv_deviance", "cv_se", "chosen"),
        [
            (s, round(i**1.35 / 4), d, 0.04, int(i == chosen))
            for i, (s, d) in enumerate(zip(strength, deviance, strict=True))
        ],
    )
    features = sorted(random.choice(2048, 14, replace=False))
    weight = np.sort(random.dirichlet(np.full(14, 3.0)))[::-1]
    fileio.write_csv(
        folder / "signature" / "features.csv",
        ("feature", "coefficient", "importance"),
        [(f"f{f:04d}", random.normal(0, 0.4), w) for f, w in zip(features, weight, strict=True)],
    )
    fileio.write_csv(
        folder / "signature" / "optimism.csv",
        ("metric", "apparent", "optimism", "corrected", "resamples"),
        [("auc", 0.94, 0.13, 0.81, 200)],
    )
    gradcam = []
    for place, row in enumerate(test.itertuples()):
        blank = place == 4
        inside = 0.0 if blank else float(np.clip(random.normal(0.46, 0.14), 0, 1))
        gradcam.append(
            (row.patient, row.center, row.outcome, "cured", 1 / (1 + np.exp(-row.risk)),
             "" if blank else inside, 0.16 + 0.02 * random.random(), "all_zero" if blank else "ok")
        )  # fmt: skip
        _overlay(folder / "explanation" / "overlays" / f"{row.patient}.png", random)
    fileio.write_csv(
        folder / "explanation" / "gradcam.csv",
        ("patient", "center", "outcome", "target", "probability", "inside", "area", "status"),
        gradcam,
    )


def _overlay(path: Path, random: np.random.Generator) -> None:
    """A small picture that looks like two lobes under a warm map."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    lobes = sum(np.exp(-(((x - side) / 0.2) ** 2) - (y / 0.5) ** 2) for side in (-0.35, 0.35))
    warm = np.exp(-(((x - random.normal(0, 0.3)) / 0.35) ** 2) - ((y - 0.1) / 0.4) ** 2)
    pixels = np.stack([lobes * 0.6 + warm * 0.6, lobes * 0.6 + warm * 0.25, lobes * 0.6], axis=-1)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((255 * np.clip(pixels, 0, 1)).astype(np.uint8)).save(path)


def _evaluate(
    out: dict[str, list[tuple[object, ...]]],
    predictions: pd.DataFrame,
    design: str,
    split: str,
    models: Sequence[str],
    random: np.random.Generator,
) -> None:
    for model in models:
        for set_name in ("test",) if split == "all" and design != "external" else ("train", "test"):
            rows = predictions[(predictions.model == model) & (predictions.set == set_name)]
            rows = rows[rows.outcome != ""]
            if split != "all":
                rows = rows[rows.split == split]
            key = (design, split, model, set_name)
            for group, part in [
                ("pooled", rows),
                *((f"center:{c}", r) for c, r in rows.groupby("center")),
            ]:
                _score(out, (*key, group), part, curves=group == "pooled")
            for sex, part in rows.groupby("sex"):
                _score(out, (*key, f"subgroup:sex={sex}"), part, curves=False)
        out["thresholds"].append((design, split, model, "youden", 0.4 + 0.2 * random.random()))
    for first, second in itertools.pairwise(models):
        gap = random.normal(0, 0.04)
        out["comparisons"].append(
            (
                design,
                split,
                "test",
                first,
                second,
                "auc",
                gap,
                gap - 0.06,
                gap + 0.06,
                0.25,
                "DeLong",
                0.75,
            )
        )


def _score(
    out: dict[str, list[tuple[object, ...]]], key: tuple[str, ...], rows: pd.DataFrame, curves: bool
) -> None:
    outcome, p = rows.outcome.astype(int).to_numpy(), rows.probability.to_numpy()
    size, events = len(rows), int(outcome.sum())
    if not 0 < events < size:
        out["performance"].append((*key, "auc", "", "", "", "", size, events))
        return
    hit = p >= 0.5
    values = {
        "auc": auc(outcome, p),
        "sensitivity": hit[outcome == 1].mean(),
        "specificity": (~hit)[outcome == 0].mean(),
        "ppv": outcome[hit].mean() if hit.any() else np.nan,
        "npv": (1 - outcome[~hit]).mean() if (~hit).any() else np.nan,
        "accuracy": (hit == outcome).mean(),
        "brier": ((p - outcome) ** 2).mean(),
        "scaled_brier": 1 - ((p - outcome) ** 2).mean() / outcome.var(),
        "calibration_in_the_large": outcome.mean() - p.mean(),
        "calibration_slope": 0.9,
        "oe_ratio": events / p.sum(),
        "ici": abs(outcome.mean() - p.mean()),
        "set_coverage": 0.9,
        "set_abstention": 0.4,
    }
    half = 1 / np.sqrt(size)
    for metric, value in values.items():
        if np.isfinite(value):
            low, high = value - half, value + half
            if metric not in (
                "calibration_in_the_large",
                "calibration_slope",
                "oe_ratio",
                "scaled_brier",
            ):
                low, high = max(low, 0), min(high, 1)
            out["performance"].append((*key, metric, value, low, high, "bootstrap", size, events))
    if not curves:
        return
    grid = np.linspace(0, 1, 41)
    order = np.argsort(-p)
    fpr = np.r_[0, np.cumsum(1 - outcome[order]) / (size - events)]
    tpr = np.r_[0, np.cumsum(outcome[order]) / events]
    for x in grid:
        y = tpr[fpr <= x].max()
        out["roc"].append((*key, x, y, max(0, y - half), min(1, y + half)))
    for x in np.linspace(p.min(), p.max(), 30):
        y = 0.15 + 0.7 * x
        out["calibration"].append((*key, x, y, max(0, y - half), min(1, y + half)))
    for place, part in enumerate(np.array_split(np.argsort(p), 5)):
        y = outcome[part].mean()
        out["calibration_groups"].append(
            (*key, place + 1, p[part].mean(), y, max(0, y - 0.15), min(1, y + 0.15), len(part))
        )
    for t in np.linspace(0.1, 0.9, 33):
        odds = t / (1 - t)
        benefit = (outcome[p >= t].sum() - odds * (1 - outcome[p >= t]).sum()) / size
        everyone = (events - odds * (size - events)) / size
        out["decision_curve"].append(
            (
                *key,
                t,
                benefit,
                benefit - half,
                benefit + half,
                (benefit - everyone) / odds,
                (benefit - everyone - half) / odds,
                (benefit - everyone + half) / odds,
            )
        )
        for name, value in (("treat_all", everyone), ("treat_none", 0.0)):
            out["decision_curve"].append((*key[:2], name, *key[3:], t, value, "", "", "", "", ""))


def _pool(
    out: dict[str, list[tuple[object, ...]]],
    centers: Mapping[str, tuple[str, int]],
    designs: Mapping[str, Sequence[str]],
    models: Sequence[str],
) -> None:
    inside = sum(role == "development" for role, _ in centers.values())
    if "loco" not in designs or inside < 2:
        return
    names = [name for name, (role, _) in centers.items() if role == "development"]
    for model in models:
        for method in ("reml_hartung_knapp_truncated", "paule_mandel_hartung_knapp"):
            for metric, middle in (("auc", 0.76), ("oe_ratio", 1.02)):
                key = ("loco", model, metric, method)
                ends = (middle - 0.09, middle + 0.07, middle - 0.28, middle + 0.15)
                spread = (0.05, 31, 2.9, 0.23)
                out["pooled"].append((*key, middle, *ends, *spread, inside, "logit scale"))
                for name in names:
                    own = (name, 0.75, 0.6, 0.85, 1 / inside, 60, 31, 0.76, 0.6, 0.9)
                    out["pooled_centers"].append((*key, *own))


def _provenance(folder: Path, vendor: str) -> None:
    fileio.write_json(
        folder / "provenance.json",
        {
            "commit": "0123abc",
            "seeds": {"study": 20250},
            "versions": {"python": "3.11.7", "torch": "2.14.1", "scikit-learn": "1.9.0"},
            "inputs": {"north": {"clinical": "sha256:00ff", "note": vendor}},
            "config": {"study": "example"},
        },
    )
