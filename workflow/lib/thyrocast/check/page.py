"""The pages of a check: one with patients for the center itself, one without for everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thyrocast.check import left_out, plot
from thyrocast.check.findings import Finding, Section
from thyrocast.check.images import Property
from thyrocast.check.people import Excluded
from thyrocast.check.results import Check
from thyrocast.check.sheet import sheets
from thyrocast.check.suppression import single, suppress
from thyrocast.check.values import BINS, PUBLIC_BINS, Column, histogram, readable_words
from thyrocast.contract.check import Severity, Verdict
from thyrocast.pages import html, numbers, words
from thyrocast.pages.parts import Cell, Grid, label

HERE = Path(__file__).parent
#: Findings on the first screen; the others follow in a fold.
FIRST = 6
#: Examples of a finding that the private page lists.
EXAMPLES = 5

_TITLES = {
    Verdict.READY: ("Ready", "No contradiction was found. Look at the contact sheet once."),
    Verdict.REMARKS: (
        "Ready with remarks",
        "Nothing stops the study, but some data are lost or doubtful. Look at the list below.",
    ),
    Verdict.NOT_READY: (
        "Not ready",
        "No network is trained until the points marked “must be corrected” are solved.",
    ),
}
_SEVERITIES = {
    Severity.BLOCKER: "Must be corrected",
    Severity.REMARK: "Look at this",
    Severity.NOTE: "Note",
}
_SECTIONS = (
    ("verdict", "Verdict"),
    (Section.COLUMNS, "What was understood"),
    (Section.PEOPLE, "Who is in"),
    (Section.IMAGES, "Images"),
    (Section.SHEET, "Contact sheet"),
    (Section.LEFT_OUT, "Frames left out"),
    (Section.CONTRADICTIONS, "Contradictions"),
    ("look-up", "Look up a pseudonym"),
)


@dataclass(frozen=True)
class ToDo:
    """A finding as the page shows it."""

    kind: str
    label: str
    count: str
    text: str
    action: str
    section: str
    examples: Sequence[Mapping[str, str]]
    more: int


@dataclass(frozen=True)
class ColumnRow:
    """A column as the page shows it."""

    title: str
    theirs: str
    share: float | None
    readable: str
    drawing: str
    spoken: str
    codes: Sequence[tuple[str, str, str]]
    evidence: Sequence[str]
    cells: Sequence[str]


def render(check: Check, *, private: bool) -> str:
    """Return a check's page.

    Parameters
    ----------
    check
        What was found.
    private
        Whether the page shows patients: identifiers, files and images.
    """
    titled, sentence = _TITLES[check.verdict]
    center = check.center
    todo = [_todo(check, finding, private) for finding in check.findings]
    important = [one for one in todo if one.kind != Severity.NOTE]
    hidden = () if private else (Section.SHEET, "look-up")
    return html.render(
        HERE,
        "check.html.j2",
        sections=[(id_, title) for id_, title in _SECTIONS if id_ not in hidden],
        private=private,
        study=center.settings.study,
        center=center.name,
        role=words.ROLES[center.config.role],
        verdict={"kind": check.verdict, "title": titled, "sentence": sentence},
        first=important[:FIRST],
        more=important[FIRST:],
        notes=[one for one in todo if one.kind == Severity.NOTE],
        facts=_facts(check, private),
        smallest=check.smallest,
        columns=[_column(check, column, private) for column in check.columns],
        others=list(center.others),
        flow=_flow(check, private),
        patients=_patients(check) if private else (),
        properties=[_property(check, one, private) for one in check.properties],
        assumed=check.assumed,
        sensitivity=_sensitivity(check) if private else None,
        sheets=list(sheets(center)) if private else (),
        left_out=_left_out(check, private),
        contradictions=[one for one in todo if one.section == Section.CONTRADICTIONS],
    )


def _number(check: Check, count: int, private: bool) -> str:
    shown = count if private else single(count, check.smallest)
    return numbers.count(shown) if shown is not None else f"fewer than {check.smallest}"


def _several(check: Check, counts: Sequence[int], private: bool) -> list[str]:
    shown = counts if private else suppress(counts, check.smallest)
    return ["not shown" if count is None else numbers.count(count) for count in shown]


def _todo(check: Check, finding: Finding, private: bool) -> ToDo:
    count = ""
    if finding.count is not None:
        count = f"{_number(check, finding.count, private)} {finding.unit}"
        count = count.removesuffix("s") if private and finding.count == 1 else count
    examples = finding.examples[:EXAMPLES] if private else ()
    return ToDo(
        kind=finding.severity,
        label=_SEVERITIES[finding.severity],
        count=count,
        text=f"{finding.text} {finding.detail}".strip() if private else finding.text,
        action=finding.action,
        # The public page has no contact sheet.
        section=Section.IMAGES
        if finding.section is Section.SHEET and not private
        else finding.section,
        examples=[
            {"patient": one.patient, "identifier": one.identifier, "note": one.note}
            for one in examples
        ],
        more=max(len(finding.examples) - len(examples), 0) if private else 0,
    )


def _left_out(check: Check, private: bool) -> list[tuple[left_out.Group, str]]:
    found = left_out.groups(check.center, pictures=private)
    counts = _several(check, [one.files for one in found], private)
    return [*zip(found, counts, strict=True)]


def _facts(check: Check, private: bool) -> list[tuple[str, str]]:
    flow = check.flow
    facts = [
        ("Patients in the table", _number(check, flow.in_table, private)),
        ("of them with images", _number(check, flow.matched, private)),
        ("Patients who can be analyzed", _number(check, flow.usable, private)),
    ]
    few = min(flow.cured or 0, flow.usable - (flow.cured or 0)) < check.smallest
    if flow.cured is not None and flow.usable and (private or not few):
        facts.append(("of them cured", numbers.percent(flow.cured / flow.usable)))
    used = check.center.others
    facts.append(("Compared with", words.listing(list(used)) or "no other center yet"))
    return facts


def _column(check: Check, column: Column, private: bool) -> ColumnRow:
    shown = None
    if not private:
        _, counts = histogram(column, PUBLIC_BINS)
        shown = suppress(counts, check.smallest)
    drawable = private or len(column.values) >= check.smallest
    return ColumnRow(
        title=column.title,
        theirs=column.theirs if private else "",
        share=column.share_filled,
        readable=readable_words(column),
        drawing=plot.distribution(column, BINS if private else PUBLIC_BINS, shown)
        if drawable
        else "",
        spoken=plot.spoken(column) if drawable and len(column.values) else "",
        codes=_codes(check, column, private),
        evidence=column.private_evidence if private else column.evidence,
        cells=column.cells if private else (),
    )


def _codes(check: Check, column: Column, private: bool) -> list[tuple[str, str, str]]:
    """Return code, meaning and number; the public page shows meanings only."""
    if private:
        return [(one.code, one.meaning, numbers.count(one.count)) for one in column.codes]
    counts = _several(check, [*column.meanings.values()], private)
    return [("", name, count) for name, count in zip(column.meanings, counts, strict=True)]


def _flow(check: Check, private: bool) -> dict[str, Any]:
    flow, reasons = check.flow, check.reasons()
    counts = _several(check, [*reasons.values()], private)
    sources = {
        "matched": flow.matched,
        "table_only": flow.table_only,
        "images_only": flow.images_only,
    }
    alone = {"found": flow.found, "excluded": sum(reasons.values()), "usable": flow.usable}
    return {
        **dict(zip(sources, _several(check, [*sources.values()], private), strict=True)),
        **{name: _number(check, count, private) for name, count in alone.items()},
        "reasons": [*zip(reasons, counts, strict=True)],
    }


@dataclass(frozen=True)
class PatientRow:
    """A patient in the list of the private page."""

    patient: str
    identifier: str
    state: str
    files: str


def _patients(check: Check) -> list[PatientRow]:
    """Return every patient, the excluded ones first."""
    out = {one.patient: one for one in check.excluded}
    used = check.center.used
    analyzed = [
        PatientRow(row["patient"], row["identifier"], "can be analyzed", row["file"])
        for row in used.sort_values("patient").to_dict("records")
    ]
    return [*map(_excluded_row, out.values()), *analyzed]


def _excluded_row(one: Excluded) -> PatientRow:
    return PatientRow(
        one.patient, one.identifier, f"excluded: {one.reason}", ", ".join(one.files[:3])
    )


def _property(check: Check, one: Property, private: bool) -> Grid:
    counts = _several(check, [*one.values.values()], private)
    rows = [[label(name), Cell(count)] for name, count in zip(one.values, counts, strict=True)]
    return Grid(one.title, ["", "Patients"], rows, one.note if private else "")


def _sensitivity(check: Check) -> Grid:
    chosen = check.center.settings.image.min_counts
    rows = [
        [
            label(numbers.count(limit), "configured" if limit == chosen else ""),
            Cell(numbers.count(count)),
        ]
        for limit, count in check.sensitivity
    ]
    return Grid(
        "How many images each value of image.min_counts would leave",
        ["Least counts in the gland", "Images"],
        rows,
        "Images with fewer counts than the configured value are already excluded.",
    )
