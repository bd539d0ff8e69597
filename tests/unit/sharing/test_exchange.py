"""Exchange files: what they contain, what they refuse, and that pooling them changes no result."""

import dataclasses
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.sharing import example_centers as example
from thyrocast.contract import documents, io
from thyrocast.contract import exchange as layout
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.exchange import Exchange
from thyrocast.errors import InputError
from thyrocast.evaluation import exchanged, pooled_centers
from thyrocast.ledgers import ledger
from thyrocast.ledgers.ledger import Entry
from thyrocast.planning import exchanges
from thyrocast.sharing import exchange, exchange_page, exchange_summary

ROOT = Path(__file__).resolve().parents[3]
NAMES = [*example.SIZES]


def pooled_from(files, performance, keep):
    """Pool some centers as data and others by their files."""
    # The joint sample of fewer centers is another one: two-stage results do not use it.
    own = performance[(performance["group"].isin(keep)) & (performance["group_kind"] == "center")]
    parts = [exchanged.rows(documents.read(Exchange, file), name) for name, file in files.items()]
    return pooled_centers.pool(io.concat(PERFORMANCE, [own, *parts]), 0.95, [*files])


def test_three_centers_as_data_and_two_as_files_give_the_result_of_five(whole, sent):
    expected = pooled_centers.pool(whole, 0.95)
    found = pooled_from(sent, whole, NAMES[:3])
    for table, key in (("summary", ("model", "metric", "at", "method")), ("centers", None)):
        keys = key or ("model", "metric", "at", "method", "center")
        ours, theirs = (
            example.numbers(frame[frame["method"] != "pooled_predictions"], keys)
            for frame in (getattr(found, table), getattr(expected, table))
        )
        assert len(ours) == len(theirs) > 0
        pd.testing.assert_frame_equal(ours, theirs, rtol=0, atol=1e-9)
    # Every method, and the prediction interval, was compared.
    methods = set(found.summary["method"])
    assert methods == {f"{a}_{b}" for a, b in pooled_centers.METHODS}
    assert found.summary["pi_low"].notna().all()
    assert set(found.summary["k"]) == {5}


def test_one_stage_results_say_whom_they_do_not_contain(whole, sent):
    everybody = whole[whole["group_kind"] == "pooled"]
    parts = [exchanged.rows(documents.read(Exchange, file), name) for name, file in sent.items()]
    own = whole[whole["group"].isin(NAMES[:3]) & (whole["group_kind"] == "center")]
    rows = io.concat(PERFORMANCE, [everybody, own, *parts])
    joint = pooled_centers.pool(rows, 0.95, [*sent]).summary
    joint = joint[joint["method"] == "pooled_predictions"]
    assert set(joint["k"]) == {3}
    assert (
        joint["note"]
        .str.contains("without delft, essen, whose patients are not at this site")
        .all()
    )


def test_the_schema_is_committed_and_files_obey_it(sent):
    jsonschema = pytest.importorskip("jsonschema")
    committed = (ROOT / "docs" / "exchange.schema.json").read_text(encoding="utf-8")
    assert committed == layout.schema()
    for file in sent.values():
        jsonschema.validate(json.loads(file.read_text()), json.loads(committed))


def leaves(node):
    if isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value)
    else:
        yield node


def test_no_identifier_pseudonym_or_probability_is_in_the_file_or_its_page(centers, sent):
    for name, file in sent.items():
        text = file.read_text() + exchange_page.render(documents.read(Exchange, file))
        assert not re.search(rf"{name}-\w", text)
        assert "hash of" not in text
        probabilities = [p for _, _, by_model in centers[name] for p in by_model.values()]
        found = np.array(
            [leaf for leaf in leaves(json.loads(file.read_text())) if isinstance(leaf, float)]
        )
        # Two decimals may agree by chance; more would be one patient's.
        exact = [p for p in probabilities if np.abs(found - p).min() < 1e-7]
        assert exact == []


def test_the_page_shows_every_estimate(sent):
    found = documents.read(Exchange, sent["delft"])
    page = exchange_page.render(found)
    assert "http" not in page.replace("http-equiv", "")
    for model in found.models.values():
        for one in model.results:
            assert repr(one.std_error) in page or one.std_error is None


