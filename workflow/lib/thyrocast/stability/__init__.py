"""Stability: how far predictions, selected features and performance move if the models are fitted again."""
