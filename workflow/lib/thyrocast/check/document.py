"""The check of a center as numbers, without patients."""

from collections.abc import Mapping

from thyrocast.check.findings import Finding
from thyrocast.check.suppression import single, suppress
from thyrocast.check.values import PUBLIC_BINS, Column, histogram
from thyrocast.contract.check import ColumnCheck, Counted, Remark


def counted(counts: Mapping[str, int], smallest: int) -> list[Counted]:
    """Return names with their numbers, small ones suppressed, in the same order."""
    shown = suppress([*counts.values()], smallest)
    return [Counted(name=name, count=count) for name, count in zip(counts, shown, strict=True)]


def remark(finding: Finding, smallest: int) -> Remark:
    """Return a finding without its patients."""
    return Remark(
        code=finding.code,
        severity=finding.severity,
        subject=finding.subject,
        count=None if finding.count is None else single(finding.count, smallest),
        text=finding.text,
        action=finding.action,
    )


def column(one: Column, smallest: int) -> ColumnCheck:
    """Return what was understood of a column; nothing that fewer patients than `smallest` show."""
    enough = len(one.values) >= smallest
    edges, counts = histogram(one, PUBLIC_BINS)
    return ColumnCheck(
        column=one.key,
        unit=one.unit,
        readable=_share(one.share_readable),
        filled=_share(one.share_filled),
        quartiles=_rounded(one.quartiles()) if enough else None,
        edges=[_significant(float(edge)) for edge in edges] if enough else [],
        counts=suppress(counts, smallest) if enough else [],
        codes=counted(one.meanings, smallest),
        evidence=list(one.evidence),
    )


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _rounded(three: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
    if three is None:
        return None
    low, middle, high = (_significant(value) for value in three)
    return low, middle, high


def _significant(value: float) -> float:
    """Return three significant digits: an extreme value to the last digit could be a patient's."""
    return float(f"{value:.3g}")
