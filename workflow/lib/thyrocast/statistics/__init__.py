"""Evaluation of a binary prediction model: small pure functions on arrays.

Every function takes an outcome, (n,), of 0 and 1 and probabilities, (n,), and returns numbers or
an `intervals.Interval`. If the data do not allow an estimate, a function raises
`inputs.NotEstimableError` with the reason in one sentence; no function returns NaN, except
`weighted` for single resamples.

Docstrings give the coverage of nominal 95 % intervals: the range over n = 50, 121 and 1,000 and
prevalences of 0.3, 0.5 and 0.7, of 1,000 simulated studies each, with two seeds
(``benchmarks/coverage_of_intervals.py``; Monte Carlo error 0.7 points).
"""
