"""How well models find what images show, from few patients, on phantoms of two simulators.

    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.learning [--seeds 10] [--patients 700] [--test 300]
        [--seed 2027] [--weights FILE]

`other` are the phantoms of `benchmarks/pretraining.py` (another simulator), of which the pretraining saw none; `own` are those
of the pretraining's simulator with other seeds, limited to patients. Every seed draws outcomes and training
patients; all models of a seed have the same ones. Other weights of the encoder are compared with another `--seed` of the
phantoms than that of the documented figures. The log-odds of cure are (z: standardized in the pool)

    0.6 - 0.9 z(log mass) - 0.5 z(log uptake) - 0.6 z(heterogeneity) + 0.7 z(log activity)

Activity, and mass and uptake with errors (20 and 15 %), are the clinical predictors. The AUC is that expected
over the outcomes of the test patients, given their risk. **Outcomes are drawn from mass, uptake, heterogeneity
and activity: this flatters whatever reads these.** Real outcomes also depend on what no image shows.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import pretraining
from thyrocast.baselines import models
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import columns
from thyrocast.image import encoder, readings
from thyrocast.simulation import phantoms
from thyrocast.simulation.kinds import Kind
from thyrocast.simulation.lessons import draw_scene

SIZES = (100, 160, 340)
WEIGHTS = {"mass": -0.9, "uptake": -0.5, "heterogeneity": -0.6, "activity": 0.7}
INTERCEPT = 0.6
SEED = 2027
CONFIG = SignatureConfig()
UNITS = [f"unit_{i:02d}" for i in range(encoder.HIDDEN)]
READ, ALL_READ = list(columns.READING_PREDICTORS), list(columns.READINGS)


class Own:
    """A phantom of the own simulator, by the names of the other one's."""

    def __init__(self, rng) -> None:
        while True:
            scene = draw_scene(rng)
            if scene.kind is Kind.GLAND and 10 < scene.mass < 110 and 0.015 < scene.uptake < 0.4:
                break
        camera = phantoms.draw_camera(rng, Kind.LINGUAL)
        while camera.magnification != 1 or camera.levels < 1 or camera.gray or camera.counts < 4e4:
            camera = phantoms.draw_camera(rng, Kind.LINGUAL)
        found = phantoms.render(rng, scene, camera)
        self.counts, self.pixel_mm = found.counts, found.pixel_mm
        self.mass, self.uptake, self.heterogeneity = scene.mass, scene.uptake, found.heterogeneity
        self.rate = found.net_counts / scene.uptake * np.exp(phantoms.ATTENUATION_PER_MM * 25)


def own(number: int, seed: int):
    """Return images, phantoms and measured quantities of patients of the own simulator."""
    images, truths, measured = [], [], []
    for index in range(number):
        example = Own(np.random.default_rng([seed, index, 1]))
        result = pretraining.standardized(example)
        if result is not None:
            images.append(result[0])
            truths.append(example)
            measured.append(result[1])
    return np.array(images, np.float32), truths, measured