def test_every_count_obeys_the_rule(sent):
    for file in sent.values():
        found = documents.read(Exchange, file)
        for model in found.models.values():
            assert sum(one.patients for one in model.bins) == found.patients
            for one in model.bins:
                assert min(one.cured, one.patients - one.cured) >= found.rule.cell
            assert len(model.bins) > 2
        counted = [*found.flow.excluded]
        for summary in (found.acquisition, found.clinical):
            counted += itertools.chain.from_iterable(summary.categories.values())
        assert all(one.patients is None or one.patients >= found.rule.cell for one in counted)
        # Two patients without therapy: with them, the next larger number is hidden.
        assert [one.patients for one in found.flow.excluded] == [None, None]
        assert found.flow.found == found.patients + 8


def write(folder, people, model=example.HASH, name="bern", study=None, **changes):
    study = study or example.config([name], **changes)
    site = example.tables(name, people, study)
    target = folder / f"{len([*folder.iterdir()])}.json"
    statement = exchange.locked(model)
    return exchange.write(site, study, statement, folder / "key.exchanged.jsonl", target)


def test_too_few_patients_are_refused(tmp_path):
    with pytest.raises(InputError, match="center bern: 29 patients were scored"):
        write(tmp_path, example.people("bern", 29))
    assert [*tmp_path.iterdir()] == []


def test_a_file_that_differs_by_one_patient_is_refused(tmp_path):
    everybody = example.people("bern", 70)
    write(tmp_path, everybody[:64])
    for others in (everybody[:65], everybody[:63], [*everybody[:63], everybody[64]]):
        with pytest.raises(InputError, match="would show the difference"):
            write(tmp_path, others)
    # One outcome was corrected.
    first = everybody[0]
    with pytest.raises(InputError, match="would show the difference"):
        write(tmp_path, [(first[0], 1 - first[1], first[2]), *everybody[1:64]])
    # Under another name of study and center, the patients are the same.
    renamed = example.people("bern", 65)
    site = example.tables("bern", renamed)
    other = example.config(["bern"], study="other")
    with pytest.raises(InputError, match="would show the difference"):
        exchange.write(
            site, other, exchange.own(None), tmp_path / "key.exchanged.jsonl", tmp_path / "x.json"
        )
    assert len(ledger.read(tmp_path / "key.exchanged.jsonl")) == 1


def attack(first, second):
    """Outcome and probability of the patient who is in the second file only, for each model."""
    found = {}
    for name, model in second.models.items():
        expected = []
        for file, results in ((first, first.models[name]), (second, model)):
            [ratio] = [one.estimate for one in results.results if one.metric == "oe_ratio"]
            expected.append(file.cured / ratio)
        found[name] = expected[1] - expected[0]
    return second.cured - first.cured, found


def test_without_a_ledger_two_files_would_show_the_patient(tmp_path):
    """The attack that the ledger prevents works: this is no theory."""
    everybody = example.people("bern", 65)
    files = []
    for n in (64, 65):
        (tmp_path / str(n)).mkdir()
        files.append(write(tmp_path / str(n), everybody[:n]))
    outcome, probability = attack(*files)
    assert outcome == everybody[64][1]
    assert probability == pytest.approx(everybody[64][2], abs=1e-6)


def test_of_accepted_files_the_attack_finds_the_mean_of_the_new_patients_only(tmp_path):
    everybody = example.people("bern", 150)
    outcome, probability = attack(write(tmp_path, everybody[:80]), write(tmp_path, everybody))
    assert outcome == sum(y for _, y, _ in everybody[80:])
    for name, total in probability.items():
        new = np.array([p[name] for _, _, p in everybody[80:]])
        assert total / 70 == pytest.approx(new.mean(), abs=1e-6)
        assert np.sqrt(np.mean((new - total / 70) ** 2)) == pytest.approx(new.std())


def test_the_same_file_again_is_written_and_listed_once(tmp_path):
    first = write(tmp_path, example.people("bern"))
    assert write(tmp_path, example.people("bern")) == first
    assert len(ledger.read(tmp_path / "key.exchanged.jsonl")) == 1
    assert (tmp_path / "key.exchanged.jsonl").stat().st_mode & 0o777 == 0o600


