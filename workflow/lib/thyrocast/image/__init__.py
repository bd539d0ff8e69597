"""From a gamma camera's frame to an image that can be compared."""
