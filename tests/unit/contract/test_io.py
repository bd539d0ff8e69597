"""Tables are read and written as they are declared, or refused in one sentence."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from thyrocast.contract import documentation, files, io
from thyrocast.contract.io import ContractError
from thyrocast.contract.names import Design
from thyrocast.contract.table import Table, flag, integer, number, text
from thyrocast.errors import InputError

TABLE = Table(
    "evaluation/example.csv",
    "An example.",
    (
        text("design", "Design.", Design),
        text("camera", "Camera.", missing=True),
        text("note", "Note."),
        integer("n", "Patients.", low=0, missing=True),
        number("share", "Share.", low=0, high=1),
        number("logit", "Logit.", missing=True),
        flag("included", "Included."),
        flag("known", "Known.", missing=True),
    ),
    key=("design", "camera"),
)
FIRST = {
    "design": Design.LOCO, "camera": None, "note": "=1+1", "n": None, "share": 1 / 3,
    "logit": None, "included": True, "known": None,
}  # fmt: skip
SECOND = FIRST | {"camera": "e.cam", "note": "", "n": 3, "logit": -2.5, "known": False}


@pytest.fixture
def frame() -> pd.DataFrame:
    return io.build(TABLE, [FIRST, SECOND])


def test_what_is_written_is_read_again(frame: pd.DataFrame, tmp_path: Path) -> None:
    io.write(TABLE, frame, tmp_path / "t.csv")
    again = io.read(TABLE, tmp_path / "t.csv")
    pd.testing.assert_frame_equal(again, frame, rtol=1e-11)
    kinds = ["str", "str", "str", "Int64", "float64", "float64", "bool", "boolean"]
    assert [str(kind) for kind in again.dtypes] == kinds


def test_a_spreadsheet_runs_no_formula(frame: pd.DataFrame, tmp_path: Path) -> None:
    io.write(TABLE, frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == "loco,,'=1+1,,0.333333333333,,1,"


@settings(deadline=None)
@example(note="'=x")
@example(note="''+1")
@given(note=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_comes_back(note: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("any") / "t.csv"
    io.write(TABLE, io.build(TABLE, [FIRST | {"note": note}]), file)
    assert io.read(TABLE, file)["note"][0] == note


def test_no_rows_keep_the_types(frame: pd.DataFrame, tmp_path: Path) -> None:
    io.write(TABLE, io.empty(TABLE), tmp_path / "t.csv")
    assert io.read(TABLE, tmp_path / "t.csv").dtypes.equals(frame.dtypes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nonsense": 1}, "column nonsense is unknown"),
        ({"share": 2.0}, "column share: is 2, expected a number from 0 to 1"),
        ({"share": np.nan}, "column share: a value is missing"),
        ({"share": "0.5"}, "column share: text where a number is declared"),
        ({"logit": np.inf}, "column logit: is inf"),
        ({"design": "lco"}, "is 'lco', expected one of holdout, kfold, loco, external"),
        ({"design": None}, "column design: is missing"),
        ({"camera": 7}, "column camera: 7 is not text"),
        ({"n": 1.5}, "evaluation/example.csv"),
        ({"camera": "same"}, "a second row with the same design, camera"),
    ],
)
def test_a_wrong_table_is_not_written(
    frame: pd.DataFrame, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ContractError, match=re.escape(message)):
        io.write(TABLE, frame.assign(**change), tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def test_a_forgotten_column_is_named(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="column share is missing"):
        io.write(TABLE, frame.drop(columns="share"), tmp_path / "t.csv")
    with pytest.raises(ContractError, match="column share is missing; column shear is unknown"):
        io.build(TABLE, [{("shear" if k == "share" else k): v for k, v in FIRST.items()}])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("loco,,", "lco,,", "row 2, column design: is 'lco', expected one of holdout"),
        ("0.333333333333,,1,", "x,,1,", "row 2, column share: is 'x', expected a number from 0 to 1"),
        ("0.333333333333,,1,", ",,1,", "row 2, column share: is empty, expected a number"),
        ("0.333333333333,,1,", "1.5,,1,", "row 2, column share: is 1.5, expected a number"),
        ("0.333333333333,,1,", "0.3,,2,", "row 2, column included: is '2', expected 1 or 0"),
        (",3,", ",3.5,", "row 3, column n: is '3.5', expected a whole number of at least 0"),
        (",note,", ",notes,", "column note is missing; column notes is unknown"),
        (",note,", ",camera,", "column 'camera' occurs twice"),
        (",3,0.333333333333,-2.5,1,0", ",3", "row 3: has 4 cells, expected 8"),
        ("-2.5,1,0", "-2.5,1,0,7", "row 3: has 9 cells, expected 8"),
        ("e.cam", '"e.cam', "not a comma-separated UTF-8 table"),
        ("e.cam", "", "a second row with the same design, camera"),
    ],
)  # fmt: skip
def test_a_wrong_file_ends_in_one_sentence(
    frame: pd.DataFrame, tmp_path: Path, old: str, new: str, message: str
) -> None:
    file = tmp_path / "t.csv"
    io.write(TABLE, frame, file)
    text_of_file = file.read_text()
    assert old in text_of_file
    file.write_text(text_of_file.replace(old, new))
    with pytest.raises(InputError, match=re.escape(message)) as fault:
        io.read(TABLE, file)
    assert "\n" not in str(fault.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        io.read(TABLE, tmp_path / "t.csv")


def test_private_tables_are_for_their_owner_and_messages_keep_their_values(tmp_path: Path) -> None:
    private = Table("x.csv", "", (text("patient", ""), number("age", "")), private=True)
    file = tmp_path / "private" / "x.csv"
    io.write(private, io.build(private, [{"patient": "a", "age": 40.0}]), file)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    file.write_text("patient,age\nDoe,born 1970\n")
    with pytest.raises(InputError) as fault:
        io.read(private, file)
    assert "born" not in str(fault.value)


@pytest.mark.parametrize("table", files.TABLES, ids=lambda table: table.path)
def test_every_table_is_declared_in_full(table: Table, tmp_path: Path) -> None:
    """Each has a schema, an empty table, and meanings; the writer refuses a misspelled column."""
    nothing = io.empty(table)
    io.write(table, nothing, tmp_path / "t.csv")
    assert io.read(table, tmp_path / "t.csv").dtypes.equals(nothing.dtypes)
    assert all(column.meaning.endswith(".") for column in table.columns)
    for name in table.names:
        with pytest.raises(ContractError, match=f"{name} is missing"):
            io.write(table, nothing.rename(columns={name: f"{name}_"}), tmp_path / "t.csv")


def test_paths_are_declared_once() -> None:
    entries = [*files.TABLES, *files.FILES, *files.PRIVATE_FILES]
    paths = [(entry.private, entry.path) for entry in entries]
    assert len(set(paths)) == len(paths)


def test_the_document_is_in_step() -> None:
    assert (ROOT / "docs" / "output.md").read_text() == documentation.document(), (
        "run `make output-docs`"
    )
