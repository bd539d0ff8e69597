"""The report: one self-contained HTML page that a clinician can read and a statistician can check."""

from thyrocast.report.page import render
from thyrocast.report.reading import Study, read_study

__all__ = ["Study", "read_study", "render"]
