"""Tables of the example study: what was learned in a split, and the evaluation."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from thyrocast.contract import evaluation as ev
from thyrocast.contract import io, splits
from thyrocast.contract.control_names import Randomized
from thyrocast.contract.files import VERSION
from thyrocast.contract.table import Table
from thyrocast.explanation.attention import Explained

# How strongly each model's score depends on the patient's risk.
SKILL = {"network": 0.9, "signature": 1.2, "handcrafted": 0.8, "clinical": 0.9, "combined": 1.4}
UNLIMITED = ("calibration_in_the_large", "calibration_slope", "oe_ratio", "scaled_brier")
Rows = dict[Table, list[dict[str, Any]]]
Floats = np.ndarray


def history(random: np.random.Generator) -> pd.DataFrame:
    """A training history."""
    epochs = np.arange(1, random.integers(14, 26) + 1)
    noise = random.normal(0, 0.01, (2, len(epochs)))
    held_out = 0.66 - 0.12 * np.exp(-((epochs - 9) ** 2) / 40) + noise[1]
    return pd.DataFrame(
        {
            "epoch": epochs,
            "learning_rate": 1e-3 * np.cos(epochs / 40),
            "train_loss": 0.7 * np.exp(-epochs / 14) + noise[0],
            "validation_loss": held_out,
            "validation_auc": 0.8 - held_out / 4,
            "seconds": 2.0,
            "best": epochs == held_out.argmin() + 1,
        }
    )


def _of_two(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a member, and the same ones of another member."""
    return pd.concat([rows, rows.assign(member="fold-2")])


def signature(random: np.random.Generator) -> dict[Table, pd.DataFrame]:
    """LASSO path, selected features and optimism."""
    penalty = np.logspace(0, -2.5, 60)
    deviance = 1.25 + 0.12 * (np.log10(penalty) + 1.1) ** 2 + random.normal(0, 0.003, 60)
    place = np.arange(60)
    path = {
        "member": "fold-1",
        "lambda": penalty,
        "nonzero": np.round(place**1.35 / 4).astype(int),
        "cv_deviance": deviance,
        "cv_se": 0.04,
        "chosen": place == deviance.argmin() - 8,
    }
    features = {
        "member": "fold-1",
        "feature": np.sort(random.choice(2048, 14, replace=False)),
        "coefficient": random.normal(0, 0.4, 14),
        "importance": np.sort(random.dirichlet(np.full(14, 3.0)))[::-1],
    }
    correlates = [
        {"member": "fold-1", "feature": feature, "quantity": name, "correlation": size, "n": 90}
        for feature in features["feature"]
        for name, size in (
            ("q_mass", 0.71),
            ("pixel_mm", -0.8),
            ("q_uptake", 0.1),
            ("q_area_left", 0.3),
        )
    ]
    optimism = {
        "metric": "auc", "apparent": 0.94, "optimism": 0.13, "corrected": 0.81, "resamples": 200,
    }  # fmt: skip
    return {
        splits.PATH: _of_two(pd.DataFrame(path)),
        splits.FEATURES: _of_two(pd.DataFrame(features)),
        splits.CORRELATES: io.build(splits.CORRELATES, correlates),
        splits.OPTIMISM: io.build(splits.OPTIMISM, [optimism]),
    }


