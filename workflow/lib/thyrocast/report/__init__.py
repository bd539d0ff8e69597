"""The report: a self-contained HTML page to be passed on, and one with patients."""

from thyrocast.report.methods.methods_section import as_markdown
from thyrocast.report.page import Pages, render
from thyrocast.report.reading import MapFiles, SplitFiles, StudyFiles, read_study
from thyrocast.report.study import StudyResults

__all__ = [
    "MapFiles",
    "Pages",
    "SplitFiles",
    "StudyFiles",
    "StudyResults",
    "as_markdown",
    "read_study",
    "render",
]
