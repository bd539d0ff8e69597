"""Several definitions of the outcome in one study."""

from typing import Any

import pytest

from thyrocast.config import reading as config
from thyrocast.errors import InputError


@pytest.fixture
def given() -> dict[str, Any]:
    columns = {"patient": "ID"}
    block = {"role": "development", "dicom": "dicom", "clinical": "table.csv", "columns": columns}
    return {"study": "test", "centers": [{"name": name, **block} for name in ("north", "south")]}


FOLLOWED = {"rule": "followup", "visits": [{"months": 12, "state": "Ergebnis"}]}
NAMED = {"definition": [{"name": "half", "months": 6}, {"name": "year", "main": True}]}


def test_definitions_of_the_study_are_those_of_its_centers(given: dict[str, Any]) -> None:
    for center in given["centers"]:
        center["outcome"] = FOLLOWED
    study = config.read_study(given | {"outcome": NAMED})
    assert [one.name for one in study.definitions()] == ["year", "half"]
    assert [one.name for one in study.center("south").outcome.definitions()] == ["year", "half"]
    assert config.read_study(study.plain()).plain() == study.plain()


def test_another_definition_does_not_change_what_images_and_models_depend_on(
    given: dict[str, Any],
) -> None:
    for center in given["centers"]:
        center["outcome"] = FOLLOWED
    more = [*NAMED["definition"], {"name": "strict", "subclinical_hyperthyroid": "not_cured"}]
    two, three = (
        config.read_study(given | {"outcome": {"definition": one}})
        for one in (NAMED["definition"], more)
    )
    assert two.main_block("north") == three.main_block("north")
    assert two.main_block("north").outcome.definitions()[0].name == "year"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"months": 6},
            "center north, key outcome: states when its outcome is decided, and so does outcome.definition",
        ),
        (
            {"definition": [{"name": "quarter"}]},
            "center south, key outcome.definition: has the definitions year, half .main one first., "
            "expected those of the other centers: quarter",
        ),
    ],
)
def test_definitions_that_differ_between_centers_are_refused(
    given: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    for center in given["centers"]:
        center["outcome"] = dict(FOLLOWED)
    given["centers"][0]["outcome"] |= change
    with pytest.raises(InputError, match=message):
        config.read_study(given | {"outcome": NAMED})
