"""Files that are no chosen image, by reason, each with an example."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from thyrocast.check.center import Center
from thyrocast.check.people import file_name
from thyrocast.check.sheet import data_url, picture
from thyrocast.contract.names import FileUse
from thyrocast.dicom.names import unquote_name
from thyrocast.dicom.pixels import PixelError, read_counts

#: Reasons of which an example is shown as a picture, the most frequent ones; a larger file is not
#: decoded for it, bytes.
MOST_PICTURES, LARGEST_FILE = 40, 64_000_000
#: Candidates that come after a better scan have no reason of their own.
NOT_BEST = "a better scan of the patient was chosen"


@dataclass(frozen=True)
class Group:
    """Files with one reason.

    Attributes
    ----------
    reason, unreadable
        Reason, and whether the files are no images at all.
    files, patients
        Numbers of files, and of patients to whom they belong.
    identifier, file
        Whose an example is, and its path.
    picture
        The example's first frame as a data URL; "" if it cannot be shown.
    """

    reason: str
    unreadable: bool
    files: int
    patients: int
    identifier: str
    file: str
    picture: str = ""


def groups(center: Center, *, pictures: bool) -> list[Group]:
    """Return the files that were left out, the most frequent reasons first.

    Parameters
    ----------
    center
        The center.
    pictures
        Whether an example of each reason is decoded.
    """
    rows = center.files[center.files["verdict"] != FileUse.USED]
    named = rows.assign(reason=rows["reason"].where(rows["reason"] != "", NOT_BEST))
    found = []
    for reason, files in named.groupby("reason", sort=True):
        example = files.iloc[0]
        unreadable = bool((files["verdict"] == FileUse.UNREADABLE).all())
        found.append((str(reason), unreadable, files, example))
    found.sort(key=lambda one: (one[1], -len(one[2]), one[0]))
    return [
        Group(
            reason=reason,
            unreadable=unreadable,
            files=len(files),
            patients=int(files["patient"].nunique()),
            identifier=_text(example["identifier"]),
            file=file_name(example["file"]),
            picture=_picture(center, files)
            if pictures and not unreadable and place < MOST_PICTURES
            else "",
        )
        for place, (reason, unreadable, files, example) in enumerate(found)
    ]


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def _picture(center: Center, files: pd.DataFrame) -> str:
    """Return the first frame of the first file as a picture; "" if it cannot be decoded."""
    path = Path(center.config.dicom) / unquote_name(files.iloc[0]["file"])
    try:
        if path.stat().st_size > LARGEST_FILE:
            return ""
        image = read_counts(path, [0]).image
    except (OSError, PixelError):
        return ""
    return data_url(picture(image)) if image.size else ""
