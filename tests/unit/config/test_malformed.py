"""Whatever a config contains, it is read or refused with `InputError`; nothing else comes out."""

import copy
import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thyrocast.config import reading
from thyrocast.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
STUDY = reading.read_study(reading.read_file(ROOT / "config" / "demo.yaml")).plain()
COHORT = reading.read_simulation(
    reading.read_file(ROOT / "config" / "simulation" / "smoke.yaml")
).plain()

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=3)
    | st.sampled_from(["(", "[a", "{number", "{number:q}", "{}", "1e-3", "all", "a\n", "\ud800"])
    | st.sampled_from([2**63, -(10**400), {1}, 1j, datetime.datetime(2020, 1, 1)])
)
KEYS = st.text(max_size=8) | st.integers() | st.booleans() | st.none() | st.dates() | st.floats()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=6,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    below = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, item in below for place in places(item, (*path, key)))]


def changed(config: dict[str, Any], place: tuple[str | int, ...], value: Any) -> Any:
    if not place:
        return value
    config = copy.deepcopy(config)
    node: Any = config
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return config


@pytest.mark.parametrize(
    ("read", "valid"), [(reading.read_study, STUDY), (reading.read_simulation, COHORT)]
)
def test_a_malformed_config_is_refused_with_a_sentence(read: Any, valid: dict[str, Any]) -> None:
    everywhere = places(valid)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(everywhere), VALUES), min_size=1, max_size=3))
    def attempt(changes: list[tuple[tuple[str | int, ...], Any]]) -> None:
        config: Any = valid
        for place, value in changes:
            if place in places(config):
                config = changed(config, place, value)
        before = copy.deepcopy(config)
        try:
            result = read(config).plain()
        except InputError as error:
            for line in str(error).strip().splitlines():
                assert line.startswith(("config", "key ", "center ")), line
                assert "Input should" not in line, line
        else:
            assert read(result).plain() == result
        assert repr(config) == repr(before)  # nan is not itself

    attempt()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="[]{}:,-&*!?|>'\"%@ \nab1é\t<", max_size=30))
def test_any_text_as_a_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("text") / "c.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        reading.read_study(reading.read_file(path))
    except InputError:
        return
    raise AssertionError("no study is that short")


def test_the_config_of_the_demo_survives_a_round_trip_as_yaml() -> None:
    assert reading.read_study(yaml.safe_load(yaml.safe_dump(STUDY))).plain() == STUDY
