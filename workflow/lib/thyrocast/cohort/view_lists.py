"""Series of several views in one file each, all with the orientation of one view."""

import collections
from collections.abc import Sequence
from dataclasses import replace

from thyrocast.dicom import views
from thyrocast.dicom.exclusion import Stage
from thyrocast.dicom.frames import FileVerdict, PatientFile

REASON = "several images with one orientation, although their description names anterior and oblique views"


def exclude(files: Sequence[PatientFile]) -> list[PatientFile]:
    """Exclude the images of which only a default orientation says that they are anterior.

    Some cameras export anterior and oblique views of one acquisition as files with one description (ANT LAO RAO) and
    one orientation. One file of them may be anterior, but several with one orientation cannot be distinguished. If
    another file of the description has an oblique orientation, the orientations are those of the views.

    Parameters
    ----------
    files
        The files of one patient. Copies of an object count once.
    """
    groups: dict[tuple[str, ...], list[PatientFile]] = collections.defaultdict(list)
    for file in files:
        groups[_key(file)].append(file)
    doubtful: set[str] = set()
    for together in groups.values():
        listed = [f for f in together if f.verdict.scans and all(s.listed for s in f.verdict.scans)]
        objects = {file.header.text("SOPInstanceUID") or file.name for file in listed}
        others = any(file.verdict.reason == views.OTHER_VIEW for file in together)
        if len(objects) > 1 and not others:
            doubtful |= {file.name for file in listed}
    verdict = FileVerdict(reason=REASON, stage=Stage.FRAMES)
    return [replace(file, verdict=verdict) if file.name in doubtful else file for file in files]


def _key(file: PatientFile) -> tuple[str, ...]:
    names = ("StudyInstanceUID", "StudyDate", "SeriesDescription")
    return tuple(file.header.text(name) for name in names)
