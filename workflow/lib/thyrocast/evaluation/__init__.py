"""From predictions to the tables of ``evaluation/``: who is scored, on what, in which groups."""
