"""Every file of an export is found once, through links too, and no link leads out of control."""

import os
from pathlib import Path

import pytest

from thyrocast.planning import folders
from thyrocast.planning.folders import LOOP, REPEATED


@pytest.fixture
def export(tmp_path: Path) -> Path:
    for name in ("export/1/scan", "export/2/scan", "store/3/scan", "store/4/late/scan"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    return tmp_path / "export"


def names(export: Path) -> dict[str, str]:
    return {entry.name: entry.reason for entry in folders.walk(export)}


def test_linked_patient_folders_are_read(export: Path) -> None:
    (export / "3").symlink_to("../store/3")
    (export / "1" / "also").symlink_to(export.parent / "store" / "4")
    (export / "2" / "one file").symlink_to("../../store/3/scan")
    assert names(export) == dict.fromkeys(
        ("1/scan", "2/scan", "3/scan", "1/also/late/scan", "2/one file"), ""
    )


def test_a_folder_is_read_once(export: Path) -> None:
    """Under its own name if it is in the export, however many links lead there."""
    (export / "0 link to 1").symlink_to("1")
    (export / "3").symlink_to("../store/3")
    (export / "4").symlink_to("../store/3")
    (export / "5").symlink_to("../store")
    assert names(export) == {
        "1/scan": "", "2/scan": "", "3/scan": "", "5/4/late/scan": "",
        "0 link to 1": REPEATED, "4": REPEATED,
    }  # fmt: skip


def test_loops_end_and_the_folders_above_are_not_read(export: Path) -> None:
    (export / "1" / "loop").symlink_to("..")
    (export / "itself").symlink_to("itself")
    (export / "above").symlink_to("../..")
    (export / "root").symlink_to("/")
    (export / "5").symlink_to("../store")
    (export.parent / "store" / "back").symlink_to("../export")
    (export.parent / "store" / "own loop").symlink_to(".")
    (export / "gone").symlink_to("nowhere")
    assert names(export) == {
        "1/scan": "", "2/scan": "", "5/3/scan": "", "5/4/late/scan": "",
        "1/loop": LOOP, "above": LOOP, "root": LOOP, "5/back": LOOP, "5/own loop": REPEATED,
        "itself": "a broken link", "gone": "a broken link",
    }  # fmt: skip


def test_the_export_itself_may_be_a_link(export: Path, tmp_path: Path) -> None:
    (tmp_path / "north").symlink_to("export")
    (export / "back").symlink_to(tmp_path / "north")
    assert names(tmp_path / "north") == {"1/scan": "", "2/scan": "", "back": LOOP}


def test_hard_links_are_files_of_their_own(export: Path) -> None:
    os.link(export / "1" / "scan", export / "2" / "copy")
    assert list(names(export)) == ["2/copy", "2/scan", "1/scan"]
