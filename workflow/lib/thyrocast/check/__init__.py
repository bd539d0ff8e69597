"""The check of a center before training: what was understood of its data, and what to do first."""

from thyrocast.check.center import read
from thyrocast.check.page import render
from thyrocast.check.results import as_document, check, summary

__all__ = ["as_document", "check", "read", "render", "summary"]
