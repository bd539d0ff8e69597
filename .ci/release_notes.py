"""Print the changelog's section of a version: the notes of its release (`make release-notes VERSION=`).

Stops if the version is not released, or if another file names another version. Standard library only.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Where else the version is named, as a regular expression with one group.
NAMED = {
    "pyproject.toml": r'^version = "(.*)"',
    "CITATION.cff": r"^version: (.*)",
    "workflow/lib/thyrocast/__init__.py": r'^__version__ = "(.*)"',
}


def section(changelog: str, version: str) -> str:
    """Return the notes of a version without their heading.

    Raises
    ------
    ValueError
        If the changelog has no section of the version, an undated or an empty one.
    """
    heading = re.compile(rf"^## {re.escape(version)}(?: \((.*)\))?$", re.MULTILINE)
    found = heading.search(changelog)
    if not found:
        raise ValueError(f"CHANGELOG.md has no section `## {version} (YYYY-MM-DD)`")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", found[1] or ""):
        raise ValueError(
            f"CHANGELOG.md gives no date of version {version}: `## {version} (YYYY-MM-DD)`"
        )
    notes = re.split(r"^## ", changelog[found.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not notes:
        raise ValueError(f"CHANGELOG.md says nothing about version {version}")
    return notes


def main(root: Path, version: str) -> str:
    """Return the notes of a version that all files agree about.

    Raises
    ------
    ValueError
        As `section`, or if a file names another version.
    """
    for name, pattern in NAMED.items():
        found = re.search(pattern, (root / name).read_text(encoding="utf-8"), re.MULTILINE)
        if not found or found[1] != version:
            raise ValueError(f"{name} names version {found[1] if found else '?'}, not {version}")
    return section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)


if __name__ == "__main__":
    try:
        print(main(ROOT, sys.argv[1]))
    except ValueError as fault:
        sys.exit(str(fault))
