"""What every HTML page is made of: layout, tables, numbers, colors and drawings."""
