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
@example(note="a\rb")
@example(note="\n=1+1")
@given(note=st.text(st.characters(exclude_categories=["Cs"])))
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
        ({"design": "lco"}, "is 'lco', expected one of holdout, kfold, loco, temporal, external"),
        ({"design": None}, "column design: is missing"),
        ({"camera": 7}, "column camera: 7 is not text"),
        ({"n": 1.5}, "evaluation/example.csv"),
        ({"camera": "same"}, "row 3: a second row with the same design, camera"),
        ({"n": 1.5}, "column n: 1.5 where a whole number is declared"),
        ({"n": 2.0**60}, "where a whole number is declared"),
        ({"n": 2**63}, "column n: 9223372036854775808 where a whole number is declared"),
        ({"n": np.inf}, "column n: inf where a whole number is declared"),
        ({"n": pd.Timestamp("2020-01-01")}, "where a whole number is declared"),
        ({"n": True}, "column n: True where a whole number is declared"),
        ({"logit": 1 + 2j}, "column logit: (1+2j) where a number is declared"),
        ({"logit": pd.Timestamp("2020-01-01")}, "where a number is declared"),
        ({"included": "0"}, "column included: text where 1 or 0 is declared"),
        ({"included": 2}, "column included: 2 where 1 or 0 is declared"),
        ({"included": 0.5}, "column included: 0.5 where 1 or 0 is declared"),
        ({"note": "\ud800"}, "a text cannot be written as UTF-8"),
    ],
)
def test_a_wrong_table_is_not_written(
    frame: pd.DataFrame, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ContractError, match=re.escape(message)):
        io.write(TABLE, frame.assign(**change), tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def test_a_whole_number_of_a_column_with_and_without_missing_values_is_whole(
    tmp_path: Path,
) -> None:
    """`int64` accepts 1.5 as 1 and 1e300 as -9223372036854775808."""
    table = Table("x.csv", "", (integer("n", ""),))
    for wrong in (1.5, 1e300, np.uint64(2**64 - 1)):
        with pytest.raises(ContractError, match="where a whole number is declared"):
            io.write(table, pd.DataFrame({"n": [wrong]}), tmp_path / "x.csv")


def test_large_numbers_and_long_texts_come_back_exactly(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    """Also beside a missing value, where pandas goes through float64."""
    frame["n"] = pd.Series([2**53 + 1, None], dtype="Int64")
    frame["note"] = "x" * 200_000
    io.write(TABLE, frame, tmp_path / "t.csv")
    again = io.read(TABLE, tmp_path / "t.csv")
    assert again["n"][0] == 2**53 + 1
    assert list(again["note"]) == list(frame["note"])


def test_columns_that_are_not_names_are_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    levels = frame.copy()
    levels.columns = pd.MultiIndex.from_product([frame.columns, [""]])
    with pytest.raises(ContractError, match="column camera, design, .* is missing"):
        io.write(TABLE, levels, tmp_path / "t.csv")
    with pytest.raises(ContractError, match="column 0 is unknown"):
        io.write(
            TABLE, frame.rename(columns=str).assign(x=1).rename(columns={"x": 0}), tmp_path / "t"
        )
    with pytest.raises(ContractError, match="column share occurs twice"):
        io.write(TABLE, pd.concat([frame, frame[["share"]]], axis=1), tmp_path / "t.csv")


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
        ("e.cam", "", "row 3: a second row with the same design, camera"),
        (",3,", ",9223372036854775808,", "column n: is '9223372036854775808', expected a whole"),
        (",3,", ",1e3,", "column n: is '1e3', expected a whole number"),
        (",note,", ',"no\nte",', "column 'no\\nte' is unknown"),
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


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path, tmp_path / "loop"):
        with pytest.raises(InputError, match="cannot be read"):
            io.read(TABLE, path)


def test_private_tables_are_for_their_owner_and_messages_keep_their_values(tmp_path: Path) -> None:
    private = Table("x.csv", "", (text("patient", ""), number("age", "")), private=True)
    file = tmp_path / "private" / "x.csv"
    io.write(private, io.build(private, [{"patient": "a", "age": 40.0}]), file)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    file.write_text("patient,age\nDoe,born 1970\n")
    with pytest.raises(InputError) as fault:
        io.read(private, file)
    assert "born" not in str(fault.value)
    file.write_text("Doe,1970\n")
    with pytest.raises(InputError, match="other columns are unknown") as fault:
        io.read(private, file)
    assert "Doe" not in str(fault.value)
    with pytest.raises(ContractError, match="a value is not text"):
        io.build(private, [{"patient": 19700101, "age": 40.0}])


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


def test_the_index_of_a_frame_does_not_matter(frame: pd.DataFrame) -> None:
    for index in ([7, 7], [1, 0], pd.MultiIndex.from_tuples([(0, 1), (0, 2)])):
        pd.testing.assert_frame_equal(io.conform(TABLE, frame.set_axis(index)), frame)
        mixed = frame.set_axis(index).astype({"note": object, "n": object, "included": int})
        pd.testing.assert_frame_equal(io.conform(TABLE, mixed), frame)
