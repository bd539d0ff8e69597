"""Evaluation of a binary prediction model: small pure functions on arrays.

Every function takes an outcome (n,) of 0 and 1 and probabilities (n,), and returns numbers or an
:class:`~thyrocast.statistics.intervals.Interval`. What the data cannot answer raises
:class:`~thyrocast.statistics.inputs.NotEstimableError` with one sentence that says why; nothing
returns a NaN.

Docstrings say how often nominal 95 % intervals cover the truth: the range over n = 50, 121 and
1,000 and prevalences of 0.3, 0.5 and 0.7, of 1,000 simulated studies each, with two seeds
(``benchmarks/coverage_of_intervals.py``; Monte Carlo error 0.7 points).
"""
