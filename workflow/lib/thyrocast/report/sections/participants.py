"""The flow of participants."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract.documents import CenterFlow
from thyrocast.contract.names import Role
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label
from thyrocast.report import eligibility, words
from thyrocast.report.disclosure import Shown, protect
from thyrocast.report.study import StudyResults

#: A count or a median of too few patients, and why.
NOT_SHOWN = Cell(numbers.MISSING, "not shown", number=False)
HIDDEN = (
    "Not shown: counts below {least}, values of too few patients, and what would give such a count by "
    "subtraction."
)


@dataclass(frozen=True)
class RoleFlow:
    """Analyzed patients of all centers of one role.

    Attributes
    ----------
    role, centers
        In words.
    analyzed, cured
        Numbers of patients; cured is None if it is not shown, or not known.
    known
        Whether outcomes are known.
    """

    role: str
    centers: Sequence[str]
    analyzed: int
    cured: int | None
    known: bool


@dataclass(frozen=True)
class FlowSection:
    """Flow of participants: all centers together, and a table by center.

    Attributes
    ----------
    found, excluded, analyzed
        Numbers of patients.
    matched, table_only, dicom_only
        Numbers of patients in both sources and in one only; None if they are not shown.
    reasons
        Reasons for exclusion with their numbers, the most frequent first; None if not shown.
    roles
        Analyzed patients by role.
    grid
        The flow by center.
    inconsistent
        Centers whose numbers do not add up.
    """

    found: int
    matched: int | None
    table_only: int | None
    dicom_only: int | None
    excluded: int
    analyzed: int
    reasons: Sequence[tuple[str, int | None]]
    roles: Sequence[RoleFlow]
    grid: Grid
    inconsistent: Sequence[str]


def flow_section(study: StudyResults) -> FlowSection:
    """Participant flow, for the figure and for the table."""
    recorded = study.flow.centers
    centers = {name: recorded[name] for name in study.centers if name in recorded}
    excluded: Counter[str] = Counter()
    for center in centers.values():
        excluded.update(center.excluded)
    reasons = sorted(excluded.items(), key=lambda item: (-item[1], item[0]))
    least = study.config.evaluation.minimum_count
    without = _shown_reasons(centers, reasons, least.cells)
    outcomes = shown_outcomes(centers, least)
    sources = _shown_sources([*centers.values()], least.cells)
    found, matched, in_table, in_dicom = (
        sum(getattr(center, key) for center in centers.values())
        for key in ("found", "matched", "in_table", "in_dicom")
    )
    return FlowSection(
        found=found,
        matched=matched if sources[-1] else None,
        table_only=in_table - matched if sources[-1] else None,
        dicom_only=in_dicom - matched if sources[-1] else None,
        excluded=sum(excluded.values()),
        analyzed=_analyzed(centers.values()),
        reasons=[
            (reason, n if shown else None)
            for (reason, n), shown in zip(reasons, without.rows, strict=True)
        ],
        roles=_roles(centers, outcomes),
        grid=_flow_grid(
            centers,
            reasons,
            _eligibility(study, [*centers]),
            without,
            outcomes,
            sources,
            least.cells,
        ),
        inconsistent=[name for name, center in centers.items() if not _adds_up(center)],
    )


def _analyzed(centers: Collection[CenterFlow]) -> int:
    return sum(center.analyzed for center in centers)


def _cured(centers: Collection[CenterFlow]) -> int:
    return sum(center.cured for center in centers)


def _adds_up(center: CenterFlow) -> bool:
    return sum(center.excluded.values()) + center.analyzed == center.found


def _shown_sources(centers: Sequence[CenterFlow], least: int) -> list[bool]:
    """Whether each center's numbers by source may be shown, and those of all centers together last.

    Their differences are reasons for exclusion: no images, not in the table, and all others. A small one is not
    shown, so they must not give it. If nobody is in one source only, they give no more than found and analyzed do.
    """

    def small(parts: NDArray[np.int64]) -> bool:
        return bool(parts[:2].any() and ((parts > 0) & (parts < least)).any())

    parts = np.array(
        [
            [one.in_table - one.matched, one.in_dicom - one.matched, one.matched - one.analyzed]
            for one in centers
        ],
        dtype=np.int64,
    ).reshape(len(centers), 3)
    hidden = np.array([small(one) for one in parts], dtype=np.bool_)
    # The sum over all centers gives that over the hidden ones.
    together = not hidden.any() or (hidden.sum() > 1 and not small(parts[hidden].sum(axis=0)))
    return [*(~hidden).tolist(), bool(together)]


def _shown_reasons(
    centers: Mapping[str, CenterFlow], reasons: Sequence[tuple[str, int]], least: int
) -> Shown:
    """Which numbers of excluded patients may be shown, (reasons, centers)."""
    counts = np.array(
        [[c.excluded.get(reason, 0) for c in centers.values()] for reason, _ in reasons],
        dtype=np.int64,
    ).reshape(len(reasons), len(centers))
    return protect(counts, (counts > 0) & (counts < least), least)


def shown_outcomes(centers: Mapping[str, CenterFlow], least: MinimumCountConfig) -> Shown:
    """Which numbers of cured and of other patients may be shown, (2, centers)."""
    known = [center for center in centers.values() if center.role is not Role.PROSPECTIVE]
    both = np.array(
        [[c.cured for c in known], [c.analyzed - c.cured for c in known]], dtype=np.int64
    ).reshape(2, len(known))
    small = (both.sum(axis=0) < least.patients) | (both.min(axis=0) < least.outcomes)
    found = protect(both, np.tile(small, (2, 1)), least.outcomes)
    # Centers whose outcomes are not known yet have nothing to hide.
    known_centers = [center.role is not Role.PROSPECTIVE for center in centers.values()]
    cells = np.zeros((2, len(centers)), dtype=np.bool_)
    cells[:, known_centers] = found.cells
    return Shown(cells, found.rows)


def _roles(centers: Mapping[str, CenterFlow], outcomes: Shown) -> list[RoleFlow]:
    roles = []
    shown = dict(zip(centers, np.all(outcomes.cells, axis=0).tolist(), strict=True))
    for role in Role:
        members = {name: center for name, center in centers.items() if center.role is role}
        if members:
            known = role is not Role.PROSPECTIVE
            # The sum over a role would give the number of a center that is not shown.
            cured = _cured(members.values()) if known and all(shown[m] for m in members) else None
            analyzed = _analyzed(members.values())
            roles.append(RoleFlow(words.ROLES[role], [*members], analyzed, cured, known))
    return roles


def _eligibility(study: StudyResults, centers: Sequence[str]) -> list[Cell]:
    found = [eligibility.short(study.config.center(name).eligibility) for name in centers]
    return [label("Eligibility"), *(Cell(text, number=False) for text in found), Cell("")]


def _flow_grid(
    centers: Mapping[str, CenterFlow],
    reasons: Sequence[tuple[str, int]],
    eligible: Sequence[Cell],
    without: Shown,
    outcomes: Shown,
    sources: Sequence[bool],
    least: int,
) -> Grid:
    def row(title: str, values: Sequence[int], shown: Sequence[bool]) -> list[Cell]:
        cells = zip((*values, sum(values)), shown, strict=True)
        return [
            label(title),
            *(Cell(numbers.count(n)) if known else NOT_SHOWN for n, known in cells),
        ]

    every = [*centers.values()]
    always = [True] * (len(every) + 1)
    rows: list[Sequence[Cell]] = [
        eligible,
        row("Found in either source", [center.found for center in every], always),
        row("In the clinical table", [center.in_table for center in every], sources),
        row("With DICOM images", [center.in_dicom for center in every], sources),
        row("In both", [center.matched for center in every], sources),
        *(
            [
                label(f"Excluded: {reason}"),
                *(
                    Cell(numbers.count(center.excluded.get(reason, 0))) if shown else NOT_SHOWN
                    for center, shown in zip(every, without.cells[n], strict=True)
                ),
                Cell(numbers.count(total)) if without.rows[n] else NOT_SHOWN,
            ]
            for n, (reason, total) in enumerate(reasons)
        ),
        row("Analyzed", [center.analyzed for center in every], always),
    ]
    known = [center for center in every if center.role is not Role.PROSPECTIVE]
    cured = [
        Cell("not known yet")
        if center.role is Role.PROSPECTIVE
        else (fraction(center.cured, center.analyzed) if shown else NOT_SHOWN)
        for center, shown in zip(every, np.all(outcomes.cells, axis=0).tolist(), strict=True)
    ]
    together = fraction(_cured(known), _analyzed(known)) if outcomes.rows.all() else NOT_SHOWN
    rows.append([label("Cured"), *cured, together])
    hidden = any(NOT_SHOWN in cells for cells in rows)
    note = HIDDEN.format(least=least) if hidden else ""
    return Grid("Participants by center", ["", *centers, "All"], rows, note)


def fraction(part: int, whole: int) -> Cell:
    """A number of patients and its share."""
    return Cell(numbers.count(part), numbers.percent(part / whole) if whole else "")
