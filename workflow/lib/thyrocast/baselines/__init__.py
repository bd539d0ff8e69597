"""Baselines: models without deep features, which the image models are compared with."""
