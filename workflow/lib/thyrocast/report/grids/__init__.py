"""Tables of the report: rows and columns of what a section shows."""
