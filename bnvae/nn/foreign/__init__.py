"""Models that were trained elsewhere, as a list of layers with the names of their weights."""