def test_enough_new_patients_are_accepted_and_their_bins_are_large_enough(tmp_path):
    everybody = example.people("bern", 150)
    first = write(tmp_path, everybody[:80])
    second = write(tmp_path, everybody)
    for name, model in second.models.items():
        before = {one.low for one in first.models[name].bins}
        assert {one.low for one in model.bins} <= before
        for one in model.bins:
            inside = [(one.low <= p[name] < one.high, y) for _, y, p in everybody[80:]]
            for outcome in (0, 1):
                assert sum(here and y == outcome for here, y in inside) >= second.rule.cell


def test_a_threshold_that_divides_off_few_patients_hides_the_net_benefit(tmp_path):
    found = write(tmp_path, example.people("bern", easy=-3.0))
    [row] = [one for one in found.models["network"].results if one.metric == "net_benefit"]
    assert (row.status, row.estimate, row.std_error, row.at) == ("suppressed", None, None, 0.6)
    assert any(text.startswith("Net benefit of network at 0.6") for text in found.hidden)
    rows = exchanged.rows(found, "bern")
    assert rows.loc[rows["metric"] == "net_benefit", "status"].eq("suppressed").any()


def test_few_excluded_patients_do_not_follow_from_the_flow():
    rule = example.config().exchange
    for excluded, found, shown in ((0, 64, []), (3, None, [None]), (6, 70, [6])):
        rows = example.patients({"bern": example.people("bern")}, excluded)
        flow = exchange_summary.flow(rows, rows["patient"], np.zeros(len(rows), int), rule)
        assert (flow.found, flow.analyzed) == (found, 64)
        assert [one.patients for one in flow.excluded] == shown
    group = np.r_[np.zeros(60, int), np.ones(4, int)]
    rows = example.patients({"bern": example.people("bern")}, 0)
    assert exchange_summary.flow(rows, rows["patient"], group, rule) is None


def test_few_patients_who_are_scored_apart_do_not_follow_from_the_flow():
    rule = example.config().exchange
    rows = example.patients({"bern": example.people("bern")}, 0)
    group = np.zeros(len(rows), int)
    for apart in range(rule.cell + 1):
        scored = rows["patient"][apart:]
        flow = exchange_summary.flow(rows, scored, group, rule)
        assert (flow is None) == (0 < apart < rule.cell)
    # Six are enough, but not three that are new since an earlier file and three that are not.
    group[: rule.cell - 1] = 1
    group[-20:] = 1
    assert exchange_summary.flow(rows, rows["patient"][2 * rule.cell :], group, rule) is None


def test_the_file_does_not_depend_on_few_patients_who_are_scored_apart(tmp_path):
    """Neither their outcomes nor their number can be computed from it, alone or with the report."""
    found = set()
    for apart, outcome in ((1, 0), (1, 1), (4, 1)):
        everybody = example.people("bern", 70)
        others = [(name, outcome, p) for name, _, p in example.people("bern", 70 + apart)[70:]]
        site = example.tables("bern", [*everybody, *others])
        rows = example.predictions({"bern": everybody})
        site = dataclasses.replace(
            site, predictions=rows, performance=example.tables("bern", everybody).performance
        )
        folder = tmp_path / f"{apart} {outcome}"
        study = example.config(["bern"])
        exchange.write(site, study, exchange.own(None), folder / "ledger", folder / "bern.json")
        page = exchange_page.render(exchanges.read(folder / "bern.json"))
        found.add((folder / "bern.json").read_text() + page)
    assert len(found) == 1


def test_a_damaged_ledger_stops(tmp_path):
    (tmp_path / "key.exchanged.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match="line 1: cannot be read"):
        write(tmp_path, example.people("bern"))


def test_no_file_is_there_to_be_sent_without_its_line_in_the_ledger(tmp_path, monkeypatch):
    def stopped(*_):
        raise OSError("no space left")

    monkeypatch.setattr(exchange.ledger, "append", stopped)
    with pytest.raises(OSError, match="no space"):
        write(tmp_path, example.people("bern"))
    assert not list(tmp_path.rglob("*.json"))


def test_a_line_break_that_an_editor_removed_does_not_join_two_documents(tmp_path):
    file = tmp_path / "ledger.jsonl"
    for number in range(2):
        entry = Entry(
            date="2026-01-01", study="demo", center="bern", file=f"{number}" * 64, people={"a": 1},
            found=["P-1"], cuts={},
        )  # fmt: skip
        ledger.append(file, entry)
        file.write_text(file.read_text().rstrip())
    assert len(ledger.read(file)) == 2
