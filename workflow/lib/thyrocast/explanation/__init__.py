"""What maps of a network say about the gland: grids, shares, random placements, pictures."""
