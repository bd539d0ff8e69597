"""Every rule has the name of its entry script, or is listed with it."""

import re

from tests.conftest import ROOT
from tests.unit.planning.test_environments import rules
from thyrocast.planning import derived


def test_the_script_of_every_rule_is_known() -> None:
    scripts = {rule: script for rule, (script, _) in rules().items()}
    assert len(scripts) > 30
    used = [
        pair
        for path in sorted((ROOT / "workflow").rglob("*.smk"))
        for pair in re.findall(r"^use rule (\w+) as (\w+)", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert used
    scripts |= {new: scripts[old] for old, new in used}
    assert {rule: derived.script_of(rule) for rule in scripts} == scripts
    # and nothing is listed that is no rule
    assert derived.SCRIPTS.keys() <= scripts.keys()


def test_the_rules_of_a_script() -> None:
    again = ["retrain_network", "train_permuted", "train_on_part"]
    assert derived.rules_of("train_network") == ["train_network", *again]
    assert derived.rules_of("make_splits") == ["make_splits"]
