"""Outcome of radioiodine therapy from thyroid scintigrams: the package under the workflow's entry scripts."""
