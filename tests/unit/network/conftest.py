"""A tiny cohort and the smallest real training of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import train_network
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import SPLITS
from thyrocast.contract.table import Table

SIZE = 32


@dataclass(frozen=True)
class Cohort:
    """Files of a cohort in a folder, and how to train on them."""

    folder: Path
    settings: NetworkConfig

    def inputs(self) -> dict[str, Path]:
        """The files that the network's rules read, by their names there."""
        names = ("cohort.csv", "images.npy", "masks.npy", "splits.csv")
        return {Path(name).stem: self.folder / name for name in names}

    def train(
        self, out: Path, member: str = "full", pretrained: Path | None = None, **settings: Any
    ) -> bytes:
        """Train a member in this process; return the bytes of its weights file."""
        weights = out / member / "weights.safetensors"
        train_network.run(
            **self.inputs(),
            weights=weights,
            history=out / member / "history.csv",
            design="loco",
            split="south",
            member=member,
            settings=NetworkConfig.read(self.settings.plain() | settings),
            seed=7,
            state=out / "state",
            threads=1,
            pretrained=pretrained,
        )
        return weights.read_bytes()


def write_table(table: Table, rows: list[dict[str, Any]], path: Path) -> None:
    """Write a table; columns that are not given are missing."""
    blank = dict.fromkeys(table.names)
    io.write(table, io.build(table, [blank | row for row in rows]), path)


def write_cohort(folder: Path, outcomes: list[int] | None = None, n: int = 16) -> None:
    """Write a cohort of two centers, with every fourth patient in the one that is held out."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(3)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE - 0.5
    rows, splits, images, masks = [], [], [], []
    for i in range(n):
        outcome = outcomes[i] if outcomes else i // 2 % 2
        width = 0.1 if outcome else 0.15
        lobes = sum(
            np.clip(1 - ((x - side) / width) ** 2 - (y / 0.3) ** 2, 0, None) ** 0.5
            for side in (-0.18, 0.18)
        )
        mask = lobes > 0.1
        per_unit = 40.0
        image = generator.poisson((lobes + 0.1) * per_unit) / per_unit
        images.append(image)
        masks.append(mask)
        left_out = i % 4 == 3
        center = "south" if left_out else "north"
        name = f"{center}-{i:02d}"
        counts = None if i == 0 else round(image[mask].sum() * per_unit)
        rows.append(
            {
                "patient": name,
                "center": center,
                "role": "development",
                "outcome": outcome,
                "q_gross_counts": counts,
                "pixel_mm": 2.4,
                "image_pixel_mm": 1.2,
            }
        )
        splits.append(
            {
                "design": "loco",
                "split": "south",
                "patient": name,
                "set": "test" if left_out else "train",
                "fold": None if left_out else i % 3 + 1,
            }
        )
    np.save(folder / "images.npy", np.array(images, np.float32))
    np.save(folder / "masks.npy", np.array(masks, np.uint8))
    write_table(COHORT, rows, folder / "cohort.csv")
    write_table(SPLITS, splits, folder / "splits.csv")


@pytest.fixture(scope="session")
def make_cohort(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Cohort]:
    """Make cohorts that a test may change."""
    short = {
        "epochs": 2,
        "batch_size": 4,
        "early_stopping": {"fraction": 0, "patience": 1},
        "threads": 1,
    }
    settings = NetworkConfig.read(short)

    def make(**options: Any) -> Cohort:
        folder = tmp_path_factory.mktemp("cohort")
        write_cohort(folder, **options)
        return Cohort(folder, settings)

    return make


@pytest.fixture(scope="session")
def cohort(make_cohort: Callable[..., Cohort]) -> Cohort:
    """A cohort that nobody changes."""
    return make_cohort()


@pytest.fixture(scope="session")
def trained(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the undisturbed training of the member ``full``."""
    out = tmp_path_factory.mktemp("trained")
    cohort.train(out)
    return out / "full"