def activating(features: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """Two training patients at each end of every feature of the first member."""
    own = features[features["member"] == features["member"].iloc[0]]
    rows = [
        {
            "member": row.member, "feature": row.feature, "end": end, "rank": rank, "value": value / rank,
            "patient": train["patient"].iloc[place], "center": train["center"].iloc[place],
        }
        for row in own.itertuples()
        for end, value, places in (("highest", 2.5, (0, 1)), ("lowest", -2.5, (-1, -2)))
        for rank, place in enumerate(places, start=1)
    ]  # fmt: skip
    return io.build(splits.ACTIVATING, rows)


def explained(split: str, test: pd.DataFrame, random: np.random.Generator) -> Explained:
    """Maps of test patients, more on the gland than at random places; the fifth map is empty."""
    n = len(test)
    blank = np.arange(n) == 4
    table = test[["patient", "center", "outcome"]].assign(
        target="cured",
        probability=1 / (1 + np.exp(-test["risk"])),
        status=np.where(blank, "all_zero", "ok"),
    )
    table = table.assign(map_left_mm=-80.0, map_top_mm=-75.0, cell_mm=160 / 14)
    placed = np.clip(random.normal(0.2, 0.09, (n, 392)), 0, 1).astype(np.float32)
    placed[blank] = np.nan
    inside = np.clip(random.normal(0.46, 0.14, n), 0, 1)
    shares = {
        "split": split,
        "patient": test["patient"],
        "inside": np.where(blank, np.nan, inside),
        "area": 0.16 + 0.02 * random.random(n),
        "random_low": np.quantile(placed, 0.05, axis=1),
        "random_high": np.quantile(placed, 0.95, axis=1),
        "others": np.where(blank, np.nan, 0.8 * inside),
    }
    return Explained(
        split,
        io.conform(splits.GRADCAM, table),
        io.conform(splits.SHARES, pd.DataFrame(shares)),
        placed,
    )


def randomization(split: str) -> pd.DataFrame:
    """Maps of the first split that change more the more weights are random."""
    rows = [
        {
            "split": split, "randomized": step, "n": 24, "correlation": 1 - 0.15 * place,
            "correlation_low": 0.9 - 0.15 * place, "correlation_high": 1 - 0.1 * place, "inside": 0.4,
        }
        for place, step in enumerate(Randomized)
    ]  # fmt: skip
    return io.build(splits.RANDOMIZATION, rows)


def curves(split: str, patients: Sequence[str], random: np.random.Generator) -> pd.DataFrame:
    """Curves of 24 patients; the deletion is better than at all random places in every second one."""
    rows = [
        {
            "split": split, "patient": patient, "curve": curve, "area": random.uniform(0.3, 0.6),
            "moved": 0.5, "better_than": 4 if n % 2 else 1, "places": 4,
        }
        for n, patient in enumerate(patients[:24])
        for curve in ("deletion", "insertion")
    ]  # fmt: skip
    return io.build(splits.CURVES, rows)


def agreement(split: str) -> pd.DataFrame:
    """Maps by other methods that are alike, and by members that are less so."""
    found = (("method", "hirescam", 1.0), ("method", "gradcam++", 0.8), ("members", "", 0.4))
    rows = [
        {
            "split": split, "compared": kind, "method": method, "n": 24, "correlation": value,
            "correlation_low": value - 0.1, "correlation_high": value,
        }
        for kind, method, value in found
    ]  # fmt: skip
    return io.build(splits.AGREEMENT, rows)


def evaluated(
    predictions: pd.DataFrame,
    designs: Mapping[str, Sequence[str]],
    models: Sequence[str],
    random: np.random.Generator,
) -> Rows:
    """The evaluation's tables, except the predictions."""
    out: Rows = {table: [] for table in (*ev.OF_DESIGN, *ev.TABLES) if table is not ev.PREDICTIONS}
    known = predictions[predictions["outcome"].notna()]
    for design, names in designs.items():
        rows = known[known["design"] == design]
        for split in [*names, "all"] if len(names) > 1 else names:
            _evaluate_split(out, rows, design, split, models, random)
    if "loco" in designs:
        _pool(out, designs["loco"], models)
    out[ev.SAMPLE_SIZE] = [
        {
            "purpose": purpose, "criterion": criterion, "required_n": required,
            "required_events": round(required * 0.6), "available_n": 234, "available_events": 120,
            "sufficient": required <= 234, "note": "",
        }
        for purpose, criterion, required in (
            ("development", "shrinkage", 1180),
            ("development", "prevalence", 375),
            ("validation", "auc", 172),
            ("validation", "calibration_slope", 411),
        )
    ]  # fmt: skip
    return out


def _evaluate_split(
    out: Rows,
    rows: pd.DataFrame,
    design: str,
    split: str,
    models: Sequence[str],
    random: np.random.Generator,
) -> None:
    sets = ("test",) if split == "all" and design != "external" else ("train", "test")
    if split != "all":
        rows = rows[rows["split"] == split]
    for model in models:
        for side in sets:
            mine = rows[(rows["model"] == model) & (rows["set"] == side)]
            key = {"design": design, "split": split, "model": model, "set": side}
            _score(out, key, "pooled", "", "", mine)
            for center, part in mine.groupby("center"):
                _score(out, key, "center", "", center, part)
            for sex, part in mine.groupby("sex"):
                _score(out, key, "subgroup", "sex", sex, part)
        out[ev.THRESHOLDS].append(
            {
                "design": design, "split": split, "model": model, "rule": "youden",
                "threshold": 0.4 + 0.2 * random.random(), "signal": model != "handcrafted",
            }
        )  # fmt: skip
    for first, second in itertools.pairwise(models):
        gap = random.normal(0, 0.04)
        out[ev.COMPARISONS].append(
            {
                "design": design, "split": split, "set": "test", "model_a": first,
                "model_b": second, "metric": "auc", "at": None, "method": "delong_paired",
                "difference": gap, "ci_low": gap - 0.06, "ci_high": gap + 0.06, "p_value": 0.25,
                "p_holm": 0.75, "status": "estimated", "note": "",
            }
        )  # fmt: skip


def _score(
    out: Rows, key: dict[str, str], kind: str, variable: str, group: str, rows: pd.DataFrame
) -> None:
    outcome, p = rows["outcome"].to_numpy(int), rows["probability"].to_numpy(float)
    size, events = len(rows), int(outcome.sum())
    about = {**key, "group_kind": kind, "group": group}
    common = {
        **about, "variable": variable, "at": None, "rule": "", "std_error": None, "scale": None,
        "n": size, "events": events, "level": 0.95, "outcomes": "observed", "simulated": True,
        "contract": VERSION,
    }  # fmt: skip
    if not 0 < events < size:
        out[ev.PERFORMANCE].append(
            {
                **common, "metric": "auc", "estimate": None, "ci_low": None, "ci_high": None,
                "ci_method": "", "status": "not_estimable", "note": "only one outcome",
            }
        )  # fmt: skip
        return
    half = 1 / np.sqrt(size)
    for metric, value in _metrics(outcome, p).items():
        low, high = value - half, value + half
        if metric not in UNLIMITED:
            low, high = max(low, 0.0), min(high, 1.0)
        out[ev.PERFORMANCE].append(
            {
                **common, "metric": metric, "estimate": value, "ci_low": low, "ci_high": high,
                "ci_method": "bootstrap_percentile", "status": "estimated", "note": "",
            }
        )  # fmt: skip
    if kind == "pooled":
        _curves(out, about, outcome, p, half)
        _decision_curve(out, about, outcome, p, half)


def _auc(outcome: Floats, score: Floats) -> float:
    difference = score[outcome == 1][:, None] - score[outcome == 0][None, :]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def _metrics(outcome: Floats, p: Floats) -> dict[str, float]:
    hit = p >= 0.5
    squared = ((p - outcome) ** 2).mean()
    values = {
        "auc": _auc(outcome, p),
        "sensitivity": hit[outcome == 1].mean(),
        "specificity": (~hit)[outcome == 0].mean(),
        "ppv": outcome[hit].mean() if hit.any() else np.nan,
        "npv": (1 - outcome[~hit]).mean() if (~hit).any() else np.nan,
        "accuracy": (hit == outcome).mean(),
        "brier": squared,
        "scaled_brier": 1 - squared / outcome.var(),
        "calibration_in_the_large": outcome.mean() - p.mean(),
        "calibration_slope": 0.9,
        "oe_ratio": outcome.sum() / p.sum(),
        "ici": abs(outcome.mean() - p.mean()),
        "set_coverage": 0.9,
        "set_abstention": 0.4,
    }
    return {metric: float(value) for metric, value in values.items() if np.isfinite(value)}


def _curves(out: Rows, about: dict[str, str], outcome: Floats, p: Floats, half: float) -> None:
    order = np.argsort(-p)
    fpr = np.r_[0, np.cumsum(1 - outcome[order]) / (1 - outcome).sum()]
    tpr = np.r_[0, np.cumsum(outcome[order]) / outcome.sum()]
    for x in np.linspace(0, 1, 21):
        y = tpr[fpr <= x].max()
        band = {"tpr_low": max(0, y - half), "tpr_high": min(1, y + half)}
        out[ev.ROC].append({**about, "fpr": x, "tpr": y, **band})
    for x in np.linspace(p.min(), p.max(), 12):
        y = 0.15 + 0.7 * x
        band = {"ci_low": max(0, y - half), "ci_high": min(1, y + half)}
        out[ev.CALIBRATION].append({**about, "predicted": x, "observed": y, **band})
    for place, part in enumerate(np.array_split(np.argsort(p), 5)):
        y = outcome[part].mean()
        out[ev.CALIBRATION_GROUPS].append(
            {
                **about, "bin": place + 1, "predicted": p[part].mean(), "observed": y,
                "ci_low": max(0, y - 0.15), "ci_high": min(1, y + 0.15), "n": len(part),
            }
        )  # fmt: skip


def _decision_curve(
    out: Rows, about: dict[str, str], outcome: Floats, p: Floats, half: float
) -> None:
    size, events = len(outcome), outcome.sum()
    nothing = dict.fromkeys(("ci_low", "ci_high", "avoided_low", "avoided_high"))
    for threshold in np.linspace(0.1, 0.9, 17):
        odds = threshold / (1 - threshold)
        treated = outcome[p >= threshold]
        benefit = (treated.sum() - odds * (1 - treated).sum()) / size
        everyone = (events - odds * (size - events)) / size
        avoided = (benefit - everyone) / odds
        limits = {
            "ci_low": benefit - half, "ci_high": benefit + half,
            "avoided_low": avoided - half / odds, "avoided_high": avoided + half / odds,
        }  # fmt: skip
        for model, value, more in (
            (about["model"], benefit, {"interventions_avoided": avoided, **limits}),
            ("treat_all", everyone, {"interventions_avoided": 0.0, **nothing}),
            ("treat_none", 0.0, {"interventions_avoided": 0.0, **nothing}),
        ):
            row = {**about, "model": model, "threshold": threshold, "net_benefit": value}
            out[ev.DECISION_CURVE].append(row | more)


def _pool(out: Rows, centers: Sequence[str], models: Sequence[str]) -> None:
    for model, method, (metric, middle) in itertools.product(
        models,
        ("reml_hartung_knapp_truncated", "paule_mandel_hartung_knapp"),
        (("auc", 0.76), ("oe_ratio", 1.02)),
    ):
        key = {"design": "loco", "model": model, "metric": metric, "at": None, "method": method}
        out[ev.POOLED].append(
            {
                **key, "estimate": middle, "ci_low": middle - 0.09, "ci_high": middle + 0.07,
                "pi_low": middle - 0.28, "pi_high": middle + 0.15, "tau2": 0.05, "i2": 31.0,
                "q": 2.9, "q_p": 0.23, "k": len(centers), "scale": "logit",
                "pi_method": "nagashima_bootstrap", "pi_coverage_low": 90.0, "pi_coverage_high": 99.0,
                "headline": method.startswith("reml"), "status": "estimated", "note": "",
            }
        )  # fmt: skip
        for center in centers:
            out[ev.POOLED_CENTERS].append(
                {
                    **key, "center": center, "estimate": 0.75, "ci_low": 0.6, "ci_high": 0.85,
                    "weight": 1 / len(centers), "n": 60, "events": 31, "without": 0.76,
                    "without_low": 0.6, "without_high": 0.9,
                }
            )  # fmt: skip
