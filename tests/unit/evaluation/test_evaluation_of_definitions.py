"""Under another definition of the outcome the predictions stay, and only test outcomes change."""

import pytest

import compare_definitions
from tests.unit.evaluation.example_study_of_24 import cohort, one_member, patients, predictions
from thyrocast.contract import io
from thyrocast.contract.cohort import DEFINITIONS
from thyrocast.contract.evaluation import MULTIVERSE, PERFORMANCE, POOLED, PREDICTIONS, THRESHOLDS
from thyrocast.evaluation import definitions
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import discrimination

TEST, TRAIN = patients("t", "north"), patients("l", "north")


def decided(changes=None, extra=0):
    """Outcomes under `year` (as in the predictions) and `half`, which differs by `changes`."""
    rows = []
    for patient, center, outcome, _ in TEST + TRAIN:
        for name in ("year", "half"):
            other = (changes or {}).get(patient, outcome) if name == "half" else outcome
            rows.append(row(patient, center, name, other))
    for n in range(extra):
        rows += [
            row(f"north-x{n}", "north", name, None if name == "year" else 1)
            for name in ("year", "half")
        ]
    return io.build(DEFINITIONS, rows)


def row(patient, center, name, outcome):
    return dict.fromkeys(DEFINITIONS.names) | {
        "patient": patient,
        "center": center,
        "definition": name,
        "main": name == "year",
        "outcome": outcome,
        "reason": "lost to follow-up" if outcome is None else "",
    }


@pytest.fixture
def given():
    rows = predictions(TRAIN, "train") + predictions(TEST, "test")
    return io.build(PREDICTIONS, rows)


def test_training_outcomes_and_probabilities_stay(given):
    first, second = TEST[0][0], TEST[1][0]
    found = definitions.under(given, decided({first: 0, second: None, TRAIN[0][0]: 0}), "half")
    assert (found["probability"] == given["probability"]).all()
    changed = found["outcome"].astype(object) != given["outcome"].astype(object)
    assert set(found.loc[changed, "patient"]) == {first, second}
    assert found.loc[found["patient"] == second, "outcome"].isna().all()


def test_the_comparison_counts_and_estimates_what_the_definition_gives(given, config):
    changes = {TEST[0][0]: 0, TEST[1][0]: None, TEST[12][0]: 1}
    outcomes = decided(changes, extra=5)
    results = {
        name: definitions.evaluate(
            definitions.under(given, outcomes, name),
            cohort(TEST + TRAIN),
            Settings(config, 1),
            one_member(given),
        )
        for name in ("year", "half")
    }
    table = definitions.compare(outcomes, results, config.confidence).set_index("definition")
    year, half = table.loc["year"], table.loc["half"]
    assert (year["changed"], year["lost"], year["not_scored"], year["n"]) == (0, 0, 0, 24)
    assert (half["changed"], half["lost"], half["not_scored"], half["n"]) == (2, 1, 5, 23)
    # 48 patients, half of them cured, and five more who are undecided under `year`
    assert year["cure_rate"] == pytest.approx(24 / 48)
    assert (year["decided"], year["undecided"]) == (48, 5)
    # two cured patients less, one more; and five more who are cured
    assert half["cure_rate"] == pytest.approx((24 - 2 + 1 + 5) / (48 - 1 + 5))
    test = [(changes.get(patient, outcome), p) for patient, _, outcome, p in TEST]
    y, p = zip(*[pair for pair in test if pair[0] is not None], strict=True)
    expected = discrimination.auc_interval([one == 1 for one in y], p, 0.95)
    assert half["estimate"] == pytest.approx(expected.estimate)
    assert half["ci_low"] == pytest.approx(expected.low)
    same = [results[name][THRESHOLDS]["threshold"].tolist() for name in ("year", "half")]
    assert same[0] == same[1]


def test_the_main_definition_repeats_the_evaluation(given, config):
    rest = cohort(TEST + TRAIN), Settings(config, 1), one_member(given)
    again = definitions.evaluate(definitions.under(given, decided(), "year"), *rest)
    first = definitions.evaluate(given, *rest)
    assert again[PERFORMANCE].equals(first[PERFORMANCE])


def test_a_definition_under_which_nobody_can_be_scored_is_still_listed(given, config):
    outcomes = decided({one[0]: None for one in TEST})
    results = {
        name: definitions.evaluate(
            definitions.under(given, outcomes, name),
            cohort(TEST + TRAIN),
            Settings(config, 1),
            one_member(given),
        )
        for name in ("year", "half")
    }
    table = definitions.compare(outcomes, results, config.confidence).set_index("definition")
    half = table.loc["half"]
    assert (half["status"], half["n"], half["lost"]) == ("not_estimable", 0, 24)
    assert half["note"] == "no test patient has an outcome"


def test_leaving_centers_out_is_represented_by_their_mean(config):
    rows, everyone = [], []
    for n, center in enumerate(("east", "north", "south", "west")):
        people = [(*one[:3], min(0.99, one[3] + 0.01 * n)) for one in patients("t", center)]
        rows += predictions(people, "test", split=center, kind="loco")
        everyone += people
    outcomes = io.build(DEFINITIONS, [row(one[0], one[1], "year", one[2]) for one in everyone])
    given = io.build(PREDICTIONS, rows)
    found = definitions.evaluate(given, cohort(everyone), Settings(config, 1), one_member(given))
    table = definitions.compare(outcomes, {"year": found}, config.confidence)
    assert table["ci_method"].tolist() == ["reml_hartung_knapp_truncated"]
    assert table["note"].tolist() == ["mean of 4 centers"]


def test_centers_of_other_sites_are_in_no_definition(given, config, tmp_path):
    """The study's `pooled.csv` may have them: the comparison pools its own centers itself."""
    outcomes = decided()
    found = definitions.evaluate(
        given, cohort(TEST + TRAIN), Settings(config, 1), one_member(given)
    )
    files = {table: tmp_path / f"{table.name}.csv" for table in (PERFORMANCE, POOLED, PREDICTIONS)}
    for table, path in files.items():
        io.write(table, found[table], path)
    io.write(DEFINITIONS, outcomes, tmp_path / "definitions.csv")
    own = {table: files[table] for table in (PERFORMANCE, PREDICTIONS)}
    compare_definitions.run(
        [tmp_path / "definitions.csv"],
        {"year": own, "half": files},
        config.confidence,
        tmp_path / "multiverse.csv",
    )
    table = io.read(MULTIVERSE, tmp_path / "multiverse.csv").set_index("definition")
    assert table.loc["year", "estimate"] == table.loc["half", "estimate"]
