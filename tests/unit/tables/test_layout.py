"""A table with one row per visit is recognized, and read if the config says so."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.example_scans import center, cohort
from thyrocast.errors import InputError
from thyrocast.tables.clinical import ClinicalPatient, read_clinical

# As REDCap exports a project with events: baseline values only in the baseline row.
REDCAP = """record_id,redcap_event_name,sex,rai_date,tsh,ft4,visit_date
1,baseline_arm_1,f,2020-01-01,0.01,45,
1,month_6_arm_1,,,0.01,40,2020-07-03
1,month_12_arm_1,,,9,8,2021-01-05
2,baseline_arm_1,m,2020-02-01,0.01,,
2,month_12_arm_1,,,0.01,50,2021-02-03
3,baseline_arm_1,f,2020-03-01,0.02,30,
3,month_6_arm_1,,,1.5,15,2020-09-03
"""
COLUMNS = {"patient": "record_id", "therapy_date": "rai_date", "sex": "sex", "ft4": "ft4"}
VISIT = {"date": "visit_date", "tsh": "tsh", "ft4": "ft4"}
LONG: dict[str, Any] = {
    "layout": "long",
    "baseline_visit": "baseline_arm_1",
    "columns": COLUMNS | {"visit": "redcap_event_name"},
    "outcome": {
        "rule": "followup",
        "visits": [{"visit": "month_6_arm_1"} | VISIT, {"visit": "MONTH_12_ARM_1"} | VISIT],
    },
}


def read(tmp_path: Path, text: str, **changes: Any) -> list[ClinicalPatient]:
    (tmp_path / "t.csv").write_text(text)
    return read_clinical(center(clinical=str(tmp_path / "t.csv"), **changes), cohort())


def test_one_row_per_visit_is_recognized(tmp_path: Path) -> None:
    wide = {"columns": COLUMNS, "outcome": {"rule": "followup", "visits": [VISIT]}}
    with pytest.raises(
        InputError, match="3 of 3 patients.*`layout: long` and `columns.visit: redcap"
    ):
        read(tmp_path, REDCAP, **wide)
    other = REDCAP.replace("redcap_event_name", "visite")
    with pytest.raises(InputError, match="`columns.visit` with the column of the visit"):
        read(tmp_path, other, **wide)


def test_named_visits_are_read_from_their_rows(tmp_path: Path) -> None:
    first, second, third = read(tmp_path, REDCAP, **LONG)
    assert [patient.line for patient in (first, second, third)] == [2, 5, 7]
    assert (first.values["sex"], first.values["ft4"]) == ("female", 45)
    # A value of a visit does not take the place of a missing one before therapy.
    assert second.values["ft4"] is None
    assert [(v.tsh, v.ft4) for v in first.followup.visits] == [(0.01, 40), (9, 8)]
    assert [v.days for v in second.followup.visits] == [None, 368]
    assert [v.days for v in third.followup.visits] == [186, None]


def test_every_row_is_a_visit_if_none_is_named(tmp_path: Path) -> None:
    settings = LONG | {"outcome": {"rule": "followup", "visits": [VISIT]}}
    first, second, _ = read(tmp_path, REDCAP, **settings)
    assert [v.days for v in first.followup.visits] == [184, 370]
    assert [v.days for v in second.followup.visits] == [368, None]


def test_a_column_of_before_and_after_needs_the_baseline_visit(tmp_path: Path) -> None:
    settings = {key: value for key, value in LONG.items() if key != "baseline_visit"}
    with pytest.raises(InputError, match="column 'ft4' belongs to a visit.*set `baseline_visit`"):
        read(tmp_path, REDCAP, **settings)


def test_a_visit_that_no_row_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'month_24', expected one of 'baseline_arm_1'"):
        read(
            tmp_path,
            REDCAP,
            **(LONG | {"baseline_visit": "month_24"}),
        )


def test_several_values_of_one_cell_are_no_value(tmp_path: Path) -> None:
    again = REDCAP.replace(
        "2,month_12_arm_1,,,0.01,50,2021-02-03",
        ("2,month_12_arm_1,,,0.01,50,2021-02-03\n2,month_12_arm_1,,,2,15,2021-02-10"),
    )
    second = read(tmp_path, again, **LONG)[1]
    assert second.unreadable == "date of a visit not readable"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": "wide"}, "key layout: is wide"),
        ({"columns": COLUMNS}, "key columns.visit: missing"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, REDCAP, **(LONG | changes))
