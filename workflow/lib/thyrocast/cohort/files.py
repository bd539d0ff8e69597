"""Which patient each file of a center's export belongs to, and what became of it."""

import collections
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from thyrocast import identity
from thyrocast.cohort.selection import Choice
from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.contract.names import FileUse
from thyrocast.contract.table import Cells
from thyrocast.dicom import pictures
from thyrocast.dicom.elements import Header
from thyrocast.dicom.frames import PatientFile, confirm, judge
from thyrocast.dicom.names import quote_name
from thyrocast.dicom.pixels import read_frames

LOG = logging.getLogger("thyrocast")


def judge_files(
    headers: Mapping[str, Header], center: CenterConfig, cohort: CohortConfig
) -> list[PatientFile]:
    """Return every file of an export with the verdict about it; log how many have which reason.

    Parameters
    ----------
    headers
        Path below the export to header, as `thyrocast.dicom.index.index_folder` returns them.
    center, cohort
        The center's block and the cohort's block of the config.
    """
    judged = []
    for name, read in headers.items():
        picture = center.accept.exports and pictures.is_picture(name)
        header = pictures.read_picture_header(Path(center.dicom) / name) if picture else read
        read_pixels = partial(read_frames, Path(center.dicom) / name, cohort.max_pixels)
        verdict = confirm(judge(header, center, cohort), read_pixels)
        judged.append(PatientFile(name, header, verdict))
    reasons = collections.Counter(file.verdict.reason for file in judged if file.verdict.reason)
    for reason, count in reasons.most_common():
        LOG.info("center %s: %d files excluded: %s", center.name, count, reason)
    return judged


def by_identifier(
    judged: Iterable[PatientFile], center: CenterConfig
) -> dict[str, list[PatientFile]]:
    """Return the files by normalized PatientID.

    The key "" has the images without a PatientID. A file that is no readable image is with its
    patient if its PatientID is known, and not returned otherwise.
    """
    found: dict[str, list[PatientFile]] = collections.defaultdict(list)
    for file in judged:
        identifier = identifier_of(file, center)
        if identifier or not file.header.reason:
            found[identifier].append(file)
    return found


def identifier_of(file: PatientFile, center: CenterConfig) -> str:
    """Return the normalized PatientID of a file; "" if it has none."""
    return identity.normalize_identifier(file.header.text("PatientID"), center.identifiers)


@dataclass
class FileList:
    """Collects what became of the files of each patient, for `contract.cohort.FILES`.

    Attributes
    ----------
    center, key
        The center's block of the config, and the secret of the pseudonyms.
    """

    center: CenterConfig
    key: bytes
    _uses: dict[str, tuple[FileUse, str]] = field(default_factory=dict)

    def add(self, files: Sequence[PatientFile], choice: Choice, reason: str) -> None:
        """Add a patient.

        Parameters
        ----------
        files
            The patient's files.
        choice
            The scans that were selected among them.
        reason
            Why the patient is excluded; "" for an included one.
        """
        best = choice.scans[0].file if choice.scans and not reason else ""
        for file in files:
            if file.name == best:
                self._uses[file.name] = (FileUse.USED, "")
            elif file.name in choice.rejected:
                self._uses[file.name] = (FileUse.EXCLUDED, choice.rejected[file.name])
            elif file.verdict.scans:
                self._uses[file.name] = (FileUse.CANDIDATE, reason)
            else:
                self._uses[file.name] = _without_scan(file)

    def rows(self, judged: Iterable[PatientFile]) -> Iterator[Cells]:
        """Yield the row of each file."""
        for file in judged:
            verdict = file.verdict
            identifier = identifier_of(file, self.center)
            use, reason = self._uses.get(file.name) or _without_scan(file)
            scan = verdict.scans[0] if verdict.scans else None
            yield {
                "file": quote_name(file.name),
                "patient": identity.pseudonym(self.key, self.center.name, identifier)
                if identifier
                else None,
                "identifier": identifier or None,
                "verdict": use,
                "reason": reason,
                "kind": scan.kind if scan else None,
                "view_by": scan.view_by if scan else None,
                "view_evidence": scan.rule if scan else None,
                "flags": " ".join(scan.flags) or None if scan else None,
                "frames": " ".join(map(str, scan.frames)) if scan else None,
            }


def _without_scan(file: PatientFile) -> tuple[FileUse, str]:
    unreadable = bool(file.header.reason)
    return FileUse.UNREADABLE if unreadable else FileUse.EXCLUDED, file.verdict.reason
