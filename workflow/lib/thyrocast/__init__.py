"""Outcome of radioiodine therapy from thyroid scintigrams: the package that the entry scripts use."""

#: Version of this package; pyproject.toml and CITATION.cff have the same.
__version__ = "0.2.0"
