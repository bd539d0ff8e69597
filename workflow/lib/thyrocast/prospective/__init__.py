"""Prospective patients: predictions frozen before the outcome, and what is given out about them."""
