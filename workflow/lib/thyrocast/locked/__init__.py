"""The locked model of a study: its files, their hashes and where it came from."""
