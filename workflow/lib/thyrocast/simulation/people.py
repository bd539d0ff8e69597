"""The patients of a simulated center: identifiers, dates, and a neck that is imaged."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.config.simulated_scan import MarkedOutcome
from thyrocast.contract.names import SimulatedStatus
from thyrocast.simulation import anatomy, physiology
from thyrocast.simulation.objects import Subject
from thyrocast.simulation.site import Site

GIVEN_NAMES = ("Anna", "Maria", "Lena", "Ines", "Clara", "Paul", "Jonas", "Luis", "Peter", "Marta")
#: Birth dates of one center are this many days apart, so that centers use different days.
BIRTH_STEP = 61


@dataclass(frozen=True)
class SimulatedPerson:
    """A patient.

    Attributes
    ----------
    index
        Position among the center's patients.
    status
        What the export contains of the patient.
    number
        Number in the patient's identifiers.
    subject
        What the DICOM headers contain about the patient.
    injected
        Time of the pertechnetate injection.
    therapy
        Date of the therapy.
    activity
        Injected technetium-99m activity, MBq.
    delay
        Time from injection to scan, min.
    neck
        Activity in the neck.
    marked
        Whether the center's marker is on the patient's skin.
    rng
        Generator of the patient's further random choices.
    """

    index: int
    status: SimulatedStatus
    number: int
    subject: Subject
    injected: datetime.datetime
    therapy: datetime.date
    activity: float
    delay: float
    neck: anatomy.Neck
    marked: bool
    rng: np.random.Generator


def draw_statuses(site: Site, rng: np.random.Generator) -> list[SimulatedStatus]:
    """Draw the status of every patient; the config gives the number of patients of each status."""
    config = site.config
    names = list(SimulatedStatus)
    counts = (config.patients, config.lost, config.table_only, config.dicom_only)
    order = rng.permutation(np.repeat(np.arange(len(names)), counts))
    return [names[kind] for kind in order]


def build_people(
    site: Site,
    statuses: Sequence[SimulatedStatus],
    numbers: NDArray[np.int64],
    patients: physiology.SimulatedPatients,
) -> list[SimulatedPerson]:
    """Build the patients; each depends only on the seed, the center and the patient's index.

    Parameters
    ----------
    site
        The center.
    statuses, numbers
        (n,) status and number of each patient.
    patients
        The patients' clinical values and outcomes.
    """
    people, plan = [], site.config.scintigraphy
    taken: set[datetime.date] = set()
    years = site.config.years
    first = datetime.date(years[0], 1, 1)
    days = (datetime.date(years[1] + 1, 1, 1) - first).days
    for index, (status, number) in enumerate(zip(statuses, numbers.tolist(), strict=True)):
        rng = site.generator("patient", index)
        therapy = first + datetime.timedelta(days=int(rng.integers(days)))
        day = therapy - datetime.timedelta(days=int(rng.integers(1, 29)))
        injected = datetime.datetime.combine(day, datetime.time(8))
        given = GIVEN_NAMES[index % len(GIVEN_NAMES)]
        subject = Subject(
            identifier=site.config.header.identifier.format(number=number),
            name=f"Simulated^{given} {site.name.title()}{number}",
            sex=str(patients.sex[index]),
            birth=_birth(therapy, int(patients.age[index]), site.name, taken),
        )
        people.append(
            SimulatedPerson(
                index=index,
                status=status,
                number=number,
                subject=subject,
                injected=injected + datetime.timedelta(minutes=int(rng.integers(480))),
                therapy=therapy,
                activity=float(rng.uniform(*plan.activity_mbq)),
                delay=round(float(rng.uniform(*plan.delay_min)), 1),
                neck=anatomy.build(
                    float(patients.mass[index]),
                    float(patients.uptake[index]),
                    float(patients.heterogeneity[index]),
                    rng,
                ),
                marked=_is_marked(site, bool(patients.outcome[index])),
                rng=rng,
            )
        )
    return people


def _is_marked(site: Site, cured: bool) -> bool:
    marker = site.config.marker
    return marker is not None and (marker.patients is MarkedOutcome.CURED) == cured


def _birth(therapy: datetime.date, age: int, name: str, taken: set[datetime.date]) -> datetime.date:
    """Find a birth date that no other patient has.

    Two patients with the same birth date and sex may be one person, so a study would stop. The
    centers of a cohort use different days, so that no center depends on the dates of another.
    """
    latest = therapy.replace(year=therapy.year - age, day=min(therapy.day, 28)).toordinal()
    first = latest - (latest - seeds.derive(0, name, "birth")) % BIRTH_STEP
    steps = range(365 // BIRTH_STEP)
    dates = [datetime.date.fromordinal(first - BIRTH_STEP * step) for step in steps]
    birth = next((date for date in dates if date not in taken), dates[0])
    taken.add(birth)
    return birth
