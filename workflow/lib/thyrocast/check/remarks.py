"""Find what to correct or to look at in a center's data."""

from collections.abc import Iterator, Sequence

from thyrocast.check import images
from thyrocast.check.center import Center
from thyrocast.check.column_findings import column_findings
from thyrocast.check.contradictions import contradictions, same_people
from thyrocast.check.findings import Example, Finding, Section, ordered
from thyrocast.check.flags import flag_findings
from thyrocast.check.people import Excluded, Flow, file_name
from thyrocast.check.quality import quality_findings
from thyrocast.check.reasons import Stage, advice
from thyrocast.check.values import Column
from thyrocast.contract.check import RemarkCode, Severity
from thyrocast.contract.names import FileUse, Role

#: A reason that excludes fewer patients than this is not a blocker, whatever its share.
LEAST_BLOCKING = 5
#: Share of the table's patients that all technical reasons together may exclude.
MOST_TECHNICAL = 0.5
#: From this number of patients on, a single outcome is implausible.
LEAST_WITH_BOTH_OUTCOMES = 10


def findings(
    center: Center, flow: Flow, excluded: Sequence[Excluded], columns: Sequence[Column]
) -> list[Finding]:
    """Return all findings in the order in which to correct them."""
    return ordered(
        [
            *_nobody(center, flow),
            *_outcomes(center, flow),
            *_eligibility(center),
            *_excluded(center, flow, excluded),
            *column_findings(center, columns),
            *_unreadable_files(center),
            *_assumed(center),
            *flag_findings(center),
            *quality_findings(center),
            *contradictions(center),
            *same_people(center),
        ]
    )


def _nobody(center: Center, flow: Flow) -> Iterator[Finding]:
    prospective = center.config.role is Role.PROSPECTIVE
    severity = Severity.REMARK if prospective else Severity.BLOCKER
    if not flow.matched:
        yield Finding(
            RemarkCode.NO_MATCH,
            severity,
            "No identifier of the clinical table is the PatientID of an image.",
            "Compare how table and images write the identifier: the log of register_center shows "
            "the form of both. Then set the block `identifiers` (strip_prefix, zero_pad, "
            "strip_zeros) or `columns.patient`.",
            Section.PEOPLE,
        )
    elif not flow.usable:
        yield Finding(
            RemarkCode.NO_PATIENT,
            severity,
            "No patient has table row, outcome and usable image.",
            "Correct the most frequent reason for exclusion first.",
            Section.PEOPLE,
        )


def _outcomes(center: Center, flow: Flow) -> Iterator[Finding]:
    if center.config.role is Role.PROSPECTIVE or flow.cured is None or not flow.usable:
        return
    if flow.cured not in (0, flow.usable):
        return
    many = flow.usable >= LEAST_WITH_BOTH_OUTCOMES and center.config.role is Role.DEVELOPMENT
    yield Finding(
        RemarkCode.ONE_OUTCOME,
        Severity.BLOCKER if many else Severity.REMARK,
        f"All patients with an image are {'cured' if flow.cured else 'not cured'}.",
        "Check the codes of `outcome.cured` and `outcome.not_cured`, or the visits and reference "
        "ranges of the outcome rule. A model cannot learn from one outcome.",
        Section.PEOPLE,
        flow.usable,
    )


def _eligibility(center: Center) -> Iterator[Finding]:
    if center.config.eligibility is None:
        yield Finding(
            RemarkCode.ELIGIBILITY,
            Severity.REMARK,
            "The config does not state who is eligible: every row of the table counts as a first "
            "radioiodine therapy of Graves’ disease.",
            "Add criteria under `eligibility` (diagnosis, earlier treatments, age, pregnancy), or "
            "state `eligibility: {all_rows: true}`.",
            Section.PEOPLE,
        )


def _excluded(center: Center, flow: Flow, excluded: Sequence[Excluded]) -> Iterator[Finding]:
    groups: dict[str, list[Excluded]] = {}
    for one in excluded:
        groups.setdefault(one.reason, []).append(one)
    limit = center.settings.check.most_excluded
    if center.config.role is not Role.PROSPECTIVE:
        yield from _many_excluded(flow, excluded)
    contradictory = set(center.contradictions["patient"])
    for reason, members in groups.items():
        tip = advice(reason, members[0].stage)
        many = len(members) >= LEAST_BLOCKING and len(members) > limit * max(flow.in_table, 1)
        if tip.technical and many and center.config.role is not Role.PROSPECTIVE:
            severity = Severity.BLOCKER
        else:
            severity = Severity.REMARK if tip.technical else Severity.NOTE
        if severity is not Severity.BLOCKER and {one.patient for one in members} <= contradictory:
            continue  # the contradiction is a finding of its own, and says more
        yield Finding(
            RemarkCode.EXCLUDED,
            severity,
            f"Excluded: {reason}.",
            tip.action,
            Section.PEOPLE,
            len(members),
            subject=reason,
            examples=[_example(one) for one in members],
        )


def _many_excluded(flow: Flow, excluded: Sequence[Excluded]) -> Iterator[Finding]:
    technical = [
        one
        for one in excluded
        if one.stage is not Stage.TABLE and advice(one.reason, one.stage).technical
    ]
    if len(technical) >= LEAST_BLOCKING and len(technical) > MOST_TECHNICAL * flow.in_table:
        yield Finding(
            RemarkCode.EXCLUDED,
            Severity.BLOCKER,
            "Most patients of the table are excluded for technical reasons together.",
            "Correct the reasons below, the most frequent one first.",
            Section.PEOPLE,
            len(technical),
            subject="technical",
        )


def _unreadable_files(center: Center) -> Iterator[Finding]:
    bad = center.files[center.files["verdict"] == FileUse.UNREADABLE]
    for known, severity in ((True, Severity.REMARK), (False, Severity.NOTE)):
        files = bad[bad["patient"].notna() == known]
        if files.empty:
            continue
        yield Finding(
            RemarkCode.UNREADABLE_FILES,
            severity,
            "Files of patients that cannot be read."
            if known
            else "Files that are no DICOM images or do not name a patient.",
            "Export these files again." if known else "Nothing, if no scintigrams are among them.",
            Section.LEFT_OUT,
            len(files),
            "files",
            "of patients" if known else "others",
            examples=[
                Example(
                    row["patient"] if known else "",
                    row["identifier"] if known else "",
                    f"{file_name(row['file'])}: {row['reason']}",
                )
                for row in files.to_dict("records")
            ],
        )


def _example(one: Excluded) -> Example:
    return Example(one.patient, one.identifier, ", ".join(one.files[:3]))


def _assumed(center: Center) -> Iterator[Finding]:
    for one in images.assumed(center):
        yield Finding(
            RemarkCode.FALLBACK,
            Severity.NOTE,
            f"The {one.what} is taken from the config, because the header does not state it.",
            f"Make sure that `{one.key}` is right for every camera of the center.",
            Section.IMAGES,
            one.patients,
            subject=one.key,
        )
