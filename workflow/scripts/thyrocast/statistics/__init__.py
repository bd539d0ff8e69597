"""Evaluation of a binary prediction model: small pure functions on arrays.

Every function takes an outcome (n,) of 0 and 1 and probabilities (n,), and returns numbers or an
:class:`~thyrocast.statistics.intervals.Interval`. What the data cannot answer raises
:class:`~thyrocast.statistics.inputs.NotEstimableError` with one sentence that says why; nothing
returns a NaN.
"""
