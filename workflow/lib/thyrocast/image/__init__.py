"""From the counts of a gamma camera to a standardized image and its quantities."""
