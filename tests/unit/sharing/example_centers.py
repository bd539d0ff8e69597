"""Five simulated centers that were scored with one locked model, as a study has them."""

import numpy as np
import pandas as pd

from tests.unit.evaluation.example_study_of_24 import one_member
from thyrocast.config.study import StudyConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT, PATIENTS
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.files import VERSION
from thyrocast.contract.names import GroupKind, Metric
from thyrocast.evaluation import design, estimates, metrics, samples
from thyrocast.evaluation.estimates import of
from thyrocast.evaluation.metrics import closed
from thyrocast.evaluation.samples import Group
from thyrocast.evaluation.settings import Settings
from thyrocast.sharing.exchange import CenterTables
from thyrocast.statistics import calibration

SCORERS = (
    of(Metric.AUC, metrics.auc),
    of(Metric.BRIER, closed(calibration.brier)),
    of(Metric.OE_RATIO, closed(calibration.observed_expected)),
    of(Metric.CALIBRATION_IN_THE_LARGE, closed(calibration.in_the_large)),
    of(Metric.CALIBRATION_SLOPE, closed(calibration.slope)),
    of(Metric.NET_BENEFIT, metrics.net_benefit, at=metrics.reference),
)
SIZES = {"ankara": 80, "bern": 64, "cadiz": 90, "delft": 150, "essen": 180}
MODELS = ("network", "signature")
HASH = "a" * 64


def people(center, size=None, seed=0, easy=0.0):
    """Patients of a center: pseudonym, outcome and the probability of each model.

    The first patients are the same for every size; `easy` is added to the log-odds of cure.
    """
    number = [*SIZES].index(center)
    random = np.random.default_rng([seed, number])
    rows = []
    for index in range(size or SIZES[center]):
        linear = random.normal(easy + 0.5 - 0.1 * number, 1.2)
        outcome = int(random.random() < 1 / (1 + np.exp(-linear)))
        noise = random.normal(0, 0.8, size=len(MODELS))
        p = 1 / (1 + np.exp(-(0.8 * linear + noise + 0.1)))
        rows.append((f"{center}-{index:04d}", outcome, dict(zip(MODELS, p, strict=True))))
    return rows


def cohort(centers):
    """Table `COHORT` of the patients of some centers, as `people` returns them by center."""
    rows = []
    for center, patients in centers.items():
        for index, (patient, outcome, _) in enumerate(patients):
            rows.append(
                dict.fromkeys(COHORT.names)
                | {"patient": patient, "center": center, "role": "external", "outcome": outcome}
                | {"sex": "male" if index % 5 == 0 else "female", "age": 30.0 + index % 40}
                | {"vendor": "GE" if index % 3 else "Siemens", "matrix": 128, "pixel_mm": 4.4}
                | {"duration_s": 300.0, "simulated": True}
            )
    return io.build(COHORT, rows)


def patients(centers, excluded=8):
    """Table `PATIENTS`: those of `people`, and some who were excluded."""
    rows = []
    for center, found in centers.items():
        for patient, _, _ in found:
            rows.append({"patient": patient, "center": center, "analyzed": True, "reason": ""})
        for index in range(excluded):
            reason = "no image" if index < 6 else "no therapy"
            cells = {"patient": f"{center}-x{index}", "center": center, "analyzed": False}
            rows.append(cells | {"reason": reason})
    return io.build(PATIENTS, rows)


def predictions(centers):
    """Table `PREDICTIONS` of the design `external`."""
    return io.build(
        PREDICTIONS,
        [
            {"design": "external", "split": "all", "model": model, "set": "test"}
            | {"patient": patient, "center": center, "outcome": y, "probability": p[model]}
            for model in MODELS
            for center, found in centers.items()
            for patient, y, p in found
        ],
    )


def config(names=("ankara",), **changes):
    """The config of a study with one development center and external ones."""
    block = {
        "dicom": "d", "clinical": "c.csv", "columns": {"patient": "id", "outcome": "result"},
        "outcome": {"rule": "given", "cured": [1], "not_cured": [0]},
    }  # fmt: skip
    roles = {"home": "development"} | dict.fromkeys(names, "external")
    plain = {
        "study": "five",
        "designs": ["external"],
        "simulation": "summary.json",
        "centers": [{"name": name, "role": role} | block for name, role in roles.items()],
        "evaluation": {"resamples": 100, "subgroups": {}},
    }
    return StudyConfig.model_validate(plain | changes)


def performance(centers, study):
    """Table `PERFORMANCE` of the centers, as it is read from its file."""
    settings = Settings(study.evaluation, 1, outcomes=study.outcomes)
    rows = predictions(centers)
    return design.evaluate(rows, cohort(centers), settings, one_member(rows))[PERFORMANCE]


def quick_performance(center, found, study):
    """The rows of `PERFORMANCE` that a file contains, without bootstrap and curves."""
    settings = Settings(study.evaluation, 1, outcomes=study.outcomes)
    rows = []
    for sample in samples.read(predictions({center: found})).test.values():
        everybody = np.ones(sample.size, dtype=bool)
        one = sample.among(everybody, Group(GroupKind.CENTER, "", center))
        estimated = [each for score in SCORERS for each in score(one, settings)]
        rows.append(estimates.frame(one, estimated))
    run = {"level": study.evaluation.confidence, "outcomes": study.outcomes.value}
    return io.concat(
        PERFORMANCE, [part.assign(**run, simulated=True, contract=VERSION) for part in rows]
    )


def tables(center, found, study=None, scored=None):
    """What `write_exchange` reads for a center whose study has no other external center."""
    centers = {center: found}
    quick = quick_performance(center, found, study or config([center]))
    rows = quick if scored is None else scored
    hashes = {patient: f"hash of {patient}" for patient, _, _ in found}
    return CenterTables(
        center, rows, predictions(centers), cohort(centers), patients(centers), hashes
    )


def stored(table, frame, folder):
    """A table after a round trip through its file, with the digits that it has there."""
    path = folder / "table.csv"
    io.write(table, frame, path)
    return io.read(table, path)


def numbers(frame: pd.DataFrame, key):
    """The numeric columns of a table, by its key."""
    return frame.set_index(list(key)).select_dtypes("number").sort_index()
