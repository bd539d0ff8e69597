"""The clinical table of a package, in our columns, units and codes, and the block that reads it."""

import datetime
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from thyrocast.cohort.registration import Registration
from thyrocast.config.center import CenterConfig
from thyrocast.config.outcome import OutcomeConfig, VisitConfig
from thyrocast.contract import cohort as contract
from thyrocast.contract import io
from thyrocast.contract.columns import CLINICAL
from thyrocast.contract.names import OutcomeRule, Role
from thyrocast.contract.table import Cells, Column, Table, number, text
from thyrocast.tables.clinical import ClinicalPatient
from thyrocast.tables.followup import SecondTreatment, Visit

LOG = logging.getLogger("thyrocast")
# Every therapy of a package is on this day; everything else keeps its interval to the therapy.
THERAPY_DAY = datetime.date(2000, 1, 1)
#: All ages from this one on are one group (45 CFR 164.514(b)(2)(i)(C)).
OLDEST_GROUP = 90
# A cell that is not understood here is not understood there.
_UNCLEAR = "unclear"
#: Keys of `views` with patterns of the center, which may contain names: the texts of a package are ours.
_PATTERNS = ("anterior", "other", "excluded", "kept", "syringe", "syringe_residual")
_HORMONES = ("tsh", "ft4", "ft3")
_DRUGS = ("drug", "levothyroxine")


def without_patterns(center: CenterConfig) -> CenterConfig:
    """Return a center's block without its patterns of descriptions, as the package is read."""
    views = center.views.model_copy(update=dict.fromkeys(_PATTERNS, ()))
    return center.model_copy(update={"views": views})


