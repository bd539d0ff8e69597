"""`full` with the scores of the folds, or the mean of the members with CV+: real trainings on simulated scintigrams.

    OMP_NUM_THREADS=1 PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.trained_members [--settings 1 2 3]

Each setting is one cohort of the project's simulator with its own true risk: training patients in folds, and
independent test patients. A ResNet50 is trained on all training patients (`full`, member 0) and one without each fold.
Then network, signature and ridge head are used in both ways (`before` and `after` of `benchmarks/members.py`).

Embeddings of each network are kept in `--keep` and not computed again, so that an interrupted run continues, and
several processes can train the networks of one setting (`--members 0 1`). Rows are printed after every setting
of which all networks are there.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit

from benchmarks import members
from thyrocast.config.image import ImageConfig
from thyrocast.config.network import NetworkConfig
from thyrocast.config.simulated_scan import CaseMixConfig, TreatmentConfig
from thyrocast.config.simulation import RiskConfig
from thyrocast.contract.names import View
from thyrocast.image import field as fields
from thyrocast.image import framing, gland
from thyrocast.network import embedding, model, training
from thyrocast.network.image_set import ImageSet
from thyrocast.simulation import anatomy, camera, physiology
from thyrocast.simulation.truth import expected_auc
from thyrocast.statistics import conformal, discrimination, partition, recalibration

DETECTOR = camera.Camera(
    matrix=128, pixel_mm=2.2, sensitivity=90, resolution_mm=7.5, distance_mm=70
)
#: True risk of each setting: intercept, and coefficients of mass, uptake, heterogeneity and activity.
RISKS = {
    1: (1.0, -1.9, -1.4, -3.0, 0.8),
    2: (0.5, -3.0, -0.5, -6.0, 0.4),
    3: (1.5, -1.2, -0.8, -2.0, 0.6),
}
MINUTES, MBQ, SECONDS = 20, 75.0, 300.0


def cohort(risk: RiskConfig, n: int, size: int, rng: np.random.Generator):
    """Images (n, size, size), masks, counts in the gland, outcomes and true risk of n patients."""
    settings = ImageConfig(size=size)
    limits = (settings.min_area_cm2, settings.max_area_cm2)
    drawn = physiology.draw(n + n // 5, CaseMixConfig(), TreatmentConfig(), risk, rng)
    spacing = (DETECTOR.pixel_mm, DETECTOR.pixel_mm)
    left = MBQ * scanned_share()
    found = []
    for i in range(len(drawn.mass)):
        neck = anatomy.build(drawn.mass[i], drawn.uptake[i], drawn.heterogeneity[i], rng)
        rate = camera.count_rate(neck, View.ANTERIOR, DETECTOR, left)
        counts = camera.acquire(rate, SECONDS, rng).astype(float)
        grid = fields.to_grid(counts, spacing)
        try:
            shown = gland.find_gland(grid, fields.GRID_MM, limits, settings.min_score)
        except gland.NoGlandError:
            continue
        where = framing.field_around(grid, shown, False, settings)
        cropped, mask = framing.crop_around(counts, spacing, shown, where)
        found.append((i, framing.relative(cropped, mask), mask, cropped[mask].sum()))
        if len(found) == n:
            break
    kept = np.array([i for i, *_ in found])
    images = np.array([image for _, image, *_ in found], np.float32)
    masks = np.array([mask for *_, mask, _ in found], np.uint8)
    gross = np.array([counts for *_, counts in found])
    return images, masks, gross, drawn.outcome[kept] == 1, drawn.probability[kept]


def scanned_share() -> float:
    """Share of the technetium that is left when the scan begins."""
    from thyrocast.physics import tc99m_left

    return float(tc99m_left(MINUTES))


def everyone(images, gross, outcome, fold) -> ImageSet:
    """The patients of a cohort with their images."""
    n = len(images)
    return ImageSet(
        patient=np.arange(n).astype(str),
        center=np.full(n, "simulated"),
        outcome=outcome.astype(float),
        row=np.arange(n),
        set=np.where(fold > 0, "train", "test"),
        fold=fold,
        gland_counts=gross,
        camera_pixel=np.full(n, DETECTOR.pixel_mm / (160.0 / images.shape[1])),
        images=images,
    )


def train(data: ImageSet, masks, member: int, settings: NetworkConfig, setting: int, kept: Path):
    """Train a network and keep the embeddings (n, 2048) and logits (n,) of all patients, and its CPU-seconds."""
    begin, cpu = time.process_time(), torch.device("cpu")
    own = data.take((data.fold > 0) & (data.fold != member))
    with tempfile.TemporaryDirectory() as folder:
        trained = training.train(
            own, masks, settings, seed=100 * setting + member, initial_seed=setting, device=cpu,
            state_folder=Path(folder),
        )  # fmt: skip
        weights = Path(folder) / "weights.safetensors"
        model.save(weights, trained.network, trained.normalization, {"setting": setting})
        spent = time.process_time() - begin
        embeddings, logits = embedding.embed(weights, data, cpu)
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_suffix(".part.npz")
    np.savez(temporary, embeddings=embeddings, logits=logits, spent=spent)
    temporary.rename(kept)
    loss = trained.history[-1].train_loss
    print(f"  {kept.stem}: training loss {loss:.3f}, {spent:.0f} CPU-s, {time.ctime()}", flush=True)


def of_networks(logits, outcome, fold):
    """The networks alone: rows of both ways, as `before` and `after` give them for the other models."""
    n = int((fold > 0).sum())
    y, f, truth = outcome[:n], fold[:n], outcome[n:]
    own = logits[f, np.arange(n)]
    found = recalibration.fit(own, y)
    linear = found.intercept + found.slope * logits[0, n:]
    sets = conformal.p_values(y, expit(own), expit(logits[0, n:]))
    yield (
        "before",
        [*members.measured(truth, linear, sets), members.slope(truth, linear), np.nan],
    )
    together, standard = members.standardized(f, own, logits[1:, n:])
    found = recalibration.fit(standard, y)
    linear = found.intercept + found.slope * together
    sets = members.crossed(y, f, own, logits[1:, n:])
    yield "after", [*members.measured(truth, linear, sets), members.slope(truth, linear), np.nan]


def compare(setting: int, embeddings, logits, outcome, fold):
    """Rows (model, way, figures) of a setting, and CPU-seconds of the models of both ways."""
    rows, spent = [], {}
    for way, figures in of_networks(logits, outcome, fold):
        rows.append(("network", way, figures))
    for label, way in (("before", members.before), ("after", members.after)):
        begin = time.process_time()
        stacked = way(embeddings.astype(float), outcome, fold, np.random.default_rng(setting))
        rows += [(name, label, figures) for name, figures in stacked]
        spent[label] = time.process_time() - begin
    return rows, spent


def show(record: dict) -> None:
    """Print the rows of a setting."""
    print(f"setting {record['setting']}: {record['facts']}")
    print("  model | way | AUC | coverage not cured, cured | decided | slope | distinguished")
    for name, way, figures in record["rows"]:
        auc, not_cured, cured, decided, slope, apart = figures
        print(
            f"  {name} | {way} | {auc:.3f} | {not_cured:.3f} {cured:.3f} | {decided:.2f} | {slope:.2f} | {apart:.2f}",
            flush=True,
        )


def run(setting: int, given: argparse.Namespace) -> dict | None:
    """Simulate, train and compare one setting; None if networks are missing."""
    rng = np.random.default_rng([2027, setting])
    names = ("gland_mass", "uptake", "heterogeneity", "activity")
    risk = RISKS[setting]
    config = RiskConfig.read(
        {"intercept": risk[0], "coefficients": dict(zip(names, risk[1:], strict=True))}
    )
    n = given.train + given.test
    images, masks, gross, outcome, probability = cohort(config, n, given.size, rng)
    fold = np.zeros(n, dtype=np.int64)
    fold[: given.train] = (
        partition.deal(outcome[: given.train].astype(int), members.FOLDS, setting) + 1
    )
    data = everyone(images, gross, outcome, fold)
    settings = NetworkConfig(epochs=given.epochs, threads=1)
    everybody = range(1 + members.FOLDS)
    files = [given.keep / f"setting-{setting}-member-{member}.npz" for member in everybody]
    for member in given.members or everybody:
        if not files[member].exists():
            train(data, masks, member, settings, setting, files[member])
    if not all(file.exists() for file in files):
        return None
    stored = [np.load(file) for file in files]
    trained = [float(one["spent"]) for one in stored]
    rows, models = compare(
        setting,
        np.stack([one["embeddings"] for one in stored]),
        np.stack([one["logits"] for one in stored]),
        outcome,
        fold,
    )
    tested = fold == 0
    facts = {
        "training": given.train, "test": given.test, "cured": round(float(outcome.mean()), 3),
        "AUC of the true risk": round(discrimination.auc(outcome[tested], probability[tested]), 3),
        "expected": round(expected_auc(probability[tested]), 3),
        "CPU-s, networks before": round(sum(trained)), "after": round(sum(trained[1:])),
        "CPU-s, models before": round(models["before"]), "models after": round(models["after"]),
    }  # fmt: skip
    return {"setting": setting, "facts": facts, "rows": rows}


def main() -> None:
    """Read the command line and compare the settings."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--settings", type=int, nargs="+", default=[1, 2, 3], choices=RISKS)
    parser.add_argument("--members", type=int, nargs="+", default=[], help="networks to train")
    parser.add_argument("--train", type=int, default=120)
    parser.add_argument("--test", type=int, default=300)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--size", type=int, default=48, help="pixels")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "members")
    parser.add_argument("--out", type=Path, default=None, help="file for the rows")
    given = parser.parse_args()
    model.configure(1)
    members.FOLDS = given.folds
    # Nothing to resume within a training: it is short.
    training.SAVE_SHARE = 0.0
    for setting in given.settings:
        record = run(setting, given)
        if record is None:
            continue
        show(record)
        if given.out is not None:
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
