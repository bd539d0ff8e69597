"""The check of a center: everything that its pages and its document show, computed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thyrocast.check import document, images, left_out, people, remarks, values
from thyrocast.check.center import Center
from thyrocast.check.findings import Finding, verdict
from thyrocast.check.images import Assumed, Property
from thyrocast.check.people import Excluded, Flow
from thyrocast.check.values import Column
from thyrocast.contract import files
from thyrocast.contract.check import CenterCheck, Severity, Verdict

#: Findings that the log names.
FIRST = 3
#: Values of `image.min_counts` whose effect is shown, counts.
MIN_COUNTS = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


@dataclass(frozen=True)
class Check:
    """What was found in a center.

    Attributes
    ----------
    center
        The center.
    verdict, findings
        Whether it is ready, and what to do, the most important first.
    flow, excluded
        Patients at each step, and the excluded ones.
    columns, properties, assumed
        Columns of the table, properties of the images, and values from the config.
    sensitivity
        Images that each value of `image.min_counts` would leave.
    """

    center: Center
    verdict: Verdict
    findings: Sequence[Finding]
    flow: Flow
    excluded: Sequence[Excluded]
    columns: Sequence[Column]
    properties: Sequence[Property]
    assumed: Sequence[Assumed]
    sensitivity: Sequence[tuple[float, int]]

    @property
    def smallest(self) -> int:
        """Smallest number of patients that a public page shows."""
        return self.center.settings.smallest

    def reasons(self) -> dict[str, int]:
        """Return the number of patients by reason, the most frequent first."""
        counts: dict[str, int] = {}
        for one in self.excluded:
            counts[one.reason] = counts.get(one.reason, 0) + 1
        return counts

    def steps(self) -> dict[str, int]:
        """Return the number of patients at each step of the flow."""
        flow = self.flow
        return {
            "found": flow.found,
            "in_table": flow.in_table,
            "in_images": flow.matched + flow.images_only,
            "matched": flow.matched,
            "included": flow.included,
            "with_image": flow.usable,
        }


def check(center: Center) -> Check:
    """Check a center."""
    flow = people.flow(center)
    excluded = people.excluded(center)
    columns = values.columns(center)
    found = remarks.findings(center, flow, excluded, columns)
    limits = sorted({*MIN_COUNTS, center.settings.image.min_counts})
    return Check(
        center=center,
        verdict=verdict(found),
        findings=found,
        flow=flow,
        excluded=excluded,
        columns=columns,
        properties=images.properties(center),
        assumed=images.assumed(center),
        sensitivity=images.sensitivity(center, limits),
    )


def as_document(found: Check) -> CenterCheck:
    """Return a check as numbers, without patients."""
    smallest = found.smallest
    return CenterCheck(
        contract=files.VERSION,
        center=found.center.name,
        role=found.center.config.role,
        verdict=found.verdict,
        smallest_count=smallest,
        remarks=[document.remark(one, smallest) for one in found.findings],
        flow=document.counted(found.steps(), smallest),
        excluded=document.counted(found.reasons(), smallest),
        columns=[document.column(one, smallest) for one in found.columns],
        images={one.name: document.counted(one.values, smallest) for one in found.properties},
        left_out=document.counted(
            {one.reason: one.files for one in left_out.groups(found.center, pictures=False)},
            smallest,
        ),
    )


def summary(found: Check, page: Path) -> list[str]:
    """Return verdict, what to do first and the page, for the log: no patients."""
    name = found.center.name
    words = found.verdict.replace("_", " ")
    important = [one for one in found.findings if one.severity is not Severity.NOTE]
    lines = [f"center {name}: {words}, {found.flow.usable} of {found.flow.found} patients usable"]
    lines += [f"center {name}: {one.text} {one.action}" for one in important[:FIRST]]
    return [*lines, f"center {name}: everything else is in {page}"]
