"""A split of simulated embeddings, as the files that the signature is fitted to."""

from pathlib import Path

import numpy as np
import pandas as pd

import fit_signature
from thyrocast import fileio
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.names import FULL, Design, fold_member
from thyrocast.contract.splits import LOGITS, PREDICTIONS, SPLITS
from thyrocast.signature import forest
from thyrocast.signature.model import SignatureModel
from thyrocast.signature.split import read_split

FEATURES = 80
FOLDS = 4
SETTINGS = {"forest": {"trees": 40, "smallest_leaf": [5]}, "penalties": 15}
BASELINES = ["simulated", "handcrafted", "clinical", "combined", "dose"]
HEADS = ["ridge", "lasso", "elastic_net"]
MODELS = ["network", "signature", *BASELINES, *HEADS]


def config(**changes) -> SignatureConfig:
    return SignatureConfig.read(SETTINGS | changes)


def auc(outcome, probability):
    cured, failed = probability[outcome == 1], probability[outcome == 0]
    return float(np.mean(cured[:, None] > failed) + 0.5 * np.mean(cured[:, None] == failed))


def study(
    folder: Path,
    n: int = 120,
    n_test: int = 60,
    signal: float = 1.0,
    memory: float = 3.0,
    seed: int = 0,
    clinical: bool = True,
    folds: int = FOLDS,
) -> None:
    """Write a split whose networks show the outcome and have memorized their training patients.

    With no ``folds``, it has one network, trained on all training patients.

    A network's features are a mix of what is in the images (the outcome with strength ``signal``) and,
    for patients it was trained on, of their outcomes with strength ``memory``: the effect of
    overfitting on embeddings.
    """
    rng = np.random.default_rng(seed)
    total = n + n_test
    outcome = np.arange(total) % 2
    train = np.arange(total) < n
    fold = np.where(train, (np.arange(total) // 2) % (folds or FOLDS) + 1, 0)
    members = [(fold_member(k), train & (fold != k)) for k in range(1, folds + 1)]
    members = members or [(FULL, train)]
    shown = rng.normal(size=(total, 5))
    shown[:, 0] += signal * (2 * outcome - 1)
    mixing = rng.normal(size=(5, FEATURES))
    embeddings = np.zeros((len(members), total, FEATURES), np.float32)
    patients = pd.DataFrame(
        {
            "patient": [f"north-{i:04d}" for i in range(total)],
            "set": np.where(train, "train", "test"),
            "fold": pd.Series(fold, dtype="Int64").where(train),
        }
    )
    logits = []
    for position, (member, known) in enumerate(members):
        view = shown.copy()
        view[known, 1] += memory * (2 * outcome[known] - 1)
        own = mixing + 0.2 * rng.normal(size=mixing.shape)
        embeddings[position] = np.maximum(view @ own + rng.normal(size=(total, FEATURES)), 0)
        logit = view[:, 0] + memory * known * (2 * outcome - 1)
        logits.append(patients.assign(member=member, logit=logit))
    np.save(folder / "embeddings.npy", embeddings)
    io.write(LOGITS, pd.concat(logits)[::-1], folder / "network.csv")
    other = {"design": "loco", "split": "x", "patient": "north-0000", "set": "test", "fold": pd.NA}
    rows = [
        pd.DataFrame([other]).astype({"fold": "Int64"}),
        patients.assign(design="loco", split="north"),
    ]
    io.write(SPLITS, pd.concat(rows), folder / "splits.csv")
    cohort = [
        _patient(f"north-{i:04d}", outcome[i], rng if clinical else None) for i in range(total)
    ]
    io.write(COHORT, io.build(COHORT, cohort[::-1]), folder / "cohort.csv")


def _patient(name: str, outcome: int, rng: np.random.Generator | None) -> dict[str, object]:
    row = dict.fromkeys(COHORT.names) | {
        "patient": name,
        "center": "north",
        "role": "development",
        "outcome": int(outcome),
    }
    if rng is not None:
        row["age"] = round(float(rng.normal(45, 10)), 1)
        row["gland_mass"] = round(float(np.exp(rng.normal(3.5 - 0.3 * outcome, 0.4))), 1)
        row["uptake_24h"] = round(float(rng.uniform(30, 80)), 1)
        row["activity"] = 400 if rng.random() < 0.5 else 600
        row["trab"] = None if rng.random() < 0.3 else round(float(np.exp(rng.normal(1, 1))), 2)
        row["p_uptake"] = round(float(np.exp(rng.normal(1.5 - 0.3 * outcome, 0.3))), 2)
        row["q_mass"] = round(float(np.exp(rng.normal(3.5 - 0.3 * outcome, 0.3))), 1)
    return row


def run(folder: Path, **settings):
    fit_signature.run(
        cohort=folder / "cohort.csv",
        splits=folder / "splits.csv",
        embeddings=folder / "embeddings.npy",
        network=folder / "network.csv",
        folder=folder / "signature",
        predictions=folder / "predictions.csv",
        member_predictions=folder / "member_predictions.csv",
        design=Design.LOCO,
        split="north",
        config=config(**settings),
        seed=1,
    )
    return read(folder)


def read(folder: Path):
    """Predictions as {model: {set: (outcome, probability)}}."""
    result = {}
    table = io.read(PREDICTIONS, folder / "predictions.csv")
    for (model, kind), rows in table.groupby(["model", "set"], sort=False):
        outcome = rows["outcome"].to_numpy(dtype=float, na_value=np.nan)
        result.setdefault(model, {})[kind] = np.stack([outcome, rows["probability"].to_numpy()])
    return result


def change_table(table, path: Path, **columns) -> None:
    """Write a table again with other columns; each is a function of the frame."""
    io.write(table, io.read(table, path).assign(**columns), path)


def split_of(folder: Path):
    return read_split(folder / "cohort.csv", folder / "splits.csv", Design.LOCO, "north")


def stored(folder: Path) -> SignatureModel:
    return SignatureModel.model_validate(fileio.read_json(folder / "signature" / "model.json"))


def forests(folder: Path) -> dict[str, forest.Classifier]:
    return forest.load(folder / "signature" / "forest.skops")
