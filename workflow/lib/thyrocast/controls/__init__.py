"""Negative and positive controls: what a study's methods find where nothing, or a known effect, is."""
