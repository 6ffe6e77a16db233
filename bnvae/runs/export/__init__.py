"""A run as an archive, event files or a model card."""
