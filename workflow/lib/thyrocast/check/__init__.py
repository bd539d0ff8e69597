"""The check of a center before training: what was understood of its data, and what to do first."""
