"""Baselines: models on clinical predictors and image quantities, for comparison."""
