"""Tables of maps do not contain the patients who are scored apart; these have pictures for their sheets."""

from pathlib import Path

import numpy as np
import pandas as pd

import draw_maps
import plan_sample_size
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.control_names import Randomized
from thyrocast.contract.deployment import APPLIED_PATIENTS
from thyrocast.contract.evaluation import SAMPLE_SIZE
from thyrocast.contract.splits import GRADCAM, SPLITS

N, SIZE, CELLS, LEAST = 12, 56, 7, 3
TABLES = ("shares", "attention", "randomization", "curves", "agreement")


def people(count: int) -> pd.DataFrame:
    cells = dict.fromkeys(COHORT.names)
    return io.build(
        COHORT,
        [
            cells
            | {"patient": f"west-{n:02d}", "center": "west", "role": "external", "outcome": n % 2}
            for n in range(count)
        ],
    )


def arrays(folder: Path, count: int) -> None:
    """Images, glands and maps of the first patients; those of one patient are always the same."""
    random = np.random.default_rng(1)
    images = random.random((N, SIZE, SIZE)).astype(np.float32)[:count]
    masks = np.zeros((count, SIZE, SIZE), np.uint8)
    masks[:, 16:40, 16:40] = 1
    maps = random.random((N, CELLS, CELLS)).astype(np.float32)[:count]
    steps = random.random((len(Randomized), N, CELLS, CELLS)).astype(np.float32)[:, :count]
    methods = random.random((2, N, CELLS, CELLS)).astype(np.float32)[:, :count]
    areas = random.random((2, N, 5))[:, :count]
    for name, values in (("images", images), ("masks", masks), ("maps", maps), ("random", steps)):
        np.save(folder / f"{name}.npy", values)
    # The patients of the curves are in no order.
    order = [n for n in (3, 11, 0, 7, 10, 5, 8) if n < count]
    np.savez(
        folder / "compared.npz",
        positions=np.array(order), members=np.stack([maps, steps[1]]),
        deletion=areas[0, order], insertion=areas[1, order],
        **{"method/gradcam": methods[0, order], "method/hirescam": methods[1, order]},
    )  # fmt: skip


def drawn(folder: Path, count: int, applied: Path | None = None) -> Path:
    folder.mkdir()
    arrays(folder, count)
    rows = people(count)
    io.write(COHORT, rows, folder / "cohort.csv")
    shown = rows[["patient", "center", "outcome"]].assign(
        target="cured",
        probability=0.5,
        status="ok",
        map_left_mm=-80.0,
        map_top_mm=-80.0,
        cell_mm=20.0,
    )
    io.write(GRADCAM, shown, folder / "gradcam.csv")
    draw_maps.run(
        cohort=folder / "cohort.csv",
        images=folder / "images.npy",
        masks=folder / "masks.npy",
        gradcams={"all": folder / "gradcam.csv"},
        maps={"all": folder / "maps.npy"},
        randomized={"all": folder / "random.npy"},
        compared={"all": folder / "compared.npz"},
        tables=folder,
        folder=folder / "pictures",
        design="external",
        least=LEAST,
        applied=applied,
    )
    return folder


def flagged(file: Path, apart: int) -> Path:
    """Table `APPLIED_PATIENTS`; the last patients are scored apart."""
    rows = [
        {
            "locked_model": "a" * 64, "predicted_at": "2026-01-01T00:00:00Z", "patient": patient,
            "center": "west", "distance": 0.5, "acquisition": "", "outside": False, "image": "0" * 64,
            "standing": "late" if number >= N - apart else "before", "clinical_changed": False,
        }
        for number, patient in enumerate(people(N)["patient"])
    ]  # fmt: skip
    io.write(APPLIED_PATIENTS, io.build(APPLIED_PATIENTS, rows), file)
    return file


def test_tables_are_those_of_a_study_without_the_patients_who_are_scored_apart(
    tmp_path: Path,
) -> None:
    without = drawn(tmp_path / "without", N - 2)
    found = drawn(tmp_path / "apart", N, flagged(tmp_path / "flagged.csv", 2))
    for name in TABLES:
        text = (found / f"{name}.csv").read_text()
        assert text == (without / f"{name}.csv").read_text(), name
        assert len(text.splitlines()) > 1, name
    assert len([*(found / "pictures" / "all").iterdir()]) == N
    everybody = drawn(tmp_path / "everybody", N, flagged(tmp_path / "none.csv", 0))
    assert (everybody / "curves.csv").read_text() != (without / "curves.csv").read_text()


def test_the_sample_size_is_that_of_the_patients_who_are_scored(tmp_path: Path) -> None:
    io.write(COHORT, people(N), tmp_path / "cohort.csv")
    rows = [
        {"design": "external", "split": "all", "patient": name, "set": "test", "fold": None}
        for name in people(N)["patient"]
    ]
    io.write(SPLITS, io.build(SPLITS, rows), tmp_path / "splits.csv")
    found = []
    for apart in (0, 2):
        plan_sample_size.run(
            tmp_path / "cohort.csv", tmp_path / "splits.csv", tmp_path / "size.csv",
            EvaluationConfig(), SignatureConfig.read({}), flagged(tmp_path / "flagged.csv", apart),
        )  # fmt: skip
        table = io.read(SAMPLE_SIZE, tmp_path / "size.csv").set_index(["purpose", "criterion"])
        found.append(table.loc[("precision", "auc"), "available_n"])
    assert found == [N, N - 2]
