"""A coordinator without patients: exchange files alone give the pooled result of the same centers as data."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

import pool_exchanged
from tests.unit.sharing import example_centers as example
from thyrocast.config.reading import read_study
from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE, POOLED, POOLED_CENTERS, SOURCES
from thyrocast.contract.names import Metric
from thyrocast.errors import InputError
from thyrocast.evaluation import pooled_centers
from thyrocast.sharing import exchange

NAMES = [*example.SIZES]


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], pd.DataFrame]:
    """The exchange files of five centers, and what their sites have as `PERFORMANCE`."""
    files, rows = {}, []
    for name in NAMES:
        folder = tmp_path_factory.mktemp(name)
        study = example.config([name])
        people = example.people(name)
        scored = example.quick_performance(name, people, study)
        site = example.tables(name, people, scored=scored)
        files[name] = folder / f"{name}.json"
        exchange.write(site, study, exchange.locked(example.HASH), folder / "ledger", files[name])
        rows.append(scored)
    return files, io.concat(PERFORMANCE, rows)


def config(folder: Path, files: dict[str, Path], **more: object) -> Path:
    blocks = [{"name": name, "exchange": str(file)} for name, file in files.items()]
    file = folder / "pool.yaml"
    file.write_text(yaml.safe_dump({"study": "consortium", "centers": blocks} | more))
    return file


def test_five_files_give_the_result_of_five_centers(
    five: tuple[dict[str, Path], pd.DataFrame], tmp_path: Path
) -> None:
    files, performance = five
    page = pool_exchanged.run(config(tmp_path, files), tmp_path)
    expected = pooled_centers.pool(performance, 0.95)
    folder = tmp_path / "consortium"
    for table, frame in ((POOLED, expected.summary), (POOLED_CENTERS, expected.centers)):
        io.write(table, frame, tmp_path / table.path)
        ours, theirs = (
            io.read(table, place / table.path).select_dtypes("number")
            for place in (folder, tmp_path)
        )
        assert len(ours) == len(theirs) > 0
        pd.testing.assert_frame_equal(ours, theirs, rtol=0, atol=1e-9)
    sources = io.read(SOURCES, folder / SOURCES.path)
    assert list(sources["center"]) == NAMES
    assert set(sources["models"]) == {"same"}
    text = page.read_text()
    assert "All centers were scored with the same model" in text
    assert "Pooled over centers (test): AUC" in text
    for name in NAMES:
        assert name in text


def test_a_center_in_which_nobody_reaches_the_threshold_is_pooled_as_its_data(
    tmp_path: Path,
) -> None:
    """Its net benefit has no variance, but limits: others of its patients might be treated."""
    files, rows = {}, []
    for name in NAMES[:3]:
        found = example.people(name)
        if name == "bern":
            found = [(who, y, {m: 0.45 * p for m, p in by.items()}) for who, y, by in found]
        study = example.config([name])
        rows.append(example.quick_performance(name, found, study))
        site = example.tables(name, found, scored=rows[-1])
        files[name] = tmp_path / f"{name}.json"
        exchange.write(
            site, study, exchange.locked(example.HASH), tmp_path / f"ledger-{name}", files[name]
        )
    low = rows[1][rows[1]["metric"] == Metric.NET_BENEFIT]
    assert (low["estimate"] == 0).all()
    assert (low["std_error"] == 0).all()
    assert (low["ci_low"] < 0).all()
    pool_exchanged.run(config(tmp_path, files), tmp_path)
    expected = pooled_centers.pool(io.concat(PERFORMANCE, rows), 0.95).summary
    io.write(POOLED, expected, tmp_path / POOLED.path)
    ours, theirs = (
        io.read(POOLED, place / POOLED.path).select_dtypes("number")
        for place in (tmp_path / "consortium", tmp_path)
    )
    pd.testing.assert_frame_equal(ours, theirs, rtol=0, atol=1e-9)


def test_what_cannot_be_pooled_is_refused(
    five: tuple[dict[str, Path], pd.DataFrame], tmp_path: Path
) -> None:
    files, _ = five
    content = json.loads(files["delft"].read_text())

    def refused(*changes: tuple[str, object]) -> str:
        other = json.loads(json.dumps(content))
        for key, value in changes:
            *parents, last = key.split(".")
            node = other
            for part in parents:
                node = node[part]
            node[last] = value
        (tmp_path / "delft.json").write_text(json.dumps(other))
        sent = {name: files[name] for name in ("ankara", "bern")}
        with pytest.raises(InputError) as found:
            pool_exchanged.run(
                config(tmp_path, sent | {"delft": tmp_path / "delft.json"}), tmp_path
            )
        assert "\n" not in str(found.value)
        return str(found.value)

    assert "has simulated patients no, but that of center ankara has yes" in refused(
        ("flags.simulated", False)
    )
    assert "is about the locked model bbbbbbbbbbbb, but that of center ankara" in refused(
        ("model.hash", "b" * 64)
    )
    assert "has outcomes by the rule followup" in refused(("outcome.rule", "followup"))
    twice = {"bern": files["bern"], "berne": files["bern"]}
    with pytest.raises(InputError, match="so has that of center bern: remove one"):
        pool_exchanged.run(config(tmp_path, twice), tmp_path)
    with pytest.raises(InputError, match="expected a list of 2|at least 2"):
        pool_exchanged.run(config(tmp_path, {"bern": files["bern"]}), tmp_path)
    with pytest.raises(InputError, match="a center has data, expected exchange files only"):
        pool_exchanged.run(config(tmp_path, {}, centers=[{"name": "x", "dicom": "d"}]), tmp_path)
    (tmp_path / "consortium" / "cohort").mkdir(parents=True)
    with pytest.raises(InputError, match="has the results of a study with patients"):
        pool_exchanged.run(config(tmp_path, files), tmp_path)


def test_a_study_of_files_alone_says_what_to_do() -> None:
    blocks = [{"name": name, "exchange": f"{name}.json"} for name in NAMES]
    with pytest.raises(InputError, match="to pool exchange files alone, run `make pool"):
        read_study({"study": "consortium", "centers": blocks})
