"""Seconds and memory of `evaluate_design`, by the number of patients.

Usage: python benchmarks/evaluation.py [patients, 121 10000 100000 ...] [--design external]

Five models, four centers, 2,000 resamples, the default subgroups.
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd
from scipy import special

from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.evaluation import PREDICTIONS
from thyrocast.contract.names import Model
from thyrocast.contract.splits import MEMBER_PREDICTIONS
from thyrocast.evaluation import design
from thyrocast.evaluation.settings import Settings

MODELS = 5
CENTERS = ("north", "south", "east", "west")


def study(patients: int, name: str):
    """Predictions and cohort; half of the patients train, half are tested."""
    random = np.random.default_rng(1)
    known = random.normal(size=patients)
    outcome = (random.random(patients) < special.expit(0.7 + known)).astype(int)
    who = [f"p{number:07d}" for number in range(patients)]
    center = random.choice(CENTERS, patients)
    cohort = pd.DataFrame(dict.fromkeys(COHORT.names), index=range(patients)).assign(
        patient=who, center=center, role="development", outcome=outcome,
        sex=random.choice(["female", "male"], patients), age=random.uniform(20, 80, patients),
        vendor=random.choice(["A", "B"], patients), gland_mass=random.uniform(10, 90, patients),
    )  # fmt: skip
    side = np.where(np.arange(patients) < patients // 2, "train", "test")
    frames = [
        pd.DataFrame(
            {
                "design": name, "split": "1", "model": str(model), "set": side, "patient": who,
                "center": center, "outcome": outcome,
                "probability": special.expit(known + random.normal(size=patients)),
            }
        )
        for model in list(Model)[:MODELS]
    ]  # fmt: skip
    return io.concat(PREDICTIONS, frames), io.concat(COHORT, [cohort])


def crossed(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions of test patients by five members, and of training patients by their own."""
    odds = special.logit(predictions["probability"].to_numpy())
    everything = [
        predictions.assign(member=f"fold-{k}", logit=odds)[
            (predictions["set"] == "test") | (np.arange(len(odds)) % 5 == k - 1)
        ]
        for k in range(1, 6)
    ]
    return io.concat(
        MEMBER_PREDICTIONS,
        [io.conform(MEMBER_PREDICTIONS, one[list(MEMBER_PREDICTIONS.names)]) for one in everything],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patients", nargs="*", type=int, default=[242, 20_000])
    parser.add_argument("--design", default="external")
    arguments = parser.parse_args()
    for patients in arguments.patients:
        predictions, cohort = study(patients, arguments.design)
        members = crossed(predictions)
        start = time.process_time()
        design.evaluate(predictions, cohort, Settings(EvaluationConfig(), 1), members)
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{patients:8,} patients: {seconds:7.1f} s, {peak:6.0f} MB", flush=True)


if __name__ == "__main__":
    main()
