"""Private files to which lines are only added: what was sent, looked at and fitted to."""
