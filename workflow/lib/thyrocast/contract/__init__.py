"""What a run writes: names, tables and paths, each declared once."""
