"""Image files, decoded within bounds."""
