"""The check page and the log explain every flag and every rule."""

from thyrocast.check import flags
from thyrocast.cohort import summary
from thyrocast.contract.names import ScanFlag, ViewRule


def test_every_flag_and_every_rule_has_a_meaning() -> None:
    assert set(flags.FLAGS) == set(summary.FLAGS) == set(ScanFlag)
    assert set(flags.VIEWS) == set(ViewRule)
    assert len({meaning.brief for meaning in flags.FLAGS.values()}) == len(ScanFlag)
    everything = " ".join(ScanFlag)
    assert [meaning.brief for meaning in flags.of_scan(everything)] == [
        flags.FLAGS[flag].brief for flag in ScanFlag
    ]
