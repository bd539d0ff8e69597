"""The scans of a simulated patient: pertechnetate before and after therapy, iodine, syringe."""

import datetime
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from thyrocast.config.simulated_scan import CameraConfig, MarkerConfig, Stop, ViewFiles
from thyrocast.contract.names import View
from thyrocast.physics import tc99m_left
from thyrocast.simulation import anatomy, camera, physiology
from thyrocast.simulation.objects import SimulatedScan
from thyrocast.simulation.people import SimulatedPerson
from thyrocast.simulation.site import Site

#: Time from the image of the syringe to the injection, min, and duration of that image, s.
SYRINGE_BEFORE_MIN, SYRINGE_S = 10, 10.0
#: Shortest and longest scan with preset counts, s.
SHORTEST_S, LONGEST_S = 30.0, 1200.0
#: Share of mass and uptake that remains half a year after therapy.
REST_CURED, REST_NOT_CURED = 0.3, 0.75


def device(config: CameraConfig) -> camera.Camera:
    """Return the camera that a config describes."""
    return camera.Camera(
        matrix=config.matrix,
        pixel_mm=config.pixel_mm,
        sensitivity=config.sensitivity,
        resolution_mm=config.resolution_mm,
        distance_mm=config.distance_mm,
    )


def scans(
    person: SimulatedPerson, site: Site, study: str, description: str = ""
) -> Iterator[SimulatedScan]:
    """Image one patient's gland; each scan is one file.

    Parameters
    ----------
    person, site
        The patient and the center.
    study
        Name of the DICOM study.
    description
        Prefix of the descriptions of the series.
    """
    plan, detector = site.config.scintigraphy, device(site.config.camera)
    started = person.injected + datetime.timedelta(minutes=person.delay)
    left = person.activity * tc99m_left(person.delay)
    rates = {view: camera.count_rate(person.neck, view, detector, left) for view in plan.views}
    if person.marked and site.config.marker is not None:
        rates[View.ANTERIOR] = rates[View.ANTERIOR] + _marker(site.config.marker, detector)
    seconds = plan.duration_s
    if plan.stop is Stop.COUNTS:
        # All heads stop when the anterior one has its counts.
        longest = float(np.clip(plan.counts / rates[View.ANTERIOR].sum(), SHORTEST_S, LONGEST_S))
        seconds = round(longest, 3)
    one_file = plan.files is ViewFiles.ONE
    for series, views in enumerate([plan.views] if one_file else [(v,) for v in plan.views], 1):
        # The order of frames may differ from that of the detectors; only the vector states it.
        order = list(range(1, len(views) + 1))
        if plan.reverse_frames:
            order.reverse()
        yield SimulatedScan(
            pixels=np.stack(
                [camera.acquire(rates[views[item - 1]], seconds, person.rng) for item in order]
            ),
            views=views,
            detectors=order,
            pixel_mm=detector.pixel_mm,
            seconds=seconds,
            started=started + datetime.timedelta(seconds=int((series - 1) * (seconds + 60))),
            description=f"{description} {_name(site, views)}".strip(),
            study=study,
            series=series,
            injected=person.injected,
            activity_mbq=person.activity,
            stopped_by="CNTS" if plan.stop is Stop.COUNTS else "TIME",
        )


def _marker(marker: MarkerConfig, detector: camera.Camera) -> camera.Values:
    """Return the counts per second and pixel of a marker on the skin."""
    place = (marker.right_mm, marker.down_mm)
    return camera.point(detector, marker.activity_mbq, place, (marker.size_mm, marker.size_mm))


def _name(site: Site, views: tuple[View, ...]) -> str:
    """Return the SeriesDescription of a file with these views."""
    names = site.config.header.series_descriptions
    return names.all if len(views) > 1 else str(getattr(names, views[0]))


def later_scans(
    person: SimulatedPerson, site: Site, patients: physiology.SimulatedPatients
) -> Iterator[SimulatedScan]:
    """Image the gland half a year after therapy: it is smaller, in particular if cured."""
    i, rng = person.index, person.rng
    rest = REST_CURED if patients.outcome[i] else REST_NOT_CURED
    day = person.therapy + datetime.timedelta(days=int(rng.integers(150, 260)))
    neck = anatomy.build(
        float(patients.mass[i]) * rest,
        float(patients.uptake[i]) * rest,
        float(patients.heterogeneity[i]),
        rng,
    )
    injected = datetime.datetime.combine(day, datetime.time(9, 30))
    later = replace(person, injected=injected, neck=neck, marked=False)
    yield from scans(later, site, "followup", site.config.header.series_descriptions.later)


def iodine_scan(
    person: SimulatedPerson, site: Site, patients: physiology.SimulatedPatients
) -> SimulatedScan:
    """Image the therapy's iodine in the whole body, some days after it."""
    given = datetime.datetime.combine(person.therapy, datetime.time(10))
    started = given + datetime.timedelta(days=int(person.rng.integers(3, 8)))
    rows, columns, pixel = 512, 128, 4.0
    y = (np.arange(rows) - 90)[:, None] * pixel
    x = (np.arange(columns) - (columns - 1) / 2)[None, :] * pixel
    body = 0.15 * np.exp(-((x / 150.0) ** 6)) * ((y > -160) & (y < 1500))
    gland = 400.0 * np.exp(-(np.square(np.abs(x) - 18.0) / 300.0 + np.square(y) / 900.0))
    bladder = 15.0 * np.exp(-(np.square(x) + np.square(y - 700.0)) / 2500.0)
    frame = camera.acquire(np.asarray(body + gland + bladder), 1.0, person.rng)
    return SimulatedScan(
        pixels=np.stack([frame, frame[:, ::-1] // 2]),
        views=(View.ANTERIOR, View.POSTERIOR),
        detectors=[1, 2],
        pixel_mm=pixel,
        seconds=900.0,
        started=started,
        description=site.config.header.series_descriptions.iodine,
        study="iodine",
        series=1,
        nuclide="I-131",
        injected=given,
        activity_mbq=float(patients.activity[person.index]),
        whole_body=True,
    )


def syringe_scan(person: SimulatedPerson, site: Site) -> SimulatedScan:
    """Image the syringe before injection, in the patient's own study."""
    detector = device(site.config.camera)
    full = person.activity / tc99m_left(SYRINGE_BEFORE_MIN)
    rate = camera.syringe(detector, full)
    return SimulatedScan(
        pixels=camera.acquire(rate, SYRINGE_S, person.rng)[None],
        views=(View.ANTERIOR,),
        detectors=[1],
        pixel_mm=detector.pixel_mm,
        seconds=SYRINGE_S,
        started=person.injected - datetime.timedelta(minutes=SYRINGE_BEFORE_MIN),
        description=site.config.header.series_descriptions.syringe,
        study="scintigraphy",
        series=90,
    )