def with_images(
    kind: str, number: int, seed: int = SEED, weights: Path = encoder.WEIGHTS
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the patients and their images (n, SIZE, SIZE).

    The table contains truth, clinical predictors, measured (q_) quantities and those that an encoder reads (p_).
    """
    images, truths, measured = (pretraining.patients if kind == "other" else own)(number, seed)
    rng = np.random.default_rng(seed)
    truth = pd.DataFrame(
        {
            name: [getattr(one, name) for one in truths]
            for name in ("mass", "uptake", "heterogeneity", "pixel_mm")
        }
    )
    truth["activity"] = np.exp(rng.normal(6.1, 0.35, len(truth)))
    truth["gland_mass"] = truth["mass"] * np.exp(rng.normal(0, 0.20, len(truth)))
    truth["uptake_24h"] = 100 * truth["uptake"] * np.exp(rng.normal(0, 0.15, len(truth)))
    encoded = encoder.encode(images, encoder.load(weights))
    parts = [
        truth,
        pd.DataFrame([vars(one) for one in measured]).astype(float),
        pd.DataFrame([vars(one) for one in readings.readings(encoded)]),
        pd.DataFrame(encoded.hidden.astype(float), columns=UNITS),
    ]
    return pd.concat(parts, axis="columns"), images


def risk(patients: pd.DataFrame):
    """Return the log-odds of cure, and the part of them that an image could show."""
    terms = patients[list(WEIGHTS)].copy()
    for name in ("mass", "uptake", "activity"):
        terms[name] = np.log(terms[name])
    terms = (terms - terms.mean()) / terms.std() * pd.Series(WEIGHTS)
    odds = INTERCEPT + terms.sum(axis="columns")
    return odds.to_numpy(), (odds - terms["activity"]).to_numpy()


def auc(score, odds) -> float:
    """Return the AUC that is expected over outcomes of patients with these log-odds."""
    p = 1 / (1 + np.exp(-odds))
    weight = p[:, None] * (1 - p[None, :])
    np.fill_diagonal(weight, 0)
    wins = np.sign(score[:, None] - score[None, :]) / 2 + 0.5
    return float((weight * wins).sum() / weight.sum())


def predictors(pool: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the predictors of every model that is compared."""
    measured, read = pool[list(columns.QUANTITIES)], pool[READ]
    clinical = pool[["gland_mass", "uptake_24h", "activity"]]
    clinical = clinical.assign(activity_per_gram=clinical["activity"] / clinical["gland_mass"])
    return {
        "handcrafted": measured,
        "simulated": read,
        "all that is read": pool[ALL_READ],
        "simulated + hidden units": pd.concat([read, pool[UNITS]], axis="columns"),
        "handcrafted + simulated": pd.concat([measured, read], axis="columns"),
        "truth of the image": pool[["mass", "uptake", "heterogeneity"]].rename(
            columns={"mass": "q_mass", "uptake": "q_uptake"}
        ),
        "clinical": clinical,
        "clinical + handcrafted": pd.concat([clinical, measured], axis="columns"),
        "clinical + handcrafted + simulated": pd.concat([clinical, measured, read], axis="columns"),
    }


def compare(kind: str, given: argparse.Namespace) -> None:
    """Print the table of one simulator."""
    begin = time.process_time()
    pool = with_images(kind, given.patients, given.seed, given.weights)[0]
    odds, image_odds = risk(pool)
    tests, trains = np.arange(given.test), np.arange(given.test, len(pool))
    new = odds[tests]
    print(
        f"\n{kind}: {len(pool)} phantoms, {given.test} of them test; AUC of the true risk {auc(new, new):.3f}, "
        f"of its part in the image {auc(image_odds[tests], new):.3f}"
    )
    sets = predictors(pool)
    sizes = [n for n in SIZES if n <= len(trains)]
    found: dict[tuple[str, int], list[float]] = {(name, n): [] for name in sets for n in sizes}
    for seed in range(given.seeds):
        rng = np.random.default_rng([seed, 5])
        outcome = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(float)
        order = rng.permutation(trains)
        for name, frame in sets.items():
            for n in sizes:
                rows = frame.iloc[order[:n]].reset_index(drop=True)
                fit = models.fit(rows, outcome[order[:n]], CONFIG, seed, None)
                score = fit.odds(frame.iloc[tests].reset_index(drop=True))
                found[name, n].append(auc(score, new))
    print(f"{'':36s}" + "".join(f"{f'n = {n}':>9s}" for n in sizes) + "   paired, n = 160 (SE)")
    for name in sets:
        means = "".join(f"{np.mean(found[name, n]):9.3f}" for n in sizes)
        base = "clinical + handcrafted" if name.startswith("clinical") else "handcrafted"
        paired = np.array(found[name, 160]) - np.array(found[base, 160])
        error = paired.std(ddof=1) / np.sqrt(len(paired))
        print(f"{name:36s}{means}   minus {base}: {paired.mean():+.3f} ({error:.3f})", flush=True)
    print(f"{time.process_time() - begin:.0f} CPU-seconds")


def main() -> None:
    """Read the command line and print a table for each simulator."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--patients", type=int, default=700)
    parser.add_argument("--test", type=int, default=300)
    parser.add_argument("--seed", type=int, default=SEED, help="of the phantoms")
    parser.add_argument("--weights", type=Path, default=encoder.WEIGHTS, help="of the encoder")
    given = parser.parse_args()
    for kind in ("other", "own"):
        compare(kind, given)


if __name__ == "__main__":
    main()