@dataclass
class PackageTable:
    """Rows and columns of the package's table.

    Attributes
    ----------
    center
        The center's block of the config.
    """

    center: CenterConfig
    _columns: dict[str, Column] = field(default_factory=dict)
    _slots: dict[tuple[Any, ...], str] = field(default_factory=dict)
    _visits: tuple[VisitConfig, ...] = ()
    _filled: set[str] = field(default_factory=lambda: {"patient", "outcome"})

    def build(self, registration: Registration, patients: Sequence[str]) -> pd.DataFrame:
        """Return the table of some of the included patients, in the order of `patients`."""
        register = registration.register.set_index("patient", drop=False)
        table = register.astype(object).where(register.notna(), None).loc[list(patients)]
        self._visits = self._all_visits(registration.patients[one] for one in patients)
        rows = [self._row(row, registration.patients[row["patient"]]) for row in
                table.to_dict("records")]  # fmt: skip
        self._filled |= {name for row in rows for name, value in row.items() if value is not None}
        older = sum((row["age"] or 0) == OLDEST_GROUP for row in rows)
        if older:
            LOG.info(
                "center %s: the age of %d patients older than %d is written as %d",
                self.center.name, older, OLDEST_GROUP - 1, OLDEST_GROUP,
            )  # fmt: skip
        declared = self.table()
        return io.build(
            declared, [{name: row.get(name) for name in declared.names} for row in rows]
        )

    def _all_visits(self, patients: Iterable[ClinicalPatient]) -> tuple[VisitConfig, ...]:
        """Return the visits of a patient; in a long table without names of visits, each row is one of those."""
        stated = self.center.outcome.visits if self.center.outcome else ()
        most = max((len(patient.followup.visits) for patient in patients), default=0)
        rows = [visit for visit in stated if visit.visit is None]
        if most <= len(stated) or not rows:
            return tuple(stated)
        times = (most - len(stated)) // len(rows) + 1
        return tuple(
            one for visit in stated for one in [visit] * (times if visit.visit is None else 1)
        )

    def table(self) -> Table:
        """Return the declaration of the table that `build` returned."""
        return contract.package(tuple(self._columns.values()))

    def _row(self, row: Mapping[Any, Any], patient: ClinicalPatient) -> Cells:
        outcome = {1: "cured", 0: "not cured"}.get(row["outcome"])
        values = {name: row[name] for name in CLINICAL}
        if values["age"] is not None and values["age"] >= OLDEST_GROUP:
            values["age"] = float(OLDEST_GROUP)
        cells = {
            "patient": row["patient"],
            "therapy_date": THERAPY_DAY.isoformat() if patient.therapy else None,
            "outcome": outcome,
            **values,
        }
        rule = self.center.outcome
        if rule is None or rule.rule is not OutcomeRule.FOLLOWUP:
            return cells
        for n, (visit, stated) in enumerate(
            zip(patient.followup.visits, self._visits, strict=True), 1
        ):
            cells |= dict(self._visit(n, visit, stated))
        for second in patient.followup.seconds:
            cells |= self._second(second)
        if rule.death:
            cells["death"] = self._dated("death", patient.followup.died)
        return cells

    def _visit(self, n: int, visit: Visit, stated: VisitConfig) -> Iterator[tuple[str, Any]]:
        """Yield the cells of a visit for the columns that the center has."""
        if stated.date:
            dated = None if visit.days is None or not float(visit.days).is_integer() else visit.days
            yield f"visit{n}_date", self._dated(f"visit{n}_date", dated)
        if stated.state:
            yield self._text(f"visit{n}_state", visit.state)
        for name in _HORMONES:
            if getattr(stated, name):
                column = f"visit{n}_{name}"
                self._columns.setdefault(column, number(column, "Hormone.", missing=True))
                yield column, getattr(visit, name)
        if stated.drug or stated.levothyroxine:
            for name in _DRUGS:
                yield self._text(f"visit{n}_{name}", _answer(getattr(visit, name)))

    def _second(self, second: SecondTreatment) -> Cells:
        key = (second.kind, second.within, second.counts_from)
        column = self._slots.setdefault(key, f"second{len(self._slots) + 1}")
        given = _UNCLEAR if not second.understood else "yes"
        return dict([
            self._text(column, given),
            (f"{column}_date", self._dated(f"{column}_date", second.days)),
        ])  # fmt: skip

    def _text(self, column: str, value: str | None) -> tuple[str, str | None]:
        self._columns.setdefault(column, text(column, "Code.", missing=True))
        return column, None if value is None else str(value)

    def _dated(self, column: str, days: float | None) -> str | None:
        self._columns.setdefault(column, text(column, "Date, ISO 8601.", missing=True))
        if days is None:
            return None
        return (THERAPY_DAY + datetime.timedelta(days=round(days))).isoformat()

    def block(self) -> dict[str, Any]:
        """Return the center's block for the config of the other site, after `build`.

        What decides which scan is used, how it is standardized and what cure means is that of the
        center; names, codes and units are ours.
        """
        center = self.center
        kept = without_patterns(center).plain()
        block: dict[str, Any] = {
            "name": center.name,
            "role": center.role.value,
            "dicom": f"{center.name}/dicom",
            "clinical": f"{center.name}/clinical.csv",
            "columns": {
                # A column that the center does not have is not empty at the other site, but missing.
                column: column
                for column in contract.package(()).names
                if column != "birth_date" and column in self._filled
            },
            # The center applied its criteria: all rows are eligible patients.
            "eligibility": {"all_rows": True},
        }
        for name in ("views", "fallbacks", "accept"):
            block[name] = kept[name]
        if center.outcome is not None and center.role is not Role.PROSPECTIVE:
            block["outcome"] = self._outcome(center.outcome)
        return block

    def _outcome(self, rule: OutcomeConfig) -> dict[str, Any]:
        given = rule.model_dump(mode="json", exclude_unset=True)
        for name in ("cured", "not_cured", "visits", "states", "second_treatment",
                     "second_treatments", "death"):  # fmt: skip
            given.pop(name, None)
        if rule.rule is OutcomeRule.GIVEN:
            return given | {"cured": ["cured"], "not_cured": ["not cured"]}
        visits = []
        for n, stated in enumerate(self._visits, 1):
            names = [name for name in ("date", "state", *_HORMONES) if getattr(stated, name)]
            names += _DRUGS if stated.drug or stated.levothyroxine else ()
            visit: dict[str, Any] = {name: f"visit{n}_{name}" for name in names}
            visits.append(visit | ({"months": stated.months} if stated.months else {}))
        given["visits"] = visits
        if self._slots:
            given["second_treatments"] = [
                {"kind": str(kind), "column": column, "date": f"{column}_date",
                 "counts_from": f"{counts_from:g} days"}
                | ({"within": f"{within:g} days"} if within else {})
                for (kind, within, counts_from), column in self._slots.items()
            ]  # fmt: skip
        if rule.death:
            given["death"] = "death"
        return given


def _answer(value: bool | None) -> str:
    return _UNCLEAR if value is None else "yes" if value else "no"
