"""The report: one self-contained HTML page."""

from thyrocast.report.page import render
from thyrocast.report.reading import SplitFiles, StudyFiles, read_study
from thyrocast.report.study import StudyResults

__all__ = ["SplitFiles", "StudyFiles", "StudyResults", "read_study", "render"]
